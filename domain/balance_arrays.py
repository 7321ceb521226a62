"""From sheets to the debts and entries that a balance is computed from, whatever the order of their rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from domain.balance_entries import Debts, Entries, Int64s
from domain.clock import MISSING
from domain.ledger_scan import (
    E_ACCOUNT,
    E_AMOUNT,
    E_DAY,
    E_DEBT,
    E_FROM,
    E_KIND,
    E_OCCURRED,
    E_PROMISE,
    E_ROW,
    E_SETTLES,
    E_TABLE,
    E_UNTIL,
    bounds_of,
    countable_debts,
    debt_order,
    debts_linked,
    entries_of,
    entry_order,
)
from domain.ordering import order_by_id, row_order
from domain.sheets import (
    ACCOUNT,
    AMOUNT,
    DAY,
    DUE_DAY,
    INTEREST_BP,
    OCCURRED,
    PENALTY_BP,
    RECORDED,
    UNTIL,
    Sheet,
)
from domain.tables import Tables

_IDS = (("debt_events", "event_id"), ("payments", "payment_id"), ("promises", "promise_id"))
_DEBT_KEYS = np.array([ACCOUNT, DUE_DAY, OCCURRED])
_ISSUE_KEYS = np.array([ACCOUNT, OCCURRED])
_ENTRY_KEYS = np.array([E_ACCOUNT, E_OCCURRED, E_SETTLES, E_FROM])


class LedgerSheets(NamedTuple):
    """The tables that move a balance, completed; an absent one has no rows."""

    debts: Sheet
    debt_events: Sheet
    payments: Sheet
    promises: Sheet


def ledger_arrays(
    tables: Tables, sheets: LedgerSheets, *, n_accounts: int
) -> tuple[Debts, Entries, Int64s, Int64s, Int64s]:
    """Debts and entries of all accounts, sorted, with the bounds of each account's rows.

    Parameters
    ----------
    tables : where ids are looked up, which decide among rows of one moment

    Returns
    -------
    debts, entries
    debt_bounds, entry_bounds : (n_accounts + 1,), account ``a`` has the rows ``bounds[a]:bounds[a + 1]``
    source : (len(debts.account),), the row of the debts table behind each debt

    Notes
    -----
    Left out is what can never be visible (replaced at once by a version recorded at the same time) and what cannot be
    counted: a debt without amount or due day, a payment or debt event without moment, a payment without amount, and
    rows of unknown accounts.
    """
    source = _debt_order(tables, sheets.debts)
    debts = sheets.debts.take(source, axis=1)
    start, following, first, bounds = debts_linked(debts, len(tables.text("debts", "debt_id").values), n_accounts)
    promised = len(tables.text("promises", "promise_id").values) if tables.has("promises") else 0
    loose = entries_of(sheets[1:], debts, (start, following, first), bounds, promised)
    entries = loose.take(_entry_order(tables, loose), axis=1)
    return _as_debts(debts, first), _as_entries(entries), bounds, bounds_of(entries[E_ACCOUNT], n_accounts), source


def _debt_order(tables: Tables, debts: Sheet) -> Int64s:
    """Rows of countable debts by account, due day, issue, id and recording."""
    order, tied = debt_order(debts)
    if not len(tied):
        return order
    kept = countable_debts(debts)
    ids = tables.text("debts", "debt_id")
    keys = debts[_DEBT_KEYS].take(kept, axis=1)
    last = debts[RECORDED : RECORDED + 1].take(kept, axis=1)
    order = order_by_id(keys, lambda rows: ids.take(kept[rows]).decode(), last=last)
    return kept[order]


def _as_debts(sheet: Sheet, first: Int64s) -> Debts:
    return Debts(
        account=sheet[ACCOUNT].astype(np.int32),
        amount=sheet[AMOUNT],
        due_day=sheet[DUE_DAY],
        occurred_us=sheet[OCCURRED],
        known_from=sheet[RECORDED],
        known_until=sheet[UNTIL],
        issued_day=np.where(sheet[OCCURRED] == MISSING, MISSING, sheet[DAY]),
        penalty_bp=sheet[PENALTY_BP],
        interest_bp=sheet[INTEREST_BP],
        first=first,
        issue_order=row_order(sheet[_ISSUE_KEYS]),
    )


def _entry_order(tables: Tables, entries: Sheet) -> Int64s:
    """Rows of entries by account, moment, settlements last, recording, id."""
    order, tied = entry_order(entries)
    if not len(tied):
        return order

    def ids_of(tied: Int64s) -> list[str | None]:
        table, row = entries[E_TABLE, tied], entries[E_ROW, tied]
        found = np.empty(len(tied), dtype=object)
        for one in {*table.tolist()}:
            own = table == one
            found[own] = tables.text(*_IDS[one]).take(row[own]).decode()
        ids: list[str | None] = found.tolist()
        return ids

    return order_by_id(entries[_ENTRY_KEYS], ids_of, last=entries[E_DEBT : E_DEBT + 1])


def _as_entries(sheet: Sheet) -> Entries:
    return Entries(
        account=sheet[E_ACCOUNT].astype(np.int32),
        kind=sheet[E_KIND].astype(np.int8),
        debt=sheet[E_DEBT],
        amount=sheet[E_AMOUNT],
        occurred_us=sheet[E_OCCURRED],
        known_from=sheet[E_FROM],
        known_until=sheet[E_UNTIL],
        day=sheet[E_DAY],
        promise=sheet[E_PROMISE],
    )
