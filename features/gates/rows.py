"""Expectations of the rows of one table: how many are late, double, out of order, or of another scale."""

from __future__ import annotations

from collections.abc import Iterator

from domain.clock import MISSING, US_PER_DAY
from features.gates import config as kinds
from features.gates.breaches import Miss
from features.gates.config import Expected
from features.gates.looking import Seen, percent, share

_LEAST_ROWS = 50
"""Shares of fewer rows than this say little."""


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
    for path in seen.look.files[seen.name].paths:
        if path.suffix == ".csv":
            with path.open("rb") as file:
                file.seek(-1, 2)
                cut += file.read(1) not in (b"\n", b"\r")
    if cut:
        found = f"{cut} CSV files whose last line does not end"
        yield Miss(None, cut, found, "a line end after the last row", "the file may have been cut: deliver it again")


def distinct(seen: Seen, expected: kinds.Distinct) -> Iterator[Miss]:
    """Rows that are another in all that matters, under an id of their own."""
    yield from _rows(
        seen, expected, None, most=expected.max_share, what=f"that are another in {', '.join(expected.same)}",
        way_out="look for rows that were loaded twice under new ids",
    )  # fmt: skip


def varied(seen: Seen, expected: kinds.Varied) -> Iterator[Miss]:
    """A value that stands nearly everywhere was filled in by something."""
    counted = seen.counted(expected, least=_LEAST_ROWS)
    if counted is not None and counted.share > expected.max_share:
        found = f"one value in {counted.told('rows')}"
        way_out = "look for a default that overwrote it"
        yield Miss(expected.column, counted.wrong, found, _at_most(expected.max_share), way_out)


def in_order(seen: Seen, expected: kinds.InOrder) -> Iterator[Miss]:
    """Rows that end, fall due or are recorded before they begin."""
    yield from _rows(
        seen, expected, expected.column, most=expected.max_share, what=f"with {expected.column} after {expected.then}",
        way_out="look for columns that changed places, or day and month",
    )  # fmt: skip


def at_most(seen: Seen, expected: kinds.AtMost) -> Iterator[Miss]:
    """Amounts of which one is a part of the other."""
    yield from _rows(
        seen, expected, expected.column, most=expected.max_share,
        what=f"with {expected.column} above {expected.at_most}", way_out="check which is which, and their units",
    )  # fmt: skip


def one_scale(seen: Seen, expected: kinds.OneScale) -> Iterator[Miss]:
    """Some rows in cents among others in currency units stand out within their account."""
    yield from _rows(
        seen, expected, expected.column, most=expected.max_share,
        what=f"of {expected.max_ratio:g} times the account's median or more",
        way_out="look for cents among currency units",
    )  # fmt: skip


def chosen_is_eligible(seen: Seen, expected: kinds.ChosenIsEligible) -> Iterator[Miss]:
    """Decisions whose action they do not list: the log was put together from two sources."""
    counted = seen.counted(expected)
    if counted is not None and counted.share > expected.max_share:
        found = f"{counted.told('decisions')} for an action they do not list"
        yield Miss(
            "eligible",
            counted.wrong,
            found,
            _at_most(expected.max_share),
            "look for lists and choices of different runs",
        )


def recorded_in_time(seen: Seen, expected: kinds.RecordedInTime) -> Iterator[Miss]:
    """Late rows: what was loaded afterwards is seen, in training, only from then on."""
    yield from _rows(
        seen, expected, "recorded_at", most=expected.max_share,
        what=f"recorded more than {expected.max_days:g} days after they happened",
        way_out="give the moment at which the source knew them, not that of loading",
    )  # fmt: skip


def up_to_date(seen: Seen, expected: kinds.UpToDate) -> Iterator[Miss]:
    """A table that ends long before the others was not delivered to its end."""
    last = seen.look.ends.last_us.get(seen.name, MISSING)
    behind = (seen.look.ends.all_us - last) / US_PER_DAY
    if seen.profile.rows >= _LEAST_ROWS and last != MISSING and behind > expected.max_days:
        found = f"the last row {behind:.0f} days before the end of the data"
        yield Miss(None, 0, found, f"at most {expected.max_days:g}", "deliver the table to the same day as the others")


def _rows(
    seen: Seen, expected: Expected, column: str | None, *, most: float, what: str, way_out: str
) -> Iterator[Miss]:
    counted = seen.counted(expected, least=_LEAST_ROWS)
    if counted is not None and counted.share > most:
        yield Miss(column, counted.wrong, f"{counted.told('rows')} {what}", _at_most(most), way_out)


def _at_most(most: float) -> str:
    return f"at most {percent(most)}" if most else "none"
