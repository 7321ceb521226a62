"""The reports of a folder by model version, and what each version is in the registry."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from decisioning.integrity import manifest_of
from domain.errors import BundleError
from serving.pointer import CHALLENGER, CHAMPION, read_target

_FILES = ("*.html", "*.pdf", "*.json", "*/*.html", "*/*.pdf", "*/*.json")
_IDENTITY = "report.json"
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Report:
    """The files of one folder: of which model they are, where that is told, and its ``roles`` in the registry.

    ``other_model`` where the registry has another model under the same version, ``unreadable`` where ``report.json``
    is none. ``files`` are (name, address).
    """

    version: str | None
    trained_at: str | None
    roles: Sequence[str]
    files: Sequence[tuple[str, str]]
    other_model: bool = False
    unreadable: bool = False


def reports(folder: Path, *, registry: Path | None, served: Mapping[str, Any] | None) -> list[Report]:
    """The reports of a folder and of the folders in it, the newest model first.

    Parameters
    ----------
    served : version and hash of the model that answers now (``GET /v1/model``)
    """
    files = sorted({path for pattern in _FILES for path in folder.glob(pattern)})
    known = _known(registry, served)
    found = [_report(place, [file for file in files if file.parent == place], folder, known)
             for place in dict.fromkeys(file.parent for file in files)]  # fmt: skip
    # Of the same moment, or of none, by name: no order of the file system shows.
    return sorted(found, key=lambda one: (one.trained_at or "", one.version or ""), reverse=True)


def _report(place: Path, files: Sequence[Path], folder: Path, known: Mapping[str, tuple[str, str]]) -> Report:
    identity: Mapping[str, str] | None = {}
    if place / _IDENTITY in files:
        told = (place / _IDENTITY).stat()
        identity = _identity(place / _IDENTITY, told.st_mtime_ns, told.st_size)
    version = (identity or {}).get("version") or (place.name if place != folder else None)
    model_hash = (identity or {}).get("model_hash")
    alike = {role: own_hash for role, (own, own_hash) in known.items() if own == version}
    return Report(
        version=version,
        trained_at=(identity or {}).get("trained_at"),
        roles=[role for role, own_hash in alike.items() if model_hash in (None, own_hash)],
        files=[(path.name, f"/reports/{quote(path.relative_to(folder).as_posix())}") for path in files],
        other_model=any(model_hash not in (None, own_hash) for own_hash in alike.values()),
        unreadable=identity is None,
    )


@lru_cache(maxsize=256)
def _identity(path: Path, modified_ns: int, size: int) -> Mapping[str, str] | None:  # noqa: ARG001  # of the cache alone
    """What a ``report.json`` says of its model; empty where it says nothing, ``None`` where it cannot be read."""
    if size > _MOST_BYTES:
        return None
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    told = found.get("identity") if isinstance(found, dict) else None
    return {name: value for name, value in told.items() if isinstance(value, str)} if isinstance(told, dict) else {}


def _known(registry: Path | None, served: Mapping[str, Any] | None) -> dict[str, tuple[str, str]]:
    """Version and model hash by role; a role whose bundle cannot be read marks nothing."""
    found: dict[str, tuple[str, str]] = {}
    for role in (CHAMPION, CHALLENGER) if registry else ():
        try:
            target = read_target(registry, role)  # type: ignore[arg-type]  # there is one here
            if target is not None:
                found[role] = (target.version, manifest_of(target.folder)["model_hash"])
        except BundleError:
            continue
    if served is not None and "model_hash" in served:
        found["served"] = (served["model_version"], served["model_hash"])
    return found
