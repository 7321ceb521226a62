"""Expectations of the rows of one table: how many are late, double, out of order, or of another scale."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, US_PER_DAY
from domain.coded import Coded
from features.gates import config as kinds
from features.gates.breaches import Miss
from features.gates.looking import Seen, percent, share
from features.gates.measuring import end_of, moments_of
from features.reading import is_missing

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
_LEAST_ROWS = 50
"""Shares of fewer rows than this say little."""
_LEAST_OF_ACCOUNT = 4


def few(seen: Seen, expected: kinds.Few) -> Iterator[Miss]:
    """Rows with findings of one code."""
    for finding in seen.look.findings:
        if (finding.table, finding.code) != (seen.name, expected.code):
            continue
        rows = seen.look.rows[seen.name]
        if expected.column in (None, finding.column) and share(finding.count, rows) > expected.max_share:
            found = f"{finding.count:,} of {rows:,} rows ({percent(finding.count / rows)}) with {expected.code}"
            yield Miss(
                finding.column, finding.count, found, _at_most(expected.max_share), "see the finding of that code"
            )


def whole_file(seen: Seen, _expected: kinds.WholeFile) -> Iterator[Miss]:
    """A file that was cut off mostly ends in the middle of a line."""
    cut = 0
    for path in seen.table.files.paths:
        if path.suffix == ".csv":
            with path.open("rb") as file:
                file.seek(-1, 2)
                cut += file.read(1) not in (b"\n", b"\r")
    if cut:
        found = f"{cut} CSV files whose last line does not end"
        yield Miss(None, cut, found, "a line end after the last row", "the file may have been cut: deliver it again")


def distinct(seen: Seen, expected: kinds.Distinct) -> Iterator[Miss]:
    """Rows that are another in all that matters, under an id of their own."""
    columns = [seen.table.data[name] for name in expected.same]
    rows = np.flatnonzero(~np.logical_or.reduce([is_missing(values) for values in columns]))
    keys = [(values.codes if isinstance(values, Coded) else values)[rows] for values in columns]
    ids = seen.texts(seen.table.spec.id_column).codes[rows]
    if len(rows) < _LEAST_ROWS:
        return
    order = np.lexsort((ids, *keys))
    same = np.ones(len(rows) - 1, dtype=np.bool_)
    for key in keys:
        same &= key[order][1:] == key[order][:-1]
    # The same id with a later recorded_at is a correction, and no second row.
    count = int(np.count_nonzero(same & (ids[order][1:] != ids[order][:-1])))
    if share(count, len(rows)) > expected.max_share:
        what = f"that are another in {', '.join(expected.same)}"
        found = f"{count:,} of {len(rows):,} rows ({percent(count / len(rows))}) {what}"
        yield Miss(
            None, count, found, _at_most(expected.max_share), "look for rows that were loaded twice under new ids"
        )


def varied(seen: Seen, expected: kinds.Varied) -> Iterator[Miss]:
    """A value that stands nearly everywhere was filled in by something."""
    values = seen.table.data.get(expected.column)
    if values is None:
        return
    given = ~is_missing(values)
    plain = (values.codes if isinstance(values, Coded) else values)[given]
    if len(plain) < _LEAST_ROWS:
        return
    count = int(np.unique(plain, return_counts=True)[1].max())
    if count / len(plain) > expected.max_share:
        found = f"one value in {count:,} of {len(plain):,} rows ({percent(count / len(plain))})"
        yield Miss(expected.column, count, found, _at_most(expected.max_share), "look for a default that overwrote it")


def in_order(seen: Seen, expected: kinds.InOrder) -> Iterator[Miss]:
    """Rows that end, fall due or are recorded before they begin."""
    first, then = (_days(seen, name) for name in (expected.column, expected.then))
    if first is None or then is None:
        return
    both = ~(np.isnan(first) | np.isnan(then))
    # A day has no hour: its whole length is still in order.
    yield from _rows(
        expected.column, both & (first > then + expected.slack_days + 1.0), of=int(both.sum()),
        most=expected.max_share, what=f"with {expected.column} after {expected.then}",
        way_out="look for columns that changed places, or day and month",
    )  # fmt: skip


def _days(seen: Seen, name: str) -> npt.NDArray[np.float64] | None:
    values = seen.table.data.get(name)
    column = seen.table.spec.column(name)
    if values is None or column is None or isinstance(values, Coded):
        return None
    unit = US_PER_DAY if column.kind == "moment" else 1
    return np.where(values == MISSING, np.nan, values.astype(np.float64) / unit)


def at_most(seen: Seen, expected: kinds.AtMost) -> Iterator[Miss]:
    """Amounts of which one is a part of the other."""
    part, whole = seen.table.data.get(expected.column), seen.table.data.get(expected.at_most)
    if part is None or whole is None:
        return
    both = ~(is_missing(part) | is_missing(whole))
    yield from _rows(
        expected.column, both & (seen.numbers(expected.column) > seen.numbers(expected.at_most)), of=int(both.sum()),
        most=expected.max_share, what=f"with {expected.column} above {expected.at_most}",
        way_out="check which is which, and their units",
    )  # fmt: skip


def one_scale(seen: Seen, expected: kinds.OneScale) -> Iterator[Miss]:
    """Some rows in cents among others in currency units stand out within their account."""
    amounts, account = seen.numbers(expected.column), seen.texts("account_id").codes
    rows = np.flatnonzero((amounts != MISSING) & (amounts > 0) & (account >= 0))
    order = rows[np.lexsort((amounts[rows], account[rows]))]
    counts = np.bincount(account[rows], minlength=len(seen.texts("account_id").values))
    middle = np.cumsum(counts) - counts + np.maximum(counts - 1, 0) // 2
    enough = counts[account[rows]] >= _LEAST_OF_ACCOUNT
    if enough.sum() < _LEAST_ROWS:
        return
    median = amounts[order][np.minimum(middle, len(order) - 1)][account[rows]]
    wide = enough & (amounts[rows] >= expected.max_ratio * median)
    yield from _rows(
        expected.column, wide, of=int(enough.sum()), most=expected.max_share,
        what=f"of {expected.max_ratio:g} times the account's median or more",
        way_out="look for cents among currency units",
    )  # fmt: skip


def chosen_is_eligible(seen: Seen, expected: kinds.ChosenIsEligible) -> Iterator[Miss]:
    """Decisions whose action they do not list: the log was put together from two sources."""
    data = seen.table.data
    eligible = data.get("eligible")
    if not isinstance(eligible, Coded):
        return
    parts = [seen.texts(name) for name in ("channel", "offer", "moment")]
    given = np.flatnonzero((eligible.codes >= 0) & np.logical_and.reduce([part.codes >= 0 for part in parts]))
    listed = [frozenset(value.split("|")) for value in eligible.values]
    # Each list and action is looked up once, however many decisions share them.
    combined = np.stack([eligible.codes[given], *(part.codes[given] for part in parts)])
    kinds, counts = np.unique(combined, axis=1, return_counts=True)
    wrong = sum(
        int(count)
        for (of, *places), count in zip(kinds.T.tolist(), counts, strict=True)
        if not _is_listed([part.values[place] for part, place in zip(parts, places, strict=True)], listed[of])
    )
    if share(wrong, len(given)) > expected.max_share:
        found = f"{wrong:,} of {len(given):,} decisions ({percent(wrong / len(given))}) for an action they do not list"
        yield Miss(
            "eligible", wrong, found, _at_most(expected.max_share), "look for lists and choices of different runs"
        )


def _is_listed(action: list[str], listed: frozenset[str]) -> bool:
    """A log without moments has ``any``, which matches each (contract §3)."""
    channel, offer, moment = action
    return "/".join(action) in listed or (
        moment == "any" and any(one.startswith(f"{channel}/{offer}/") for one in listed)
    )


def recorded_in_time(seen: Seen, expected: kinds.RecordedInTime) -> Iterator[Miss]:
    """Late rows: what was loaded afterwards is seen, in training, only from then on."""
    moments = moments_of(seen.table)
    if moments is None or len(moments) < _LEAST_ROWS:
        return
    recorded = seen.numbers("recorded_at")
    known = (moments != MISSING) & (recorded != MISSING)
    late = known & (np.where(known, recorded - np.where(known, moments, 0), 0) > expected.max_days * US_PER_DAY)
    yield from _rows(
        "recorded_at", late, of=int(known.sum()), most=expected.max_share,
        what=f"recorded more than {expected.max_days:g} days after they happened",
        way_out="give the moment at which the source knew them, not that of loading",
    )  # fmt: skip


def up_to_date(seen: Seen, expected: kinds.UpToDate) -> Iterator[Miss]:
    """A table that ends long before the others was not delivered to its end."""
    moments = moments_of(seen.table)
    if moments is None or len(moments) < _LEAST_ROWS:
        return
    last = int(moments[moments <= seen.look.portfolio.now_us].max(initial=MISSING))
    behind = (end_of(seen.look.portfolio) - last) / US_PER_DAY
    if last != MISSING and behind > expected.max_days:
        found = f"the last row {behind:.0f} days before the end of the data"
        yield Miss(None, 0, found, f"at most {expected.max_days:g}", "deliver the table to the same day as the others")


def _rows(column: str, wrong: Bools, *, of: int, most: float, what: str, way_out: str) -> Iterator[Miss]:
    count = int(np.count_nonzero(wrong))
    if of >= _LEAST_ROWS and share(count, of) > most:
        found = f"{count:,} of {of:,} rows ({percent(count / of)}) {what}"
        yield Miss(column, count, found, _at_most(most), way_out)


def _at_most(most: float) -> str:
    return f"at most {percent(most)}" if most else "none"
