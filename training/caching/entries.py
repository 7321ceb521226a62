"""Entries on disk: a folder each, written in one step, checked byte by byte before it is used, bounded in size.

An entry that is damaged is removed and computed again. Two runs may share a cache: a folder appears whole or not at
all, and whoever loses a race keeps what the other one wrote, which has the same key and so the same content.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Any, TypeVar

from decisioning.integrity import canonical_json

T = TypeVar("T")

FORMAT = 1
_MANIFEST = "manifest.json"
_NAME = re.compile(r"[a-z0-9_]{1,60}-[0-9a-f]{64}")
_DRAFT, _GONE = ".draft-", ".gone-"
_STALE_SECONDS = 3_600.0
"""A draft as old as this is what a killed run left: none takes as long to write."""


class DamagedEntryError(ValueError):
    """An entry is not what was written; it never leaves this package."""


@dataclass
class Entries:
    """The cache's folder; ``max_bytes`` bounds all entries together, the least recently used are removed first.

    ``notices`` are sentences on entries that were discarded or could not be kept.
    """

    folder: Path
    max_bytes: int
    notices: list[str] = field(default_factory=list)

    def load(self, name: str, read: Callable[[Path], T]) -> tuple[T] | None:
        """What ``read`` makes of an entry's folder once every byte of it was checked; ``None`` where there is none."""
        place = self.folder / name
        if not place.is_dir():
            return None
        try:
            _check(place, name)
            found = read(place)
            os.utime(place)
        except FileNotFoundError:
            # Another run made room by removing it while it was read.
            return None
        except Exception as error:
            # Whatever a damaged file ends in, it is of no use; what it held is computed again.
            self.notices.append(f"the cached step {name[:-65]} was damaged ({_said(error)}): computed again")
            self._remove(place)
            return None
        return (found,)

    def keep(self, name: str, write: Callable[[Path], None]) -> None:
        """Writes an entry through ``write``; where the disk refuses, training goes on without it and says so."""
        try:
            self._write(name, write)
        except OSError as error:
            self.notices.append(f"the step {name[:-65]} could not be kept in {self.folder} ({_said(error)})")
            return
        self.bound()

    def bound(self) -> None:
        """Removes what killed runs left behind, and the least recently used entries beyond ``max_bytes``."""
        if not self.folder.is_dir():
            return
        # The folder changes with every entry that is written, so that its own moment is about the present one.
        present = _used_at(self.folder)
        for place in self.folder.glob(f"{_DRAFT}*"):
            if present - _used_at(place) > _STALE_SECONDS:
                shutil.rmtree(place, ignore_errors=True)
        for place in self.folder.glob(f"{_GONE}*"):
            shutil.rmtree(place, ignore_errors=True)
        entries = [(_used_at(place), place, _size(place)) for place in self._entries()]
        total = sum(size for _, _, size in entries)
        for _, place, size in sorted(entries):
            if total <= self.max_bytes:
                return
            self._remove(place)
            total -= size

    def _entries(self) -> Iterator[Path]:
        # Nothing else in the folder is touched: it may be somebody's own.
        return (place for place in self.folder.iterdir() if _NAME.fullmatch(place.name) and place.is_dir())

    def _write(self, name: str, write: Callable[[Path], None]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=self.folder))
        try:
            write(draft)
            files = sorted(draft.iterdir())
            for path in files:
                _sync(path)
            size = sum(path.stat().st_size for path in files)
            if size > self.max_bytes:
                self.notices.append(
                    f"the step {name[:-65]} has {size >> 20} MiB, more than the whole cache may have "
                    f"({self.max_bytes >> 20} MiB): not kept; raise cache.max_gib in training.yaml"
                )
                return
            told = {path.name: {"sha256": _digest(path), "bytes": path.stat().st_size} for path in files}
            (draft / _MANIFEST).write_bytes(canonical_json({"format": FORMAT, "entry": name, "files": told}))
            _sync(draft / _MANIFEST)
            _sync(draft)
            _move(draft, self.folder / name)
            _sync(self.folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def _remove(self, place: Path) -> None:
        gone = place.with_name(f"{_GONE}{place.name}-{os.getpid()}")
        try:
            place.rename(gone)
        except OSError:  # another run was first
            return
        shutil.rmtree(gone, ignore_errors=True)


def _check(place: Path, name: str) -> None:
    """Refuses a folder whose files are not those of its manifest."""
    manifest: Any = json.loads((place / _MANIFEST).read_bytes())
    if manifest["format"] != FORMAT or manifest["entry"] != name:
        raise DamagedEntryError("its manifest is that of another entry")
    found = {path.name for path in place.iterdir()} - {_MANIFEST}
    if found != set(manifest["files"]):
        raise DamagedEntryError("files are missing, or are there that it does not list")
    for file, told in manifest["files"].items():
        path = place / file
        if path.is_symlink() or path.stat().st_size != told["bytes"] or _digest(path) != told["sha256"]:
            raise DamagedEntryError(f"{file} is not the file that was written")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _move(draft: Path, place: Path) -> None:
    try:
        draft.rename(place)
    except OSError:
        # A folder is there: another run has written the same.
        if not place.is_dir():
            raise


def _sync(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _used_at(place: Path) -> float:
    try:
        return place.stat().st_mtime
    except OSError:
        return 0.0


def _size(place: Path) -> int:
    try:
        return sum(path.stat().st_size for path in place.iterdir())
    except OSError:
        return 0


def _said(error: BaseException) -> str:
    return str(error) if isinstance(error, DamagedEntryError) else type(error).__name__
