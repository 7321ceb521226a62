"""A disk that fails when it is told to, for processes that are started over it: see ``failing_disk.c``."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
FAULTS = {
    "EIO at a write": "w", "EIO in the middle of a write": "t", "EIO at a sync": "s", "EIO at both": "b",
    "a read-only file system": "r", "a full disk": "n", "a sync takes a second": "d",
}  # fmt: skip
SLOW = "a sync takes a second"
_MODE, _MET = 0, 8


def compiler() -> str | None:
    """What compiles it, where there is any."""
    return shutil.which("gcc") or shutil.which("cc")


class FailingDisk:
    """The disk of the files of a ``folder``; ``work`` takes what it needs itself."""

    def __init__(self, folder: Path, *, work: Path) -> None:
        found = compiler()
        if found is None:
            raise RuntimeError("found no compiler for C, needed gcc or cc")
        self._library, self._folder, control = work / "failing_disk.so", folder.resolve(), work / "control"
        command = [found, "-shared", "-fPIC", "-O1", "-o", str(self._library), str(SOURCE), "-ldl"]
        subprocess.run(command, check=True, capture_output=True)
        control.write_bytes(bytes(16))
        with control.open("r+b") as opened:
            self._control = mmap.mmap(opened.fileno(), 16)
        self._path = control

    @property
    def environ(self) -> dict[str, str]:
        """What a process is to be started with."""
        return {
            "LD_PRELOAD": str(self._library), "FAILING_DISK_FOLDER": str(self._folder),
            "FAILING_DISK_CONTROL": str(self._path),
        }  # fmt: skip

    def fail(self, fault: str | None) -> None:
        """Has it fail in one of the ways of ``FAULTS`` from now on, or work again."""
        self._control[_MET : _MET + 8] = bytes(8)
        self._control[_MODE : _MODE + 1] = b"0" if fault is None else FAULTS[fault].encode()

    @property
    def met(self) -> int:
        """How often the fault was met since it was set."""
        return int(struct.unpack("q", self._control[_MET : _MET + 8])[0])

    def close(self) -> None:
        """Lets go of its control."""
        self._control.close()
