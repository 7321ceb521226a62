"""The numpy twin of ``domain.balance_arrays``: the same debts and entries by sorts and joins of whole columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.balance_entries import ENTRY_OF_DEBT_EVENT, PAYMENT, SETTLE, Debts, Entries, Int32s, Int64s
from domain.clock import FOREVER, MISSING
from domain.coded import Coded
from domain.tables import Tables

_ID_COLUMNS = {"debt_events": "event_id", "payments": "payment_id"}


@dataclass(frozen=True, slots=True)
class _Source:
    """The tables with what is known of each of their rows (by table: account, local day, end of the version)."""

    tables: Tables
    account: Mapping[str, Int32s]
    local_day: Mapping[str, Int64s]
    known_until: Mapping[str, Int64s]


@dataclass(frozen=True, slots=True)
class _Part:
    """Entries from one table, unsorted: the columns of ``Entries`` and what their order needs besides."""

    account: Int32s
    kind: npt.NDArray[np.int8]
    debt: Int64s
    amount: Int64s
    occurred_us: Int64s
    known_from: Int64s
    known_until: Int64s
    day: Int64s
    promise: Int64s
    id_code: Int64s
    id_values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _DebtIndex:
    """Finds the debt that a row names, on its own account: ids need not be unique beyond it."""

    codes: Mapping[str, int]
    keys: Int64s  # account × number of codes + code of the debt id, ascending
    first: Int64s

    def find(self, ids: Coded, account: Int32s) -> Int64s:
        """``Debts.first`` of the debts named; -1 where none is, or none of that account."""
        code = ids.recode(self.codes).astype(np.int64)
        key = account * np.int64(len(self.codes)) + code
        place = np.minimum(np.searchsorted(self.keys, key), len(self.keys) - 1)
        if not len(self.keys):
            return np.full(len(key), -1, dtype=np.int64)
        return np.where((code >= 0) & (account >= 0) & (self.keys[place] == key), self.first[place], -1)


def ledger_arrays(
    tables: Tables,
    *,
    account_index: Mapping[str, Int32s],
    local_day: Mapping[str, Int64s],
    known_until: Mapping[str, Int64s],
    n_accounts: int,
) -> tuple[Debts, Entries, Int64s, Int64s, Int64s]:
    """Debts and entries of all accounts, sorted, with the bounds of each account's rows.

    Parameters
    ----------
    account_index : by table, the account of each row, -1 for orphans, which are left out
    local_day : by table, the debtor's calendar day of ``occurred_at``
    known_until : by table, the ``recorded_at`` of the next version of the same id, else ``FOREVER``

    Returns
    -------
    debts, entries
    debt_bounds, entry_bounds : (n_accounts + 1,), account ``a`` has the rows ``bounds[a]:bounds[a + 1]``
    source : (len(debts.account),), the row of the debts table behind each debt

    Notes
    -----
    Left out is what can never be visible (replaced at once by a version recorded at the same time) and what cannot be
    counted: a debt without amount or due day, a payment or debt event without moment, a payment without amount.
    """
    source = _Source(tables, account_index, local_day, known_until)
    debts, rows = _debts(source)
    edges = np.arange(n_accounts + 1)
    debt_bounds = np.searchsorted(debts.account, edges).astype(np.int64)
    index = _debt_index(tables, debts, rows)
    parts = [_movements(source, index, table) for table in _ID_COLUMNS if tables.has(table)]
    if tables.has("promises"):
        parts.append(_settlements(source, index, debts, debt_bounds))
    entries = _sorted(parts)
    return debts, entries, debt_bounds, np.searchsorted(entries.account, edges).astype(np.int64), rows


def _in_order(keys: Sequence[npt.NDArray[np.integer]], *, ids: Coded, last: Int64s) -> Int64s:
    """Rows sorted by keys, then by the text of their id, then by ``last``.

    Texts are compared only where all keys tie: sorting every id of a portfolio would cost more than all the rest.
    """
    order = np.lexsort(keys[::-1])
    same = np.ones(max(len(order) - 1, 0), dtype=bool)
    for key in keys:
        same &= key[order[1:]] == key[order[:-1]]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same)) if same.any() else np.zeros(0, np.int64)
    group = np.cumsum(~np.append(False, same))[tied] if len(tied) else tied
    rows = order[tied]
    codes, inverse = np.unique(ids.codes[rows], return_inverse=True)
    texts = np.array(["" if code < 0 else ids.values[code] for code in codes], dtype=object)
    rank = np.empty(len(texts), dtype=np.int64)
    rank[np.argsort(texts, kind="stable")] = np.arange(len(texts))
    order[tied] = rows[np.lexsort((last[rows], rank[inverse], group))]
    return order


def _basis_points(percent: npt.NDArray[np.float64]) -> Int64s:
    return np.rint(np.maximum(np.nan_to_num(percent), 0.0) * 100.0).astype(np.int64)


def _debts(source: _Source) -> tuple[Debts, Int64s]:
    tables, account, until = source.tables, source.account["debts"], source.known_until["debts"]
    amount, due_day = tables.ints("debts", "amount"), tables.ints("debts", "due_on")
    occurred_us, recorded = tables.ints("debts", "occurred_at"), tables.ints("debts", "recorded_at")
    ids = tables.text("debts", "debt_id")
    keep = np.flatnonzero((account >= 0) & (amount != MISSING) & (due_day != MISSING) & (recorded < until))
    keys = (account[keep], due_day[keep], occurred_us[keep])
    rows = keep[_in_order(keys, ids=ids.take(keep), last=recorded[keep])]
    day = np.where(occurred_us == MISSING, MISSING, source.local_day["debts"])
    issue_order = np.lexsort((np.arange(len(rows)), occurred_us[rows], account[rows])).astype(np.int64)
    debts = Debts(
        account=account[rows],
        amount=amount[rows],
        due_day=due_day[rows],
        occurred_us=occurred_us[rows],
        known_from=recorded[rows],
        known_until=until[rows],
        issued_day=day[rows],
        penalty_bp=_basis_points(tables.floats("debts", "penalty_pct")[rows]),
        interest_bp=_basis_points(tables.floats("debts", "monthly_interest_pct")[rows]),
        first=_first_versions(_debt_keys(ids, account)[rows], recorded[rows]),
        issue_order=issue_order,
    )
    return debts, rows


def _debt_keys(ids: Coded, account: Int32s) -> Int64s:
    return account * np.int64(len(ids.values)) + ids.codes


def _first_versions(keys: Int64s, recorded: Int64s) -> Int64s:
    """For each row, the row of the earliest version with the same key."""
    order = np.lexsort((recorded, keys))
    starts = np.append(True, keys[order][1:] != keys[order][:-1])[: len(order)]
    first = np.empty(len(keys), dtype=np.int64)
    first[order] = order[starts][np.cumsum(starts) - 1]
    return first


def _debt_index(tables: Tables, debts: Debts, rows: Int64s) -> _DebtIndex:
    ids = tables.text("debts", "debt_id")
    own = np.flatnonzero(debts.first == np.arange(len(rows)))
    keys = _debt_keys(ids.take(rows[own]), debts.account[own])
    order = np.argsort(keys)
    return _DebtIndex({value: code for code, value in enumerate(ids.values)}, keys[order], own[order])


def _movements(source: _Source, index: _DebtIndex, table: str) -> _Part:
    """Payments, or the debt events that move anything."""
    tables, account = source.tables, source.account[table]
    occurred_us, recorded, until = (
        tables.ints(table, "occurred_at"),
        tables.ints(table, "recorded_at"),
        source.known_until[table],
    )
    amount = tables.ints(table, "amount")
    kind = np.full(len(amount), PAYMENT, dtype=np.int8)
    if table == "debt_events":
        kind = tables.text(table, "kind").recode(ENTRY_OF_DEBT_EVENT).astype(np.int8)
        amount = np.where(amount == MISSING, 0, amount)
    counts = (kind >= 0) & (amount != MISSING) & (occurred_us != MISSING)
    rows = np.flatnonzero(counts & (account >= 0) & (recorded < until))
    ids, promises = tables.text(table, _ID_COLUMNS[table]), tables.text(table, "promise_id")
    return _Part(
        account=account[rows],
        kind=kind[rows],
        debt=index.find(tables.text(table, "debt_id").take(rows), account[rows]),
        amount=amount[rows],
        occurred_us=occurred_us[rows],
        known_from=recorded[rows],
        known_until=until[rows],
        day=source.local_day[table][rows],
        promise=promises.take(rows).recode(_promise_codes(tables)).astype(np.int64),
        id_code=ids.codes[rows].astype(np.int64),
        id_values=ids.values,
    )


def _promise_codes(tables: Tables) -> dict[str, int]:
    if not tables.has("promises"):
        return {}
    return {value: code for code, value in enumerate(tables.text("promises", "promise_id").values)}


def _settlements(source: _Source, index: _DebtIndex, debts: Debts, debt_bounds: Int64s) -> _Part:
    """Kept promises with a discount close their debts, for as long as no discount event of theirs is known."""
    tables, account = source.tables, source.account["promises"]
    ids, resolved = tables.text("promises", "promise_id"), tables.ints("promises", "resolved_at")
    known_from = np.maximum(tables.ints("promises", "recorded_at"), resolved)
    known_until = np.minimum(source.known_until["promises"], _discount_known(source))
    kept = tables.text("promises", "outcome").recode({"kept": 0}) == 0
    discounted = tables.ints("promises", "discount_amount") > 0
    rows = np.flatnonzero(kept & discounted & (resolved != MISSING) & (account >= 0) & (known_from < known_until))
    which, debt = _settled_debts(source, index, (debts, debt_bounds), rows)
    rows = rows[which]
    return _Part(
        account=account[rows],
        kind=np.full(len(rows), SETTLE, dtype=np.int8),
        debt=debt,
        amount=np.zeros(len(rows), dtype=np.int64),
        occurred_us=resolved[rows],
        known_from=known_from[rows],
        known_until=known_until[rows],
        day=np.full(len(rows), MISSING),  # closing accrues nothing, so it needs no day
        promise=ids.codes[rows].astype(np.int64),
        id_code=ids.codes[rows].astype(np.int64),
        id_values=ids.values,
    )


def _settled_debts(
    source: _Source, index: _DebtIndex, ledger: tuple[Debts, Int64s], rows: Int64s
) -> tuple[Int64s, Int64s]:
    """Pairs (position in ``rows``, debt): the debt that a promise names, else all that were known when it was made."""
    debts, bounds = ledger
    account, named = source.account["promises"][rows], source.tables.text("promises", "debt_id").take(rows)
    debt = index.find(named, account)
    names = np.flatnonzero(debt >= 0)
    silent = np.flatnonzero(named.codes < 0)
    lows, counts = bounds[account[silent]], np.diff(bounds)[account[silent]]
    which = np.repeat(silent, counts)
    row = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(lows, counts)
    promised = source.tables.ints("promises", "occurred_at")[rows][which]
    known = (debts.known_from[row] < promised) & (promised <= debts.known_until[row])
    known &= debts.occurred_us[row] < promised
    return np.concatenate([names, which[known]]), np.concatenate([debt[names], debts.first[row[known]]])


def _discount_known(source: _Source) -> Int64s:
    """For each promise, when a discount event of it was first known; ``FOREVER`` where none ever was."""
    tables, ids = source.tables, source.tables.text("promises", "promise_id")
    until = np.full(len(ids), FOREVER)
    if not tables.has("debt_events"):
        return until
    codes = tables.text("debt_events", "promise_id").recode(_promise_codes(tables)).astype(np.int64)
    is_discount = tables.text("debt_events", "kind").recode({"discount": 0}) == 0
    events = np.flatnonzero(is_discount & (codes >= 0) & (source.account["debt_events"] >= 0))
    known = np.maximum(tables.ints("debt_events", "recorded_at"), tables.ints("debt_events", "occurred_at"))[events]
    size = np.int64(len(ids.values))
    keys = source.account["debt_events"][events] * size + codes[events]
    order = np.lexsort((known, keys))
    keys, known = keys[order], known[order]
    wanted = source.account["promises"] * size + ids.codes
    place = np.searchsorted(keys, wanted)  # the first of equals, and so the earliest
    found = place < len(keys)
    found[found] = keys[place[found]] == wanted[found]
    until[found] = known[place[found]]
    return until


def _sorted(parts: Sequence[_Part]) -> Entries:
    """All entries by account, moment, settlements last, recording, id."""
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in Entries._fields}
    sizes = np.cumsum([0, *(len(part.id_values) for part in parts)])
    codes = np.concatenate([part.id_code + size for part, size in zip(parts, sizes[:-1], strict=True)])
    ids = Coded(codes, tuple(value for part in parts for value in part.id_values))
    settles = columns["kind"] == SETTLE
    keys = (columns["account"], columns["occurred_us"], settles, columns["known_from"])
    order = _in_order(keys, ids=ids, last=columns["debt"])
    return Entries(**{name: column[order] for name, column in columns.items()})
