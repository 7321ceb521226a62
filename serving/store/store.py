"""The store as the service and the commands use it: what is written is a future, what is read is there at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from domain.clock import US_PER_DAY, to_us
from domain.errors import DataError, StoreError
from domain.tables import Column
from serving.access.tokens import StoredKey
from serving.store import decision_log
from serving.store.chain import Break, Head
from serving.store.config import ServiceConfig
from serving.store.days import DayChange, change_days, day_of
from serving.store.erasure import Erased, erase_debtor, expired_debtors, scrub
from serving.store.export import export_tables
from serving.store.keys import add_key, all_keys, revoke_key
from serving.store.ledger import Appended, Families, append_many, families
from serving.store.once import KeptAnswer, KeyedRequest, OnceWrite, answer_of, sweep, write_once
from serving.store.opening import open_database, reading
from serving.store.outcomes import Outcome, append_outcome, outcomes_of
from serving.store.reviews import NotOpen, Review, append_review, open_reviews, reviews_of
from serving.store.rows import StoredRow
from serving.store.writer import MOST_WAITING, Write, Writer

Told = TypeVar("Told")
Missing = Literal["unknown", "forgotten"]
"""Why there is no decision to write to: it was never there, or its debtor was erased."""


def _now() -> datetime:
    return datetime.now(UTC)


def _nothing(_: Connection, items: list[None]) -> list[None]:
    return items


def _missing(connection: Connection, decision_id: str, *, tenant: str) -> Missing | None:
    """Why nothing can be said of a decision; ``None`` where it is there."""
    kept = decision_log.decision_of(connection, decision_id, tenant=tenant)
    if kept is None:
        return "unknown"
    return "forgotten" if kept.content is None else None


class Store:
    """An open database, ``engine``, with its writer.

    Everything is said of one ``tenant``, the creditor, and nothing of another is ever seen. Futures end once what was
    written is on the disk, or with a ``StoreError`` and nothing written.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        config: ServiceConfig | None = None,
        now: Callable[[], datetime] = _now,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self.config = config or ServiceConfig()
        self.engine = engine
        self._now = now
        self._writer = Writer(engine, most_waiting=most_waiting)

    @classmethod
    def open(cls, url: str, *, config: ServiceConfig | None = None) -> Store:
        """The store at a URL, made where it is not there; raises as ``open_database``."""
        return cls(open_database(url), config=config)

    def close(self) -> None:
        """Writes what waits, and lets go of the database."""
        self._writer.close()
        self.engine.dispose()

    def submit(self, write: Write[Told]) -> Future[Told]:
        """Writes in the next transaction; raises a ``StoreError`` where too much waits already."""
        return self._writer.submit(write.work, write.item, ended=write.ended)

    def submit_once(
        self, request: KeyedRequest, write: Write[Any] | None, *, answer: Callable[[Any], bytes]
    ) -> Future[KeptAnswer]:
        """Writes and keeps the answer in one transaction, unless the request's key was answered before.

        Parameters
        ----------
        write : what the request does; ``None`` where it does nothing that is kept
        answer : the bytes to keep, of what the write told; what it raises undoes the write
        """
        asked = OnceWrite(request, write or Write(_nothing, None), answer)
        return self._writer.submit(self._once, asked, ended=asked.write.ended)

    def _once(self, connection: Connection, items: list[OnceWrite]) -> list[KeptAnswer]:
        now_us = self._now_us()
        sweep(connection, now_us=now_us)
        return [write_once(connection, item, now_us=now_us) for item in items]

    def answered(self, request: KeyedRequest) -> KeptAnswer | None:
        """What the key of a request was answered in the last day, be it to this request or to another."""
        with self._reading() as connection:
            return answer_of(connection, request, now_us=self._now_us())

    def append(self, rows: Mapping[str, Sequence[StoredRow]], *, tenant: str) -> Future[dict[str, Appended]]:
        """Adds rows by table, all of them or none; how many were new, the same, and corrections.

        The future raises a ``ConflictError`` where a row has the identity of another one and another content.
        """
        return self.submit(self.rows_write(rows, tenant=tenant))

    def rows_write(self, rows: Mapping[str, Sequence[StoredRow]], *, tenant: str) -> Write[dict[str, Appended]]:
        """What ``append`` writes."""
        return Write(self._append, (tenant, rows))

    def _append(
        self, connection: Connection, items: list[tuple[str, Mapping[str, Sequence[StoredRow]]]]
    ) -> list[dict[str, Appended]]:
        return append_many(connection, items, received_us=self._now_us())

    def families(self, account_ids: Collection[str], *, tenant: str) -> Families:
        """All that is known of the debtors of some accounts."""
        with self._reading() as connection:
            return families(connection, account_ids, tenant=tenant)

    def record(self, records: Sequence[decision_log.Record], *, tenant: str) -> Future[int]:
        """Adds decisions to the log; how many were new."""
        return self.submit(self.records_write(records, tenant=tenant))

    def records_write(
        self, records: Sequence[decision_log.Record], *, tenant: str, days: Sequence[DayChange] = ()
    ) -> Write[int]:
        """What ``record`` writes, and with it what those decisions use of their ``days``: both are kept, or neither."""
        return Write(self._record, (tenant, records, days))

    def _record(
        self, connection: Connection, items: list[tuple[str, Sequence[decision_log.Record], Sequence[DayChange]]]
    ) -> list[int]:
        new: dict[str, Iterator[bool]] = {}
        for tenant in dict.fromkeys(tenant for tenant, _, _ in items):
            records = [record for of, some, _ in items if of == tenant for record in some]
            found = decision_log.append_decisions(connection, records, tenant=tenant, now_us=self._now_us())
            new[tenant] = iter(found)
        for tenant, _, days in items:
            change_days(connection, days, tenant=tenant, now_us=self._now_us())
        return [sum(islice(new[tenant], len(records))) for tenant, records, _ in items]

    def day(self, local_day: int, *, tenant: str) -> str | None:
        """What was last told of a local day, as the changes of ``records_write`` made it."""
        with self._reading() as connection:
            return day_of(connection, local_day, tenant=tenant)

    def decision(self, decision_id: str, *, tenant: str) -> decision_log.Kept | None:
        """The latest record of a decision; ``None`` where there is none."""
        with self._reading() as connection:
            return decision_log.decision_of(connection, decision_id, tenant=tenant)

    def decisions(self, decision_ids: Sequence[str], *, tenant: str) -> dict[str, decision_log.Kept]:
        """The latest record of each decision that there is, by its id."""
        with self._reading() as connection:
            return decision_log.decisions_of(connection, decision_ids, tenant=tenant)

    def outcome(self, outcome: Outcome, *, tenant: str) -> Future[Appended | Missing]:
        """Adds what became of a decision that is kept."""
        return self.submit(self.outcome_write(outcome, tenant=tenant))

    def outcome_write(self, outcome: Outcome, *, tenant: str) -> Write[Appended | Missing]:
        """What ``outcome`` writes."""
        return Write(self._outcomes, (tenant, outcome))

    def _outcomes(self, connection: Connection, items: list[tuple[str, Outcome]]) -> list[Appended | Missing]:
        found: list[Appended | Missing] = []
        for tenant, outcome in items:
            missing = _missing(connection, outcome.decision_id, tenant=tenant)
            found.append(missing or append_outcome(connection, outcome, tenant=tenant, received_us=self._now_us()))
        return found

    def outcomes(self, decision_id: str, *, tenant: str) -> Sequence[tuple[str, int]]:
        """Status and moment (µs UTC) of what became of a decision, in the order of the moments."""
        with self._reading() as connection:
            return outcomes_of(connection, decision_id, tenant=tenant)

    def review(self, review: Review, *, tenant: str) -> Future[Appended | Missing | NotOpen]:
        """Adds that a review of a kept decision was asked for, or what came of it."""
        return self.submit(self.review_write(review, tenant=tenant))

    def review_write(self, review: Review, *, tenant: str) -> Write[Appended | Missing | NotOpen]:
        """What ``review`` writes."""
        return Write(self._reviews, (tenant, review))

    def _reviews(self, connection: Connection, items: list[tuple[str, Review]]) -> list[Appended | Missing | NotOpen]:
        found: list[Appended | Missing | NotOpen] = []
        for tenant, review in items:
            missing = _missing(connection, review.decision_id, tenant=tenant)
            found.append(missing or append_review(connection, review, tenant=tenant, received_us=self._now_us()))
        return found

    def reviews(self, decision_id: str, *, tenant: str) -> list[tuple[dict[str, Any], int]]:
        """Content and moment of the reviews of a decision, in the order in which they came."""
        with self._reading() as connection:
            return reviews_of(connection, decision_id, tenant=tenant)

    def reviews_open(self) -> int:
        """How many reviews of all tenants wait for an outcome."""
        with self._reading() as connection:
            return open_reviews(connection)

    def erase(self, debtor_id: str, *, tenant: str) -> Erased:
        """Forgets a debtor; what was deleted is off the disk of a SQLite file when this returns."""
        found = self._writer.submit(self._erase, (tenant, debtor_id)).result()
        scrub(self.engine)
        return found

    def _erase(self, connection: Connection, items: list[tuple[str, str]]) -> list[Erased]:
        return [erase_debtor(connection, debtor, tenant=tenant, now_us=self._now_us()) for tenant, debtor in items]

    def erase_expired(self, *, tenant: str, retention_days: int) -> int:
        """Forgets every debtor of whom nothing was received or decided for so many days; how many."""
        before_us = self._now_us() - retention_days * US_PER_DAY
        self._writer.submit(self._sweep, None).result()
        with self._reading() as connection:
            debtors = expired_debtors(connection, tenant=tenant, before_us=before_us)
        for debtor_id in debtors:
            self.erase(debtor_id, tenant=tenant)
        return len(debtors)

    def _sweep(self, connection: Connection, items: list[None]) -> list[int]:
        return [sweep(connection, now_us=self._now_us()) for _ in items]

    def export(
        self, out: Path, *, tenant: str, accounts: Sequence[Column], on_share: Callable[[float], None] = lambda _: None
    ) -> dict[str, int]:
        """Writes all that is kept of a tenant as canonical tables; rows by table."""
        with self._reading() as connection:
            return export_tables(connection, out, tenant=tenant, accounts=accounts, on_share=on_share)

    def keys(self) -> dict[str, StoredKey]:
        """Every key of the API by id, also those that are no longer good."""
        with self._reading() as connection:
            return all_keys(connection)

    def add_key(self, key: StoredKey) -> None:
        """Keeps a new key of the API; it is on the disk when this returns."""
        self._writer.submit(self._add_keys, key).result()

    def _add_keys(self, connection: Connection, items: list[StoredKey]) -> list[None]:
        for key in items:
            add_key(connection, key)
        return [None] * len(items)

    def revoke_key(self, key_id: str, *, at: datetime) -> bool:
        """Ends a key of the API at a moment; whether there is one of that id."""
        return self._writer.submit(self._revoke_keys, (key_id, at)).result()

    def _revoke_keys(self, connection: Connection, items: list[tuple[str, datetime]]) -> list[bool]:
        return [revoke_key(connection, key_id, at=at) for key_id, at in items]

    def tenants(self) -> list[str]:
        """Tenants of whom the decision log holds anything."""
        with self._reading() as connection:
            return decision_log.tenants_of(connection)

    def verify(self, *, tenant: str) -> tuple[Head, list[Break]]:
        """The head of the tenant's chain, and every place at which it does not hold."""
        with self._reading() as connection:
            return decision_log.head_of(connection, tenant), list(decision_log.breaks_of(connection, tenant))

    def has_entry(self, digest: str, *, tenant: str) -> bool:
        """Whether the tenant's chain has an entry of this digest, in hexadecimal: one that was its head once."""
        try:
            told = bytes.fromhex(digest)
        except ValueError as error:
            raise DataError("found a digest that is not hexadecimal, needed one that `verify-log` told") from error
        with self._reading() as connection:
            return decision_log.has_entry(connection, told, tenant=tenant)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with reading(self.engine) as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreError(
                f"the store cannot be read ({type(error).__name__}); see that its database runs, and ask again"
            ) from error

    def _now_us(self) -> int:
        return to_us(self._now())
