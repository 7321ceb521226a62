"""What a directory of shards holds: of which input it was made, and what a schema must know of all shards together."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ValidationError

from domain.tables import TABLES
from features.config import Attribute
from features.reading_files import find_files
from features.schema import Facts

FORMAT = 4
"""Goes up whenever shards of an earlier build must not be read by a later one."""
MANIFEST = "manifest.json"
"""Name of its file in the directory of shards."""


class Manifest(BaseModel, frozen=True, extra="forbid"):
    """Written last, so that a directory without it holds nothing that may be used.

    ``fingerprint`` is that of the input; ``rows`` are those of each shard, all tables together; ``tables`` those that
    were there, be they empty; ``filled`` and ``texts`` are the facts of ``accounts`` (``features.schema.Facts``).
    """

    format: int
    fingerprint: str
    rows: tuple[int, ...]
    tables: tuple[str, ...]
    filled: tuple[str, ...]
    texts: dict[str, tuple[str, ...]]

    @property
    def n_shards(self) -> int:
        """How many shards there are."""
        return len(self.rows)

    @property
    def facts(self) -> Facts:
        """What the schema of the whole depends on."""
        return Facts(frozenset(self.tables), frozenset(self.filled), self.texts)


def save(shard_dir: Path, manifest: Manifest) -> None:
    """Declares the shards complete."""
    partial = shard_dir / f"_{MANIFEST}"
    partial.write_text(json.dumps(manifest.model_dump(), ensure_ascii=False, indent=1), encoding="utf-8")
    partial.replace(shard_dir / MANIFEST)


def load(shard_dir: Path) -> Manifest | None:
    """The manifest of shards that this build can read, or ``None``."""
    try:
        return Manifest.model_validate_json((shard_dir / MANIFEST).read_bytes())
    except (OSError, ValidationError):
        return None


def revoke(shard_dir: Path) -> None:
    """Declares the shards unusable, before they are made anew."""
    (shard_dir / MANIFEST).unlink(missing_ok=True)


def fingerprint_of(data_dir: Path, *, attributes: Mapping[str, Attribute]) -> str:
    """SHA-256 over the bytes of every file of every table, the declared attributes and the format of shards.

    Raises
    ------
    DataError : the directory does not exist, or a table lies there twice
    """
    whole = hashlib.sha256(json.dumps([FORMAT, {k: v.model_dump() for k, v in sorted(attributes.items())}]).encode())
    for table in TABLES:
        files = find_files(data_dir, table)
        for path in files.paths if files else ():
            with path.open("rb") as stream:
                # The place is part of it: a part file moved between tables is another input.
                whole.update(f"{table} {path.suffix} {hashlib.file_digest(stream, 'sha256').hexdigest()}\n".encode())
    return whole.hexdigest()
