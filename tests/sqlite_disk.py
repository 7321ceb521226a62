"""A disk that loses what was not synced: SQLite's own writes and syncs, recorded, and what a power cut leaves of them.

The operations of SQLite's files are replaced in this process by ones that note what they do and then do it. From the
notes the files can be put together as they may be after a power cut at any point: everything synced is there, and of
what was written since any part may be, whole or torn.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECTOR = 512
_MAIN_DB, _WAL = 0x100, 0x80000
# SQLite keeps the address of the name that it opens, so that it must be handed on as it is.
_OPEN = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
_WRITE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64)
_TRUNCATE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int64)
_SYNC = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


class _Vfs(ctypes.Structure):
    """``sqlite3_vfs`` as far as it is needed (sqlite.org/c3ref/vfs.html)."""

    _fields_ = (
        ("iVersion", ctypes.c_int), ("szOsFile", ctypes.c_int), ("mxPathname", ctypes.c_int),
        ("pNext", ctypes.c_void_p), ("zName", ctypes.c_char_p), ("pAppData", ctypes.c_void_p), ("xOpen", _OPEN),
    )  # fmt: skip


class _Methods(ctypes.Structure):
    """``sqlite3_io_methods``, all three versions (sqlite.org/c3ref/io_methods.html)."""

    _fields_ = (
        ("iVersion", ctypes.c_int), ("xClose", ctypes.c_void_p), ("xRead", ctypes.c_void_p), ("xWrite", _WRITE),
        ("xTruncate", _TRUNCATE), ("xSync", _SYNC), ("rest", ctypes.c_void_p * 13),
    )  # fmt: skip


@dataclass(frozen=True)
class Note:
    """What was done: ``write`` of bytes at an offset, ``truncate`` to a size, ``sync``, or ``said`` by the test."""

    what: str
    path: str = ""
    offset: int = 0
    data: bytes = b""
    said: Any = None


@dataclass
class Disk:
    """Everything that was done to the files, in order."""

    notes: list[Note] = field(default_factory=list)

    def say(self, what: Any) -> None:
        """Notes something else at this point, such as that a write was acknowledged."""
        self.notes.append(Note("said", said=what))

    def after_power_cut(self, point: int, *, rng: random.Random) -> dict[str, bytes]:
        """What may be on the disk if the power goes before note ``point``: by path, the bytes of each file."""
        synced: dict[str, int] = {}
        for place, note in enumerate(self.notes[:point]):
            if note.what == "sync":
                synced[note.path] = place
        files: dict[str, bytearray] = {}
        for place, note in enumerate(self.notes[:point]):
            if note.what in ("write", "truncate"):
                content = files.setdefault(note.path, bytearray())
                if place < synced.get(note.path, -1):
                    _apply(content, note)
                else:
                    _apply_partly(content, note, rng)
        return {path: bytes(content) for path, content in files.items()}


def _apply(content: bytearray, note: Note) -> None:
    if note.what == "truncate":
        del content[note.offset :]
        return
    content.extend(bytes(max(0, note.offset + len(note.data) - len(content))))
    content[note.offset : note.offset + len(note.data)] = note.data


def _apply_partly(content: bytearray, note: Note, rng: random.Random) -> None:
    """All of it, nothing, or some of its sectors."""
    chance = rng.choice((0.0, 0.5, 1.0))
    if note.what == "truncate":
        if rng.random() < chance:
            _apply(content, note)
        return
    for start in range(0, len(note.data), SECTOR):
        if rng.random() < chance:
            _apply(content, Note("write", note.path, note.offset + start, note.data[start : start + SECTOR]))


def is_there() -> bool:
    """Whether SQLite's own functions can be reached in this build of Python."""
    return hasattr(ctypes.CDLL(_sqlite3.__file__), "sqlite3_vfs_find")


@contextmanager
def recorded() -> Iterator[Disk]:
    """Notes everything that is done to databases which are opened in the block, and closed in it."""
    find = ctypes.CDLL(_sqlite3.__file__).sqlite3_vfs_find
    find.restype, find.argtypes = ctypes.POINTER(_Vfs), [ctypes.c_char_p]
    vfs = find(None).contents
    disk, kept = Disk(), []
    opens = _OPEN(ctypes.cast(vfs.xOpen, ctypes.c_void_p).value or 0)

    def opened(own: Any, name: Any, file: Any, flags: int, told: Any) -> int:
        code: int = opens(own, name, file, flags, told)
        if code == 0 and flags & (_MAIN_DB | _WAL):
            methods = _noting(disk, ctypes.string_at(name).decode(), file)
            kept.append(methods)
            ctypes.c_void_p.from_address(file).value = ctypes.addressof(methods)
        return code

    ours = _OPEN(opened)
    vfs.xOpen = ours
    try:
        yield disk
    finally:
        vfs.xOpen = opens


def _noting(disk: Disk, path: str, file: int) -> _Methods:
    """The file's own operations, which note what they did."""
    own = _Methods.from_address(ctypes.c_void_p.from_address(file).value or 0)
    write, truncate, sync = (
        kind(ctypes.cast(function, ctypes.c_void_p).value or 0)
        for kind, function in ((_WRITE, own.xWrite), (_TRUNCATE, own.xTruncate), (_SYNC, own.xSync))
    )

    def written(which: Any, data: Any, size: int, offset: int) -> int:
        code: int = write(which, data, size, offset)
        disk.notes.append(Note("write", path, offset, ctypes.string_at(data, size)))
        return code

    def truncated(which: Any, size: int) -> int:
        code: int = truncate(which, size)
        disk.notes.append(Note("truncate", path, size))
        return code

    def synced(which: Any, flags: int) -> int:
        code: int = sync(which, flags)
        disk.notes.append(Note("sync", path))
        return code

    ours = _Methods.from_buffer_copy(own)
    ours.xWrite, ours.xTruncate, ours.xSync = _WRITE(written), _TRUNCATE(truncated), _SYNC(synced)
    return ours


def put(files: dict[str, bytes], folder: Path) -> Path:
    """The files of a disk in a folder; the path of the database."""
    folder.mkdir()
    for path, content in files.items():
        (folder / Path(path).name).write_bytes(content)
    return folder / "acerto.db"
