"""Where the shards of a run lie: kept where somebody asks for it, else in a folder that does not outlive the run.

Shards are copies of debtors' data. A run that is killed cannot remove its own, so the next one beside it does: whoever
works in a folder holds a lock on a file of it, which the system lets go of when the process is no more.
"""

from __future__ import annotations

import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from typing import IO

from cli.output import say
from cli.sharding import Means, ended_in_order

PREFIX = ".acerto-shards-"
OWNER = "_owner"
"""Locked by whoever works in the folder; it names the machine, since a lock is not seen from another one."""


@contextmanager
def shard_folder(means: Means, *, beside: Path) -> Iterator[Path]:
    """The folder of a run's shards; a request to terminate ends it in order.

    Parameters
    ----------
    beside : a directory, made where it does not exist, for the folder of a run that keeps none (``--shard-dir``): there
        is room, and the workers of a cluster see it
    """
    with ended_in_order():
        if means.shard_dir is not None:
            yield means.shard_dir.resolve()
            return
        beside.mkdir(parents=True, exist_ok=True)
        remove_left(beside.resolve())
        with TemporaryDirectory(prefix=PREFIX, dir=beside.resolve()) as folder, _owned(Path(folder)):
            yield Path(folder)


def remove_left(beside: Path) -> list[Path]:
    """Removes the folders that killed runs of this machine left in a directory; those that it removed."""
    removed = [path for path in sorted(beside.glob(f"{PREFIX}*")) if _is_left(path)]
    for path in removed:
        rmtree(path, ignore_errors=True)
        say(f"removed {path}, the shards of a run that was killed")
    return removed


def _is_left(folder: Path) -> bool:
    """Whether nobody works in a folder; one of another machine, or without an owner, is left alone."""
    try:
        with (folder / OWNER).open("r+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return file.read() == socket.gethostname()
    except OSError:
        return False


@contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """Holds the lock of a folder; where a file system knows no locks, nothing says that it may be removed."""
    with (folder / f"{OWNER}.new").open("w", encoding="utf-8") as file:
        if _locked(file):
            file.write(socket.gethostname())
            file.flush()
            # Under its name only once it is locked, so that nobody finds it free before.
            (folder / f"{OWNER}.new").rename(folder / OWNER)
        yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
