"""When a version may become champion: gates on what was measured, unless somebody says why not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from decisioning.bundle import read_bundle
from domain.errors import AcertoError
from training import registry
from training.config import GatesConfig
from training.ope.opponents import Comparison
from training.promoting.footprint import served_gates
from training.promoting.gate import TOLD_ONLY, Gate, as_json
from training.promoting.measured import evaluation_gates, held_out_gates

EVALUATION = "evaluation/evaluation.json"


@dataclass(frozen=True, slots=True)
class Promotion:
    """What was promoted, after which gates, and who was champion before."""

    version: str
    previous: str | None
    gates: tuple[Gate, ...]
    forced: bool


def promote(
    tracking: registry.Tracking,
    *,
    version: str | None,
    gates: GatesConfig,
    why: str | None = None,
    by: str = "",
    comparisons: Sequence[Comparison] = (),
) -> Promotion:
    """Move ``champion`` to a version, by default the challenger; ``why`` forces it past gates that are not met.

    What happened is recorded in the history (``promoting.history``), a refusal too.

    Parameters
    ----------
    by : who promotes, for the history
    comparisons : of its policy with those of its opponents, where logged decisions were there to compare on

    Raises
    ------
    AcertoError : a gate is not met, and no reason was given to promote nevertheless
    BundleError : there is no such version, or it is damaged
    """
    chosen = registry.challenger(tracking) if version is None else version
    bundle = read_bundle(registry.bundle_of(chosen, tracking))
    checked = (
        *evaluation_gates(read_evaluation(bundle.folder), gates),
        *held_out_gates(bundle.folder, gates),
        *served_gates(bundle, gates),
        *policy_gates(comparisons, gates),
    )
    failed = [gate for gate in checked if not gate.met]
    if failed and not why:
        told = "; ".join(f"{gate.name}: found {gate.found}, needed {gate.needed}" for gate in failed)
        registry.note_refusal(chosen, tracking, signed=registry.Signed(by, "gates not met", as_json(checked)))
        raise AcertoError(f"version {chosen} is not promoted. {told}. Train again, or use --force --why TEXT")
    signed = registry.Signed(by, why or "all gates met", as_json(checked), forced=bool(failed))
    previous = registry.move_champion(chosen, tracking, signed=signed)
    return Promotion(chosen, previous, checked, forced=bool(failed))


def policy_gates(comparisons: Sequence[Comparison], gates: GatesConfig) -> tuple[Gate, ...]:
    """The gates of what the policy is worth: one per opponent, met where the configuration does not ask about it."""
    return tuple(_policy_gate(found, gates) for found in comparisons)


def _policy_gate(found: Comparison, gates: GatesConfig) -> Gate:
    name = f"value against {found.opponent}"
    if found.opponent in gates.better_than:
        return Gate(name, found.verdict, "better", found.verdict == "better")
    if found.opponent in gates.not_worse_than:
        return Gate(name, found.verdict, "not worse", found.verdict != "worse")
    return Gate(name, found.verdict, TOLD_ONLY, True)


def read_comparison(folder: Path) -> dict[str, Any] | None:
    """How the policy of a bundle compared with others when that was last asked; ``None`` where it never was."""
    path = registry.comparison_file(folder)
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def read_evaluation(folder: Path) -> dict[str, Any]:
    """What was measured when the bundle was trained."""
    found: dict[str, Any] = json.loads((folder / EVALUATION).read_text(encoding="utf-8"))
    return found
