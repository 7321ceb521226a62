"""How commands work on shards: on this process, on several, or on a cluster, and how they are ended in order."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGTERM, signal
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Self

import typer

if TYPE_CHECKING:
    from features.runners import OnDone, Run, Task

ROWS_IN_ONE_PIECE = 4_000_000
"""Rows of all tables together up to which a portfolio is validated and decided on in one piece, in about 4 GiB."""
Shards = Annotated[int | None, typer.Option("--shards", min=1, help="How many parts; else about 1 M rows each.")]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes on this machine; each holds one shard.")]
Cluster = Annotated[str | None, typer.Option("--cluster", help="Address of a Dask scheduler, tcp://HOST:PORT.")]
ShardDir = Annotated[Path | None, typer.Option("--shard-dir", help="Keep the shards here, and take them next time.")]


@dataclass(frozen=True, slots=True)
class Means:
    """How it is computed: ``shards`` may be left to the size of the data; a ``cluster`` goes before ``workers``."""

    shards: int | None
    workers: int
    cluster: str | None
    shard_dir: Path | None

    @classmethod
    def given(cls, shards: int | None, workers: int, cluster: str | None, shard_dir: Path | None) -> Self:
        """Those of a command line, looked at before anything that takes long.

        Raises
        ------
        typer.BadParameter : both ``cluster`` and ``workers`` are given
        WorkerError : no scheduler answers at ``cluster``
        """
        if cluster is not None and workers > 1:
            raise typer.BadParameter("give one of --workers and --cluster")
        if cluster is not None:
            from features.cluster import connected

            with connected(cluster):
                pass
        return cls(shards, workers, cluster, shard_dir)

    @property
    def asks_for_shards(self) -> bool:
        """Whether any of it needs shards."""
        return self.shards is not None or self.workers > 1 or self.cluster is not None or self.shard_dir is not None

    def run(self, tasks: Sequence[Task], run: Run, *, on_share: OnDone) -> None:
        """Does what is not done yet of the tasks.

        Raises
        ------
        WorkerError : processes or machines left some undone
        What ``run`` raises
        """
        on_share(0.0)
        if self.cluster is not None:
            from features.cluster import on_cluster

            on_cluster(tasks, address=self.cluster, on_done=on_share, run=run)
            return
        from features.runners import in_processes, in_sequence

        if self.workers > 1:
            in_processes(tasks, workers=self.workers, on_done=on_share, run=run)
        else:
            in_sequence(tasks, on_done=on_share, run=run)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """A request to terminate ends us as an interrupt does: workers are told, and files on the way are removed."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    before = signal(SIGTERM, leave)
    try:
        yield
    finally:
        signal(SIGTERM, before)
