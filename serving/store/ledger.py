"""Ledger rows in the store: added by identity, never changed, and read back for whole debtors."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple, TypeVar, get_args

from sqlalchemy import Connection, func, insert, select

from domain.errors import ConflictError
from serving.store.rows import StoredRow
from serving.store.schema import GIVEN_TABLES, LEDGER_ROWS

T = TypeVar("T")
_AT_ONCE = 500
_ALWAYS_KNOWN = -(2**63)


Fate = Literal["new", "same", "corrected"]
"""What became of a row: it is new, was there already, or is a further version of a known id."""


class Appended(NamedTuple):
    """How many rows were new, the same as stored ones, and corrections."""

    new: int = 0
    same: int = 0
    corrected: int = 0

    @classmethod
    def of(cls, fates: Sequence[Fate]) -> Appended:
        """The count of each fate."""
        return cls(*(fates.count(fate) for fate in get_args(Fate)))

    def plus(self, other: Appended) -> Appended:
        """Both together."""
        return Appended(*(one + two for one, two in zip(self, other, strict=True)))


@dataclass(frozen=True)
class Families:
    """Debtors as the store knows them: the rows by table of all their accounts, in the order in which they came.

    ``debtor`` is that of each account, ``given`` the tables that the tenant has given, be they empty, and ``through``
    the number of the latest row there was: with it the same rows can be found again.
    """

    rows: Mapping[str, list[dict[str, Any]]]
    debtor: Mapping[str, str]
    given: frozenset[str]
    through: int


def append_rows(
    connection: Connection, table: str, rows: Sequence[StoredRow], *, tenant: str, received_us: int
) -> list[Fate]:
    """Adds the rows of a table that are not there yet, and says what became of each; by no row the table is given, too.

    Raises
    ------
    ConflictError : a row has id and ``recorded_at`` of another one, which is stored or among the rows, and another
        content; ``place`` says which
    """
    _give(connection, table, tenant=tenant, received_us=received_us)
    known = dict(_stored(connection, [row.identity for row in rows], tenant=tenant))
    new: dict[int, StoredRow] = {}
    for place, row in enumerate(rows):
        earlier = known.get(row.identity)
        if earlier is None:
            known[row.identity] = row.content
            new[place] = row
        elif earlier != row.content:
            raise ConflictError(
                f"{table}: found a row with the id and recorded_at of another one and another content, needed a later "
                "recorded_at, which makes it a correction",
                place=place,
            )
    versions = _versions(connection, table, [row.row_id for row in new.values()], tenant=tenant)
    if new:
        connection.execute(insert(LEDGER_ROWS), [_as_stored(row, tenant, received_us) for row in new.values()])
    fates: list[Fate] = ["same"] * len(rows)
    for place, row in new.items():
        fates[place] = "corrected" if row.row_id in versions else "new"
        versions.add(row.row_id)
    return fates


def append_many(
    connection: Connection, items: Sequence[tuple[str, Mapping[str, Sequence[StoredRow]]]], *, received_us: int
) -> list[dict[str, Appended]]:
    """Adds the rows of several writes, each of a tenant and by table; what came of each. Raises as ``append_rows``."""
    found: list[dict[str, Appended]] = [{} for _ in items]
    for tenant, table in dict.fromkeys((tenant, table) for tenant, rows in items for table in rows):
        parts = [(place, rows[table]) for place, (of, rows) in enumerate(items) if of == tenant and table in rows]
        together = [row for _, some in parts for row in some]
        fates = iter(append_rows(connection, table, together, tenant=tenant, received_us=received_us))
        for place, some in parts:
            found[place][table] = Appended.of(list(islice(fates, len(some))))
    return found


def _as_stored(row: StoredRow, tenant: str, received_us: int) -> dict[str, Any]:
    return {
        "tenant": tenant, "table_name": row.table, "identity": row.identity, "row_id": row.row_id,
        "account_id": row.account_id, "debtor_id": row.debtor_id, "content": row.content, "received_at": received_us,
    }  # fmt: skip


def _give(connection: Connection, table: str, *, tenant: str, received_us: int) -> None:
    if table not in given_tables(connection, tenant=tenant):
        row = {"tenant": tenant, "table_name": table, "received_at": received_us}
        connection.execute(insert(GIVEN_TABLES), row)


def given_tables(connection: Connection, *, tenant: str) -> frozenset[str]:
    """The tables that a tenant has given, be they empty."""
    asked = select(GIVEN_TABLES.c.table_name).where(GIVEN_TABLES.c.tenant == tenant)
    return frozenset(connection.execute(asked).scalars())


def _stored(connection: Connection, identities: Sequence[bytes], *, tenant: str) -> Iterator[tuple[bytes, str]]:
    rows = LEDGER_ROWS.c
    for some in chunks(identities):
        asked = select(rows.identity, rows.content).where(rows.tenant == tenant, rows.identity.in_(some))
        for identity, content in connection.execute(asked):
            yield bytes(identity), content


def _versions(connection: Connection, table: str, row_ids: Sequence[str], *, tenant: str) -> set[str]:
    rows, found = LEDGER_ROWS.c, set[str]()
    for some in chunks(row_ids):
        asked = select(rows.row_id).where(rows.tenant == tenant, rows.table_name == table, rows.row_id.in_(some))
        found.update(connection.execute(asked).scalars())
    return found


def families(connection: Connection, account_ids: Collection[str], *, tenant: str) -> Families:
    """All accounts of the debtors of some accounts; an account of which no row of ``accounts`` is known is left out.

    An account's debtor is the one of its first version, as everywhere (``features/encoding.py``).
    """
    wanted = set(debtors_of(connection, account_ids, tenant=tenant).values())
    named = debtors_of(connection, _accounts_naming(connection, wanted, tenant=tenant), tenant=tenant)
    debtor = {account: owner for account, owner in named.items() if owner in wanted}
    rows, found = LEDGER_ROWS.c, dict[str, list[dict[str, Any]]]()
    for some in chunks(sorted(debtor)):
        asked = select(rows.table_name, rows.content).where(rows.tenant == tenant, rows.account_id.in_(some))
        for table, content in connection.execute(asked.order_by(rows.sequence)):
            found.setdefault(table, []).append(json.loads(content))
    through = connection.execute(select(func.max(rows.sequence))).scalar() or 0
    return Families(found, debtor, given_tables(connection, tenant=tenant), through)


def accounts_of(connection: Connection, debtor_id: str, *, tenant: str) -> list[str]:
    """The accounts of one debtor; one of which no row of ``accounts`` is known is its own debtor's."""
    naming = _accounts_naming(connection, {debtor_id}, tenant=tenant)
    named = debtors_of(connection, naming | {debtor_id}, tenant=tenant)
    return sorted(account for account in naming | {debtor_id} if named.get(account, account) == debtor_id)


def _accounts_naming(connection: Connection, debtors: Collection[str], *, tenant: str) -> set[str]:
    """Accounts of which any version names one of the debtors."""
    rows, found = LEDGER_ROWS.c, set[str]()
    for some in chunks(sorted(debtors)):
        asked = select(rows.account_id).where(rows.tenant == tenant, rows.debtor_id.in_(some))
        found.update(connection.execute(asked).scalars())
    return found


def debtors_of(connection: Connection, account_ids: Collection[str], *, tenant: str) -> dict[str, str]:
    """The debtor of each known account: the one that its first version names."""
    rows, first = LEDGER_ROWS.c, dict[str, tuple[int, str]]()
    for some in chunks(sorted(account_ids)):
        asked = select(rows.account_id, rows.debtor_id, rows.content).where(
            rows.tenant == tenant, rows.account_id.in_(some), rows.debtor_id.is_not(None)
        )
        for account, debtor, content in connection.execute(asked.order_by(rows.sequence)):
            version = json.loads(content).get("recorded_at", _ALWAYS_KNOWN), debtor
            if account not in first or version[0] < first[account][0]:
                first[account] = version
    return {account: debtor for account, (_, debtor) in first.items()}


def chunks(values: Iterable[T], size: int = _AT_ONCE) -> Iterator[list[T]]:
    """Values in lists, by default short enough to be parameters of one statement."""
    waiting = iter(values)
    while some := list(islice(waiting, size)):
        yield some
