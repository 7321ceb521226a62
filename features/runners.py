"""Work on shards done here: one after another, or by several processes; a cluster is ``features.cluster``.

Every runner takes the same tasks, and leaves the same part files or an error. What is done on a shard is a function of
plain values that knows no runner: by default its feature matrix.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal
from threading import Thread
from typing import Any, Protocol

from domain.errors import WorkerError
from features.shard_matrix import run_task

OnDone = Callable[[float], None]
"""Told the share of parts that are there, 0 to 1."""
TRIES = 3


class Task(Protocol):
    """Something to do on one shard, in plain values that any process or machine can be sent."""

    @property
    def shard(self) -> str:
        """The folder of the shard."""

    @property
    def part(self) -> str:
        """The file to write, which appears when it is complete, and not before."""


Run = Callable[[Any], int]
"""Does a task and leaves its part; workers import it by name. A task whose part is there is not done again."""


def in_sequence(tasks: Sequence[Task], *, on_done: OnDone, run: Run = run_task) -> None:
    """Computes every task that is not done yet in this process.

    Raises
    ------
    What ``run`` raises
    """
    waiting = undone(tasks)
    for position, task in enumerate(waiting):
        run(task)
        on_done(1 - (len(waiting) - position - 1) / len(tasks))


def in_processes(tasks: Sequence[Task], *, workers: int, on_done: OnDone, run: Run = run_task) -> None:
    """Computes the tasks on processes of this machine; what a process that died left undone is tried again.

    ``run`` is called in the processes, which import it by name.

    Raises
    ------
    WorkerError : processes died in every try
    What ``run`` raises beside
    """
    for attempt in range(TRIES):
        waiting = undone(tasks)
        if not waiting:
            return
        # What kills a process is nearly always memory, so each try has half as many at once.
        at_once = max(1, min(workers >> attempt, len(waiting)))
        # Spawned, because a fork of a process with threads (DuckDB, numba) may hang.
        pool = ProcessPoolExecutor(at_once, get_context("spawn"), _live_with_parent)
        try:
            for position, _ in enumerate(pool.map(run, waiting)):
                on_done(1 - (len(waiting) - position - 1) / len(tasks))
            return
        except BrokenProcessPool:
            continue
        finally:
            pool.shutdown(cancel_futures=True)
    refuse_undone(tasks, f"worker processes died in each of {TRIES} tries, most likely for want of memory")


def _live_with_parent() -> None:
    """In a worker: leaves interrupts to the parent, and ends when the parent was killed and can tell nobody."""
    signal(SIGINT, SIG_IGN)

    def follow() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=follow, daemon=True).start()


def undone(tasks: Sequence[Task]) -> list[Task]:
    """The tasks whose part is not there; a part is there whole or not at all."""
    return [task for task in tasks if not Path(task.part).is_file()]


def refuse_undone(tasks: Sequence[Task], why: str) -> None:
    """Names the shards that are missing, if any.

    Raises
    ------
    WorkerError : some are
    """
    missing = [Path(task.shard).name for task in undone(tasks)]
    if missing:
        raise WorkerError(
            f"found {len(missing)} of {len(tasks)} shards not computed ({', '.join(missing[:3])}), needed all of them: "
            f"{why}; give more --shards or fewer --workers"
        )
