"""Forgetting a debtor: everything that says who it was goes, and an entry of the chain says that something went."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, Engine, Table, and_, delete, func, or_, select

from serving.store.decision_log import append_erasure
from serving.store.ledger import accounts_of, chunks, debtors_of
from serving.store.once import forget_answers
from serving.store.schema import DECISION_LOG, DECISION_PAYLOADS, LEDGER_ROWS, OUTCOMES, REVIEWS


class Erased(NamedTuple):
    """How much was deleted."""

    ledger_rows: int
    decisions: int
    outcomes: int
    reviews: int


def erase_debtor(connection: Connection, debtor_id: str, *, tenant: str, now_us: int) -> Erased:
    """Deletes the rows of a debtor's accounts, what was decided on them, and what became of that."""
    accounts = accounts_of(connection, debtor_id, tenant=tenant)
    # Who was only ever named in requests has no rows: the log alone knows the accounts.
    decided = _decided(connection, debtor_id, accounts, tenant=tenant)
    named = {debtor_id, *accounts, *_accounts_decided(connection, decided, tenant=tenant)}
    rows = _delete(connection, LEDGER_ROWS, "account_id", accounts, tenant=tenant)
    ids = _decision_ids(connection, decided, tenant=tenant)
    after = [_delete(connection, table, "decision_id", ids, tenant=tenant) for table in (OUTCOMES, REVIEWS)]
    forget_answers(connection, tenant=tenant, accounts=named, decisions=ids)
    append_erasure(connection, decided, tenant=tenant, now_us=now_us)
    return Erased(rows, len(decided), *after)


def expired_debtors(connection: Connection, *, tenant: str, before_us: int) -> list[str]:
    """Debtors of whom nothing was received or decided since a moment."""
    rows, log, payloads = LEDGER_ROWS.c, DECISION_LOG.c, DECISION_PAYLOADS.c
    received = select(rows.account_id, func.max(rows.received_at)).where(rows.tenant == tenant)
    both = and_(log.tenant == payloads.tenant, log.sequence == payloads.sequence)
    decided = select(payloads.debtor_id, func.max(log.recorded_at)).join_from(DECISION_PAYLOADS, DECISION_LOG, both)
    decided = decided.where(payloads.tenant == tenant, payloads.debtor_id.is_not(None))
    accounts = dict(connection.execute(received.group_by(rows.account_id)).all())
    owners = debtors_of(connection, accounts, tenant=tenant)
    latest = dict(connection.execute(decided.group_by(payloads.debtor_id)).all())
    for account_id, moment in accounts.items():
        debtor = owners.get(account_id, account_id)
        latest[debtor] = max(moment, latest.get(debtor, moment))
    return sorted(debtor for debtor, moment in latest.items() if moment < before_us)


def scrub(engine: Engine) -> None:
    """Takes what was deleted off the disk of a SQLite file, whose log would keep it for a while.

    Deleted bytes are overwritten as they are deleted (``secure_delete``). PostgreSQL does the same in its own time,
    when it vacuums.
    """
    if engine.dialect.name == "sqlite":
        raw = engine.raw_connection()
        try:
            raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        finally:
            raw.close()


def _decided(connection: Connection, debtor_id: str, accounts: list[str], *, tenant: str) -> list[int]:
    payloads, found = DECISION_PAYLOADS.c, set[int]()
    for some in [*chunks(accounts)] or [[]]:
        whose = or_(payloads.debtor_id == debtor_id, payloads.account_id.in_(some))
        asked = select(payloads.sequence).where(payloads.tenant == tenant, whose)
        found.update(connection.execute(asked).scalars())
    return sorted(found)


def _accounts_decided(connection: Connection, sequences: list[int], *, tenant: str) -> set[str]:
    payloads, found = DECISION_PAYLOADS.c, set[str]()
    for some in chunks(sequences):
        asked = select(payloads.account_id).where(payloads.tenant == tenant, payloads.sequence.in_(some))
        found.update(connection.execute(asked.where(payloads.account_id.is_not(None))).scalars())
    return found


def _decision_ids(connection: Connection, sequences: list[int], *, tenant: str) -> list[str]:
    log, found = DECISION_LOG.c, set[str]()
    for some in chunks(sequences):
        asked = select(log.decision_id).where(log.tenant == tenant, log.sequence.in_(some))
        found.update(connection.execute(asked).scalars())
    return sorted(found)


def _delete(connection: Connection, table: Table, column: str, values: list[str], *, tenant: str) -> int:
    deleted = 0
    for some in chunks(values):
        gone = delete(table).where(table.c.tenant == tenant, table.c[column].in_(some))
        deleted += connection.execute(gone).rowcount
    return deleted
