"""Compiled steps from sheets to the debts and entries of a balance: which debt a row names, and what settles."""

from __future__ import annotations

import numpy as np

from domain.balance_entries import ENTRY_OF_DEBT_EVENT, PAYMENT, SETTLE, Int64s
from domain.clock import FOREVER, MISSING
from domain.compiled import compiled
from domain.ordering import row_order, tied_rows
from domain.sheets import (
    ACCOUNT,
    AMOUNT,
    DAY,
    DEBT,
    DISCOUNT,
    DUE_DAY,
    ID,
    KIND,
    NONE,
    OCCURRED,
    OUTCOME,
    PROMISE,
    RECORDED,
    RESOLVED,
    UNTIL,
    Sheet,
    chains,
)
from domain.tables import DEBT_EVENT_KINDS, PROMISE_OUTCOMES

E_ACCOUNT, E_KIND, E_DEBT, E_AMOUNT, E_OCCURRED, E_FROM, E_UNTIL, E_DAY, E_PROMISE, E_SETTLES, E_TABLE, E_ROW = range(
    12
)
"""Fields of entries while they are made: those of ``Entries``, what their order needs, and the row each comes from."""
FROM_DEBT_EVENTS, FROM_PAYMENTS, FROM_PROMISES = 0, 1, 2
_ENTRY_KIND = np.array([ENTRY_OF_DEBT_EVENT.get(kind, -1) for kind in DEBT_EVENT_KINDS], dtype=np.int64)
_DISCOUNT_KIND = DEBT_EVENT_KINDS.index("discount")
_KEPT = PROMISE_OUTCOMES.index("kept")


@compiled
def countable_debts(debts: Sheet) -> Int64s:
    """Rows of debts that can ever be visible and be counted."""
    known = (debts[ACCOUNT] >= 0) & (debts[RECORDED] < debts[UNTIL])
    return np.flatnonzero(known & (debts[AMOUNT] != MISSING) & (debts[DUE_DAY] != MISSING))


@compiled
def debt_order(debts: Sheet) -> tuple[Int64s, Int64s]:
    """Countable debts by account, due day and issue, and those among them that tie."""
    kept = countable_debts(debts)
    keys = np.empty((3, len(kept)), dtype=np.int64)
    for place in range(len(kept)):
        row = kept[place]
        keys[0, place], keys[1, place], keys[2, place] = debts[ACCOUNT, row], debts[DUE_DAY, row], debts[OCCURRED, row]
    order = row_order(keys)
    return kept[order], kept[tied_rows(keys, order)]


@compiled
def entry_order(entries: Sheet) -> tuple[Int64s, Int64s]:
    """Entries by account, moment, settlements last and recording, and those among them that tie."""
    keys = np.empty((4, entries.shape[1]), dtype=np.int64)
    keys[0], keys[1] = entries[E_ACCOUNT], entries[E_OCCURRED]
    keys[2], keys[3] = entries[E_SETTLES], entries[E_FROM]
    order = row_order(keys)
    return order, tied_rows(keys, order)


@compiled
def first_versions(debts: Sheet, n_codes: int) -> Int64s:
    """For each row of sorted debts, the row of the earliest version of the same debt on the same account."""
    start, following = chains(debts[ID], n_codes)
    first = np.empty(debts.shape[1], dtype=np.int64)
    for row in range(debts.shape[1]):
        best, other = row, start[debts[ID, row]]
        while other >= 0:
            if debts[ACCOUNT, other] == debts[ACCOUNT, row] and (
                debts[RECORDED, other] < debts[RECORDED, best]
                or (debts[RECORDED, other] == debts[RECORDED, best] and other < best)
            ):
                best = other
            other = following[other]
        first[row] = best
    return first


@compiled
def _find(debts: Sheet, links: tuple[Int64s, Int64s, Int64s], code: int, account: int) -> int:
    """``first`` of the debt that a row of an account names; -1 where it names none of that account."""
    start, following, first = links
    row = start[code] if 0 <= code < len(start) else -1
    while row >= 0:
        if debts[ACCOUNT, row] == account:
            return int(first[row])
        row = following[row]
    return -1


@compiled
def moves(sheet: Sheet, debts: Sheet, links: tuple[Int64s, Int64s, Int64s], table: int, out: Sheet) -> int:
    """Payments, or the debt events that move anything, as entries in ``out``; returns how many."""
    count = 0
    for row in range(sheet.shape[1]):
        kind, amount = PAYMENT, sheet[AMOUNT, row]
        if table == FROM_DEBT_EVENTS:
            kind = _ENTRY_KIND[sheet[KIND, row]] if sheet[KIND, row] >= 0 else -1
            amount = 0 if amount == MISSING else amount
        if kind < 0 or amount == MISSING or sheet[OCCURRED, row] == MISSING or sheet[ACCOUNT, row] < 0:
            continue
        if sheet[RECORDED, row] >= sheet[UNTIL, row]:
            continue
        account = sheet[ACCOUNT, row]
        out[E_ACCOUNT, count], out[E_KIND, count], out[E_AMOUNT, count] = account, kind, amount
        out[E_DEBT, count] = _find(debts, links, sheet[DEBT, row], account)
        out[E_OCCURRED, count], out[E_DAY, count] = sheet[OCCURRED, row], sheet[DAY, row]
        out[E_FROM, count], out[E_UNTIL, count] = sheet[RECORDED, row], sheet[UNTIL, row]
        out[E_PROMISE, count], out[E_SETTLES, count] = max(sheet[PROMISE, row], -1), 0
        out[E_TABLE, count], out[E_ROW, count] = table, row
        count += 1
    return count


@compiled
def discount_known(promises: Sheet, debt_events: Sheet, n_codes: int) -> Int64s:
    """For each promise, when a discount event of it was first known; ``FOREVER`` where none ever was."""
    start, following = chains(debt_events[PROMISE], n_codes)
    until = np.full(promises.shape[1], FOREVER, dtype=np.int64)
    for row in range(promises.shape[1]):
        event = start[promises[ID, row]] if promises[ID, row] >= 0 else -1
        while event >= 0:
            same = debt_events[ACCOUNT, event] == promises[ACCOUNT, row] and debt_events[ACCOUNT, event] >= 0
            if same and debt_events[KIND, event] == _DISCOUNT_KIND:
                until[row] = min(until[row], max(debt_events[RECORDED, event], debt_events[OCCURRED, event]))
            event = following[event]
    return until


@compiled
def _settles(promises: Sheet, row: int, known_until: Int64s) -> bool:
    """Whether a promise closes its debts by itself: kept, at a discount, and known before a discount event is."""
    kept = promises[OUTCOME, row] == _KEPT and promises[DISCOUNT, row] > 0
    if not kept or promises[RESOLVED, row] == MISSING or promises[ACCOUNT, row] < 0:
        return False
    known_from = max(promises[RECORDED, row], promises[RESOLVED, row])
    return bool(known_from < min(promises[UNTIL, row], known_until[row]))


@compiled
def _settle(promises: Sheet, row: int, known_until: Int64s, debt: int, out: Sheet, place: int) -> None:
    out[E_ACCOUNT, place], out[E_KIND, place], out[E_DEBT, place] = promises[ACCOUNT, row], SETTLE, debt
    out[E_AMOUNT, place], out[E_OCCURRED, place] = 0, promises[RESOLVED, row]
    out[E_FROM, place] = max(promises[RECORDED, row], promises[RESOLVED, row])
    out[E_UNTIL, place] = min(promises[UNTIL, row], known_until[row])
    out[E_DAY, place] = MISSING  # closing accrues nothing, so it needs no day
    out[E_PROMISE, place], out[E_SETTLES, place] = promises[ID, row], 1
    out[E_TABLE, place], out[E_ROW, place] = FROM_PROMISES, row


@compiled
def settlements(
    promises: Sheet, debts: Sheet, links: tuple[Int64s, Int64s, Int64s], bounds: Int64s, known_until: Int64s, out: Sheet
) -> int:
    """Kept promises with a discount close the debt they name, else all that were known when they were made.

    Returns how many entries there are; only as many are written as ``out`` has room for.
    """
    count, room = 0, out.shape[1]
    for row in range(promises.shape[1]):
        if not _settles(promises, row, known_until):
            continue
        account, made = promises[ACCOUNT, row], promises[OCCURRED, row]
        if promises[DEBT, row] != NONE:
            debt = _find(debts, links, promises[DEBT, row], account)
            if debt >= 0:
                if count < room:
                    _settle(promises, row, known_until, debt, out, count)
                count += 1
            continue
        for debt in range(bounds[account], bounds[account + 1]):
            if debts[RECORDED, debt] < made <= debts[UNTIL, debt] and debts[OCCURRED, debt] < made:
                if count < room:
                    _settle(promises, row, known_until, links[2][debt], out, count)
                count += 1
    return count


@compiled
def entries_of(
    sheets: tuple[Sheet, Sheet, Sheet], debts: Sheet, links: tuple[Int64s, Int64s, Int64s], bounds: Int64s, n_codes: int
) -> Sheet:
    """All entries, unsorted; ``sheets`` are debt events, payments and promises, ``n_codes`` how many promise ids."""
    debt_events, payments, promises = sheets
    until = discount_known(promises, debt_events, n_codes)
    settled = np.empty((12, 0), dtype=np.int64)
    extra = settlements(promises, debts, links, bounds, until, settled)
    settled = np.empty((12, extra), dtype=np.int64)
    settlements(promises, debts, links, bounds, until, settled)
    paid = np.empty((12, payments.shape[1]), dtype=np.int64)
    moved = np.empty((12, debt_events.shape[1]), dtype=np.int64)
    n_paid = moves(payments, debts, links, FROM_PAYMENTS, paid)
    n_moved = moves(debt_events, debts, links, FROM_DEBT_EVENTS, moved)
    whole = np.empty((12, n_paid + n_moved + extra), dtype=np.int64)
    whole[:, :n_paid] = paid[:, :n_paid]
    whole[:, n_paid : n_paid + n_moved] = moved[:, :n_moved]
    whole[:, n_paid + n_moved :] = settled
    return whole


@compiled
def bounds_of(account: Int64s, n_accounts: int) -> Int64s:
    """Bounds of each account's run in a column sorted by account: (n_accounts + 1,)."""
    bounds = np.zeros(n_accounts + 1, dtype=np.int64)
    for row in range(len(account)):
        bounds[account[row] + 1] += 1
    for place in range(n_accounts):
        bounds[place + 1] += bounds[place]
    return bounds


@compiled
def debts_linked(debts: Sheet, n_codes: int, n_accounts: int) -> tuple[Int64s, Int64s, Int64s, Int64s]:
    """Of sorted debts: chains by id, the first version of each, and the bounds of each account."""
    start, following = chains(debts[ID], n_codes)
    return start, following, first_versions(debts, n_codes), bounds_of(debts[ACCOUNT], n_accounts)
