"""Every version of a registry: when it was trained, its gates, and who moved it, when and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from decisioning.integrity import manifest_of
from domain.errors import BundleError
from training import registry
from training.aliases import read_pointer
from training.config import GatesConfig
from training.promoting import history
from training.promoting.gate import as_json
from training.promoting.measured import evaluation_gates, held_out_gates
from training.promotion import EVALUATION, read_evaluation

DAMAGED = "damaged bundle"


@dataclass(frozen=True)
class Listed:
    """A version; ``gates`` are those of its last promotion or refusal, else of its evaluation (``judged`` says which).

    ``moves`` are its entries of the history, in their order.
    """

    version: str
    trained_at: str
    model_hash: str
    aliases: tuple[str, ...]
    gates: list[dict[str, Any]]
    judged: str
    moves: tuple[Mapping[str, Any], ...]

    @property
    def not_met(self) -> tuple[str, ...]:
        """Names of the gates that are not met."""
        return tuple(str(gate["gate"]) for gate in self.gates if not gate["met"])

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "version": self.version, "trained_at": self.trained_at, "model_hash": self.model_hash,
            "aliases": list(self.aliases), "gates": self.gates, "judged": self.judged,
            "moves": [dict(move) for move in self.moves],
        }  # fmt: skip


def listing(tracking: registry.Tracking, gates: GatesConfig) -> list[Listed]:
    """The versions whose bundles are here, the newest first; a damaged one has no hash and says so in ``judged``."""
    entries = [line.entry for line in history.read(tracking.root) if line.entry is not None]
    folders = [path for path in tracking.bundles.glob("*") if path.name.isdecimal()]
    aliases = _aliases(tracking.root)
    return [
        _listed(folder, aliases, [one for one in entries if one.get("version") == folder.name], gates)
        for folder in sorted(folders, key=lambda path: -int(path.name))
    ]


def _listed(folder: Path, aliases: Mapping[str, str], moves: Sequence[Mapping[str, Any]], gates: GatesConfig) -> Listed:
    named = tuple(sorted(alias for alias, version in aliases.items() if version == folder.name))
    try:
        manifest = manifest_of(folder)
    except BundleError:
        return Listed(folder.name, "", "", named, [], DAMAGED, tuple(moves))
    judged = [move for move in moves if move.get("gates")]
    try:
        found, when = (list(judged[-1]["gates"]), str(judged[-1].get("at"))) if judged else (_now(folder, gates), "now")
    except (BundleError, OSError, ValueError, LookupError, BadZipFile):
        # A file that is cut or changed, which the manifest alone does not tell.
        found, when = [], DAMAGED
    return Listed(
        folder.name, str(manifest["trained_at"]), str(manifest["model_hash"]), named, found, when, tuple(moves)
    )


def _now(folder: Path, gates: GatesConfig) -> list[dict[str, Any]]:
    """What needs neither the model nor any data; nothing for a bundle without evaluation."""
    if not (folder / EVALUATION).is_file():
        return []
    return as_json((*evaluation_gates(read_evaluation(folder), gates), *held_out_gates(folder, gates)))


def _aliases(root: Path) -> dict[str, str]:
    found = {alias: read_pointer(root, alias) for alias in (registry.CHAMPION, registry.CHALLENGER)}
    return {alias: str(pointer["version"]) for alias, pointer in found.items() if pointer is not None}
