"""Files of lines, one for each UTC day of writing, in a folder that several processes may share.

Lines are only ever appended, each whole in one write: a process that dies leaves at most its last line torn, and the
next one starts on a line of its own. Nothing is synced to the disk one by one: a power cut may cost the last seconds.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from domain.clock import rfc3339, to_us

_END = b"\n"


def present() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


class DailyLines:
    """Files ``<name>-<day>.jsonl`` in a folder; an ``OSError`` where they cannot be written."""

    def __init__(self, folder: Path, name: str, *, now: Callable[[], datetime] = present) -> None:
        self._folder, self._name, self._now = folder, name, now
        self._lock = threading.Lock()
        self._day = ""
        self._file = -1
        self._torn = False
        folder.mkdir(parents=True, exist_ok=True)
        self._open(self._today())

    def append(self, lines: Iterable[str]) -> None:
        """Writes lines, which are in ASCII and have no end of their own, at once."""
        data = b"".join(line.encode("ascii") + _END for line in lines)
        if data:
            with self._lock:
                self._write(data)

    def close(self) -> None:
        """Close the file of the day."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
            self._file, self._day = -1, ""

    def _write(self, lines: bytes) -> None:
        today = self._today()
        if today != self._day:
            self._open(today)
        data = _END + lines if self._torn else lines
        # Until all of it is written, the last line counts as torn.
        self._torn = True
        written = os.write(self._file, data)
        self._torn = written < len(data)
        if self._torn:
            raise OSError(f"wrote {written} of {len(data)} bytes")

    def _open(self, day: str) -> None:
        path = self._folder / f"{self._name}-{day}.jsonl"
        opened = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        if self._file >= 0:
            os.close(self._file)
        self._file, self._day = opened, day
        size = os.fstat(opened).st_size
        self._torn = size > 0 and os.pread(opened, 1, size - 1) != _END

    def _today(self) -> str:
        return rfc3339(to_us(self._now()))[:10]
