"""Aliases: small files that say which bundle is champion and which is challenger, for whoever serves.

Each is replaced in one step, so that a reader sees the old file or the new one. With the seal of the bundle as it was
when it first got the alias, whoever follows it tells a bundle that was put in its place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from decisioning.integrity import manifest_of, seal_of
from domain.errors import BundleError


def point(root: Path, alias: str, pointer: Mapping[str, Any], *, since: str) -> None:
    """Sets an alias.

    Parameters
    ----------
    root : folder of the registry, with the bundles
    pointer : ``version``, and what else is to be kept with it
    since : the present moment, RFC 3339

    Raises
    ------
    BundleError : the bundle has no readable manifest
    """
    version = str(pointer["version"])
    # A version that comes back must be what it was: its bundle is not asked again.
    seals = (read_pointer(root, alias) or {}).get("seals", {})
    sealed = str(seals.get(version) or seal_of(manifest_of(root / "bundles" / version)))
    kept = {known: seals[known] for known in pointer.get("history", ()) if known in seals} | {version: sealed}
    content = {**pointer, "bundle": f"bundles/{version}", "seal": sealed, "seals": kept, "since": since}
    write_json(_file(root, alias), content)


def read_pointer(root: Path, alias: str) -> dict[str, Any] | None:
    """What an alias holds, ``None`` where it was never set; a ``BundleError`` where it cannot be read."""
    path = _file(root, alias)
    if not path.is_file():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        str(found["version"])
    except (ValueError, TypeError, KeyError) as error:
        raise BundleError(f"{path}: no readable alias; promote a version again") from error
    return dict(found)


def write_json(path: Path, content: Mapping[str, Any]) -> Path:
    """Writes a file in one step, and returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}")
    draft.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return draft.replace(path)


def _file(root: Path, alias: str) -> Path:
    return root / "aliases" / f"{alias}.json"
