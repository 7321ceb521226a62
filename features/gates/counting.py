"""Counting what is not as expected of single rows: each row is judged by itself, so the counts of parts add up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, US_PER_DAY
from domain.coded import Coded
from features.gates import config as kinds
from features.gates.config import Expected
from features.gates.looking import Counted
from features.gates.measuring import moments_of
from features.reading import LoadedTable, is_missing

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]


def in_order(table: LoadedTable, expected: kinds.InOrder) -> Counted | None:
    """Rows that end, fall due or are recorded before they begin."""
    first, then = (_days(table, name) for name in (expected.column, expected.then))
    if first is None or then is None:
        return None
    both = ~(np.isnan(first) | np.isnan(then))
    # A day has no hour: its whole length is still in order.
    return _counted(both & (first > then + expected.slack_days + 1.0), both)


def _days(table: LoadedTable, name: str) -> Floats | None:
    values, column = table.data.get(name), table.spec.column(name)
    if values is None or column is None or isinstance(values, Coded):
        return None
    unit = US_PER_DAY if column.kind == "moment" else 1
    return np.where(values == MISSING, np.nan, values.astype(np.float64) / unit)


def at_most(table: LoadedTable, expected: kinds.AtMost) -> Counted | None:
    """Amounts of which one is a part of the other."""
    part, whole = table.data.get(expected.column), table.data.get(expected.at_most)
    if part is None or whole is None:
        return None
    both = ~(is_missing(part) | is_missing(whole))
    return _counted(both & np.asarray(np.asarray(part) > np.asarray(whole)), both)


def chosen_is_eligible(table: LoadedTable, _expected: kinds.ChosenIsEligible) -> Counted | None:
    """Decisions whose action they do not list."""
    eligible = table.data.get("eligible")
    if not isinstance(eligible, Coded):
        return None
    parts = [values for name in ("channel", "offer", "moment") if isinstance(values := table.data[name], Coded)]
    given = np.flatnonzero((eligible.codes >= 0) & np.logical_and.reduce([part.codes >= 0 for part in parts]))
    listed = [frozenset(value.split("|")) for value in eligible.values]
    # Each list and action is looked up once, however many decisions share them.
    combined, sizes = np.zeros(len(given), dtype=np.int64), [max(len(part.values), 1) for part in (eligible, *parts)]
    for part, size in zip((eligible, *parts), sizes, strict=True):
        combined = combined * size + part.codes[given]
    chosen, counts = np.unique(combined, return_counts=True)
    wrong = sum(
        int(count)
        for (of, *places), count in zip(np.transpose(np.unravel_index(chosen, sizes)).tolist(), counts, strict=True)
        if not _is_listed([part.values[place] for part, place in zip(parts, places, strict=True)], listed[of])
    )
    return Counted(wrong, len(given))


def _is_listed(action: list[str], listed: frozenset[str]) -> bool:
    """A log without moments has ``any``, which matches each (contract §3)."""
    channel, offer, moment = action
    return "/".join(action) in listed or (
        moment == "any" and any(one.startswith(f"{channel}/{offer}/") for one in listed)
    )


def recorded_in_time(table: LoadedTable, expected: kinds.RecordedInTime) -> Counted | None:
    """Late rows: what was loaded afterwards is seen, in training, only from then on."""
    moments = moments_of(table)
    if moments is None:
        return None
    recorded = np.asarray(table.data["recorded_at"])
    known = (moments != MISSING) & (recorded != MISSING)
    late = np.where(known, recorded - np.where(known, moments, 0), 0) > expected.max_days * US_PER_DAY
    return _counted(known & late, known)


def within_debts(amounts: npt.NDArray[np.int64], owed: Floats, expected: kinds.WithinDebts) -> Counted:
    """Payments larger than all that was ever owed.

    Parameters
    ----------
    amounts : (n,) cents
    owed : (n,) cents that the account of each payment ever owed, ``NaN`` where it has no account
    """
    known = (amounts != MISSING) & ~np.isnan(owed)
    return _counted(known & (amounts.astype(np.float64) > expected.max_ratio * owed), known)


def _counted(wrong: Bools, of: Bools) -> Counted:
    return Counted(int(np.count_nonzero(wrong)), int(np.count_nonzero(of)))


BY_ROW: Mapping[type[Expected], Callable[[LoadedTable, Any], Counted | None]] = {
    kinds.InOrder: in_order,
    kinds.AtMost: at_most,
    kinds.ChosenIsEligible: chosen_is_eligible,
    kinds.RecordedInTime: recorded_in_time,
}
"""Kinds that one table alone answers, row by row."""
