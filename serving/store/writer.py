"""Group commit: one thread writes what waits in one transaction, and says so only once that is on the disk.

A sync to the disk takes milliseconds, a row takes microseconds. While one transaction is synced the next ones gather,
so nobody waits for company, and the more there is to write the more of it shares a sync.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from domain.errors import StoreError
from serving import metrics
from serving.logs import log, request_id, where
from serving.store.opening import writing

Item = TypeVar("Item")
Told = TypeVar("Told")
Work = Callable[[Connection, list[Item]], list[Told]]
"""Writes several items and says what came of each, in their order."""
MOST_TOGETHER = 64
MOST_WAITING = 1_024
_OF_THE_ROW = (IntegrityError, DataError)
"""What a database refuses about one row, and not about the disk, the connection or the transaction."""


@dataclass(frozen=True)
class Write(Generic[Told]):
    """Something to be written: the item, and the work that writes such items and says ``Told`` of each.

    ``ended`` is given the future once it has ended: what was written is told, in the order in which it was written.
    """

    work: Work[Any, Told]
    item: Any
    ended: Callable[[Future[Any]], None] | None = None


@dataclass(frozen=True, slots=True)
class _Job:
    work: Work[Any, Any]
    item: Any
    done: Future[Any]
    request_id: str | None


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

    def submit(
        self, work: Work[Item, Told], item: Item, *, ended: Callable[[Future[Any]], None] | None = None
    ) -> Future[Told]:
        """Has ``work`` write an item in the next transaction, together with others that wait for the same work.

        What it says or raises is told by the future, after the commit. An item that cannot be written undoes its own
        writes and nobody else's; where the transaction fails, so does everything in it, with a ``StoreError``.
        ``ended`` is given the future once that has ended, or is cancelled because this raises.

        Raises
        ------
        StoreError : as many wait as may, or the writer is closed
        """
        job = _Job(work, item, Future(), request_id())
        if ended is not None:
            job.done.add_done_callback(ended)
        try:
            with self._lock:
                self._put(job)
        except StoreError:
            job.done.cancel()
            raise
        return job.done

    def _put(self, job: _Job) -> None:
        if self._closed:
            raise StoreError("found the store closed, needed it open; the service is ending")
        try:
            self._waiting.put_nowait(job)
        except queue.Full:
            metrics.SHED.labels("store").inc()
            raise StoreError(f"found {self._waiting.maxsize} writes waiting, needed fewer; come again") from None

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
                answers = _written(connection, jobs)
        except Exception as error:  # whatever it is, nobody may wait for ever, and the next ones may do better
            metrics.STORE_FAILURES.inc()
            requests = [job.request_id for job in jobs if job.request_id]
            log.error("store", error=where(error), lost=0, refused=len(jobs), requests=requests)
            for job in jobs:
                job.done.set_exception(_not_written(error))
            return
        metrics.STORE_COMMITS.inc()
        metrics.STORE_WRITES.inc(len(jobs))
        for job, answer in answers:
            if isinstance(answer, _Refusal):
                job.done.set_exception(answer.error)
            else:
                job.done.set_result(answer)


@dataclass(frozen=True, slots=True)
class _Refusal:
    error: Exception


def _written(connection: Connection, jobs: list[_Job]) -> list[tuple[_Job, Any]]:
    """Every job with what came of it; those of the same work at once, as statements cost more than rows."""
    works: dict[Work[Any, Any], list[_Job]] = {}
    for job in jobs:
        works.setdefault(job.work, []).append(job)
    found: list[tuple[_Job, Any]] = []
    for work, same in works.items():
        answers = _tried(connection, work, [job.item for job in same])
        if isinstance(answers, _Refusal) and len(same) > 1:
            # One of them is not as it should be: each for itself, then, and that one alone is told.
            found += _one_by_one(connection, work, same)
        else:
            found += zip(same, [answers] if isinstance(answers, _Refusal) else answers, strict=True)
    return found


def _one_by_one(connection: Connection, work: Work[Any, Any], jobs: list[_Job]) -> Iterator[tuple[_Job, Any]]:
    for job in jobs:
        answers = _tried(connection, work, [job.item])
        yield job, answers if isinstance(answers, _Refusal) else answers[0]


def _tried(connection: Connection, work: Work[Any, Any], items: list[Any]) -> list[Any] | _Refusal:
    """What came of some items, or why they were not written, all their writes undone."""
    try:
        with connection.begin_nested():
            return work(connection, items)
    except DBAPIError as error:
        if not isinstance(error, _OF_THE_ROW) or error.connection_invalidated:
            raise
        return _Refusal(error)
    except Exception as error:  # the items' own affair: it is told, and the others go on
        return _Refusal(error)


def _not_written(error: Exception) -> StoreError:
    refusal = StoreError(
        f"nothing was written: the transaction failed ({type(error).__name__}); see that the disk has room and the "
        "database runs, and send it again"
    )
    refusal.__cause__ = error
    return refusal
