"""Making the profile of a data directory: all that gates compare is counted here, in one pass over each table."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, US_PER_DAY, US_PER_HOUR, Int64s
from domain.coded import Coded
from features.findings import Portfolio
from features.gates.looking import Ends
from features.gates.profile import LEAST_ROWS, MOST_MONTHS, Amounts, Categories, DataProfile, Floats, TableProfile
from features.known import happened_in
from features.reading import LoadedTable, is_missing

MOST_VALUES = 200
"""A text column of more distinct values is no vocabulary, and may be about people."""
HOURS = 24
AMOUNTS = {"debts": ("amount",), "payments": ("amount",), "promises": ("amount",)}
CENTS = 100
_NUMBER_BITS = 62
_END_SHARE = 0.0005
"""Share of rows that may be dated after the end of the data: a few wrong clocks must not move it by months."""
Int32s = npt.NDArray[np.int32]
Groups = Callable[[LoadedTable], tuple[Int32s, tuple[str, ...]]]


def profile_of(portfolio: Portfolio, ends: Ends) -> DataProfile:
    """The profile of tables as validation holds them, each row once."""
    end_day = ends.all_us // US_PER_DAY + 1
    group = _groups(portfolio)
    return DataProfile(
        int(end_day), {name: _profile(table, int(end_day), group) for name, table in portfolio.tables.items()}
    )


def moments_of(table: LoadedTable) -> Int64s | None:
    """When rows happened, µs UTC; ``None`` for accounts, which are no events."""
    name = happened_in(table.spec.name)
    return np.asarray(table.data[name]).astype(np.int64, copy=False) if name in table.data else None


def ends_of(portfolio: Portfolio) -> Ends:
    """The moment at which the data end, µs, and the last of each table.

    The data end with the latest rows of all tables, save a few that may be dated wrongly; what lies in the future does
    not count.
    """
    found = {name: moments for name, table in portfolio.tables.items() if (moments := moments_of(table)) is not None}
    past = {name: moments[moments <= portfolio.now_us] for name, moments in found.items()}
    known = np.concatenate([np.empty(0, dtype=np.int64), *past.values()])
    known = known[known != MISSING]
    last = {name: int(moments.max(initial=MISSING)) for name, moments in past.items()}
    if not len(known):
        return Ends(portfolio.now_us, last)
    place = len(known) - 1 - later_rows(len(known))
    return Ends(int(np.partition(known, place)[place]), last)


def later_rows(rows: int) -> int:
    """How many of all rows may be dated after the end of the data."""
    return int(rows * _END_SHARE)


def _groups(portfolio: Portfolio) -> Groups:
    """Rows by the creditor of their account, as each has a scale of amounts of its own; "" for small ones together."""
    accounts = portfolio.tables.get("accounts")
    if accounts is None:
        return lambda table: (np.zeros(table.rows, dtype=np.int32), ("",))
    creditor, ids = accounts.data["creditor"], accounts.data["account_id"]
    assert isinstance(creditor, Coded)
    assert isinstance(ids, Coded)
    names, place = _named(creditor, np.ones(accounts.rows, dtype=np.bool_))
    of_account = np.full(len(ids.values) + 1, len(names), dtype=np.int32)
    of_account[ids.codes] = place[creditor.codes]
    of_account[-1] = len(names)

    def grouped(table: LoadedTable) -> tuple[Int32s, tuple[str, ...]]:
        account = table.data["account_id"]
        assert isinstance(account, Coded)
        return of_account[account.among(ids)], (*names, "")

    return grouped


def _named(column: Coded, used: npt.NDArray[np.bool_]) -> tuple[tuple[str, ...], Int64s]:
    rows = np.bincount(column.codes[used & (column.codes >= 0)], minlength=len(column.values))
    return named(column.values if len(column.values) <= MOST_VALUES else (), rows)


def named(values: Sequence[str], rows: Int64s) -> tuple[tuple[str, ...], Int64s]:
    """Values that stand in enough rows, in their order as words, and the place of each code; others are after them."""
    order = sorted(range(len(values)), key=values.__getitem__)
    kept = [code for code in order if rows[code] >= LEAST_ROWS]
    place = np.full(len(rows) + 1, len(kept), dtype=np.int64)
    place[kept] = np.arange(len(kept))
    return tuple(values[code] for code in kept), place


def _profile(table: LoadedTable, end_day: int, groups: Groups) -> TableProfile:
    moments = moments_of(table)
    if moments is None:
        bucket, months = np.zeros(table.rows, dtype=np.int64), np.zeros(1, dtype=np.int64)
        hours = np.empty((0, HOURS), dtype=np.int64)
    else:
        bucket, months = _months(moments, end_day)
        hour = np.where(moments == MISSING, 0, moments) // US_PER_HOUR % HOURS
        hours = _table(bucket, hour, len(months), HOURS)
    return TableProfile(
        rows=table.rows,
        months=months,
        volume=np.bincount(bucket[bucket >= 0], minlength=len(months)).astype(np.int64),
        hours=hours,
        missing=_missing(table, bucket, len(months)),
        categories=_categories(table, bucket, len(months)),
        amounts=_amounts(table, bucket, len(months), groups),
    )


def _months(moments: Int64s, end_day: int) -> tuple[Int64s, Int64s]:
    """Bucket of each row, -1 where it lies outside, and the months that the buckets are."""
    known = moments != MISSING
    month = np.where(known, moments, 0).astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    last = int(np.datetime64(end_day - 1, "D").astype("datetime64[M]").astype(np.int64))
    inside = known & (month <= last) & (month > last - MOST_MONTHS)
    if not inside.any():
        return np.full(len(moments), -1, dtype=np.int64), np.array([last], dtype=np.int64)
    first = int(month[inside].min())
    return np.where(inside, month - first, -1), np.arange(first, last + 1, dtype=np.int64)


def _table(bucket: Int64s, code: npt.NDArray[np.integer], months: int, width: int) -> Int64s:
    inside = bucket >= 0
    flat = np.bincount(bucket[inside] * width + code[inside], minlength=months * width)
    return flat.reshape(months, width).astype(np.int64)


def _missing(table: LoadedTable, bucket: Int64s, months: int) -> dict[str, Int64s]:
    found = {}
    for name, values in table.data.items():
        rows = bucket[is_missing(values)] if name != "recorded_at" else bucket[table.unrecorded]
        found[name] = np.bincount(rows[rows >= 0], minlength=months).astype(np.int64)
    return found


def _categories(table: LoadedTable, bucket: Int64s, months: int) -> dict[str, Categories]:
    found = {}
    kinds = {column.name: column.kind for column in table.spec.columns}
    for name, values in table.data.items():
        if not isinstance(values, Coded) or kinds.get(name, "text") not in ("text", "code"):
            continue
        if len(values.values) <= MOST_VALUES:
            found[name] = _vocabulary(values, bucket, months)
    return found


def _vocabulary(column: Coded, bucket: Int64s, months: int) -> Categories:
    given = (column.codes >= 0) & (bucket >= 0)
    names, place = _named(column, given)
    return Categories(names, _table(np.where(given, bucket, -1), place[column.codes], months, len(names) + 1))


def _amounts(table: LoadedTable, bucket: Int64s, months: int, groups: Groups) -> dict[str, Amounts]:
    found = {}
    for name in AMOUNTS.get(table.spec.name, ()):
        cents = np.asarray(table.data[name])
        group, names = groups(table)
        used = np.flatnonzero((bucket >= 0) & (cents != MISSING) & (cents > 0))
        rows, medians = medians_of(cents[used], bucket[used] * len(names) + group[used], months * len(names))
        shape = (months, len(names))
        whole = float((cents[used] % CENTS == 0).mean()) if len(used) else 0.0
        found[name] = Amounts(names, rows.reshape(shape), medians.reshape(shape) / CENTS, whole)
    return found


def medians_of(values: Int64s, cell: Int64s, cells: int) -> tuple[Int64s, Floats]:
    """Rows and lower median of each cell; ``NaN`` where it has fewer rows than ``LEAST_ROWS``."""
    rows = np.bincount(cell, minlength=cells).astype(np.int64)
    middle = np.cumsum(rows) - rows + np.maximum(rows - 1, 0) // 2
    medians = np.full(cells, np.nan)
    enough = rows >= LEAST_ROWS
    medians[enough] = sorted_within(values, cell)[middle[enough]]
    return rows, medians


def sorted_within(values: npt.NDArray[np.integer], group: npt.NDArray[np.integer]) -> Int64s:
    """(n,) values of zero or more in order within their group, groups in their order.

    >>> sorted_within(np.array([5, 9, 1]), np.array([1, 0, 1])).tolist()
    [9, 1, 5]
    """
    bits = int(values.max(initial=0)).bit_length()
    if int(group.max(initial=0)).bit_length() + bits > _NUMBER_BITS:
        return values[np.lexsort((values, group))].astype(np.int64)
    # Both in one number are sorted ten times as fast.
    return np.asarray(np.sort(group.astype(np.int64) << bits | values) & ((1 << bits) - 1))
