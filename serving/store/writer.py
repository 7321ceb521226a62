"""Group commit: one thread writes what waits in one transaction, and says so only once that is on the disk.

A sync to the disk takes milliseconds, a row takes microseconds. While one transaction is synced the next ones gather,
so nobody waits for company, and the more there is to write the more of it shares a sync.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from domain.errors import StoreError
from serving import metrics
from serving.logs import log, where
from serving.store.opening import writing

T = TypeVar("T")
MOST_TOGETHER = 64
MOST_WAITING = 1_024
_OF_THE_ROW = (IntegrityError, DataError)
"""What a database refuses about one row, and not about the disk, the connection or the transaction."""


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[Connection], Any]
    done: Future[Any]


class Writer:
    """The thread that writes; closing it waits for what was submitted before.

    Parameters
    ----------
    most_waiting : so many may wait, and no more; the next one is refused at once
    """

    def __init__(self, engine: Engine, *, most_waiting: int = MOST_WAITING) -> None:
        self._engine = engine
        self._waiting: queue.Queue[_Job | None] = queue.Queue(most_waiting)
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="acerto-store", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Has ``work`` done in the next transaction.

        What it returns or raises is told by the future, after the commit. Whatever it raises undoes its own writes and
        nobody else's; where the transaction fails, so does everything in it, with a ``StoreError``.

        Raises
        ------
        StoreError : as many wait as may, or the writer is closed
        """
        job = _Job(work, Future())
        with self._lock:
            if self._closed:
                raise StoreError("found the store closed, needed it open; the service is ending")
            try:
                self._waiting.put_nowait(job)
            except queue.Full:
                raise StoreError(f"found {self._waiting.maxsize} writes waiting, needed fewer; come again") from None
        return job.done

    def close(self) -> None:
        """Writes what waits, and ends."""
        with self._lock:
            if not self._closed:
                self._closed = True
                # Room for it comes as the thread takes what waits before it.
                self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            jobs, going = self._gathered()
            if jobs:
                self._commit(jobs)

    def _gathered(self) -> tuple[list[_Job], bool]:
        """The next one, with what waits beside it, and whether more may come."""
        jobs: list[_Job] = []
        try:
            while len(jobs) < MOST_TOGETHER:
                job = self._waiting.get(block=not jobs)
                if job is None:
                    return jobs, False
                if job.done.set_running_or_notify_cancel():
                    jobs.append(job)
        except queue.Empty:
            pass
        return jobs, True

    def _commit(self, jobs: list[_Job]) -> None:
        try:
            with writing(self._engine) as connection:
                answers = [_tried(connection, job) for job in jobs]
        except Exception as error:  # whatever it is, nobody may wait for ever, and the next ones may do better
            metrics.STORE_FAILURES.inc()
            log.error("store", error=where(error), lost=0, refused=len(jobs))
            for job in jobs:
                job.done.set_exception(_not_written(error))
            return
        metrics.STORE_COMMITS.inc()
        metrics.STORE_WRITES.inc(len(jobs))
        for job, (answer, refusal) in zip(jobs, answers, strict=True):
            if refusal is None:
                job.done.set_result(answer)
            else:
                job.done.set_exception(refusal)


def _tried(connection: Connection, job: _Job) -> tuple[Any, Exception | None]:
    """What a job gave, or what it raised, its writes undone."""
    try:
        with connection.begin_nested():
            return job.work(connection), None
    except DBAPIError as error:
        if not isinstance(error, _OF_THE_ROW) or error.connection_invalidated:
            raise
        return None, error
    except Exception as error:  # the job's own affair: it is told, and the others go on
        return None, error


def _not_written(error: Exception) -> StoreError:
    refusal = StoreError(
        f"nothing was written: the transaction failed ({type(error).__name__}); see that the disk has room and the "
        "database runs, and send it again"
    )
    refusal.__cause__ = error
    return refusal
