"""Accounts given by their id alone: their rows, and those of their debtors' other accounts, come from the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from domain.tables import TABLES, Column, Tables
from serving.ledgers import ALWAYS, Batch
from serving.problems import Fault, Problem
from serving.schemas import LEDGER_TABLES, Ledger
from serving.store.rows import table_of

if TYPE_CHECKING:
    from serving.store import Families, Store


def known_batch(
    ledgers: Sequence[Ledger],
    columns: tuple[Column, ...],
    *,
    store: Store | None,
    tenant: str,
    place_of: Callable[[int], str] = "/accounts/{}".format,
) -> Batch | None:
    """The accounts of a request that bring nothing but their id; ``None`` where there are none.

    ``place_of`` is the JSON pointer of what named an account, by its position.

    Everything that is stored is in the batch, whenever it was recorded: what was known at a moment is for the engine to
    tell, as it does for a data directory.

    Raises
    ------
    Problem : 404 for an account that is not known, by its place
    """
    positions = tuple(position for position, ledger in enumerate(ledgers) if ledger.by_id)
    if not positions:
        return None
    account_ids = tuple(ledgers[position].account_id for position in positions)
    if store is None:
        detail = "this service has no store of accounts: give the ledger, with its debts, in the request"
        raise _unknown(place_of(positions[0]), detail)
    found = store.families(account_ids, tenant=tenant)
    for position, account_id in zip(positions, account_ids, strict=True):
        if account_id not in found.debtor:
            detail = "no row of accounts is stored for it: send its rows to /v1/events, or its ledger in the request"
            raise _unknown(place_of(position), detail)
    given = found.given & set(LEDGER_TABLES)
    return Batch(
        tables=_tables(found, given | ALWAYS, columns),
        positions=positions,
        account_ids=account_ids,
        whole_debtors=True,
        assumed=tuple(sorted(ALWAYS - given)),
        given=(given | {"accounts"},) * len(positions),
        debtor_ids=tuple(found.debtor[account_id] for account_id in account_ids),
        through=found.through,
    )


def _unknown(pointer: str, detail: str) -> Problem:
    return Problem(404, "an account is not known here", (Fault(pointer, detail),))


def _tables(found: Families, given: frozenset[str], columns: tuple[Column, ...]) -> Tables:
    accounts = [row for row in found.rows["accounts"] if row["account_id"] in found.debtor]
    data = {"accounts": table_of("accounts", accounts, columns)}
    return Tables(
        data | {table: table_of(table, found.rows.get(table, ()), TABLES[table].columns) for table in sorted(given)}
    )
