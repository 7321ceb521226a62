"""One scan of an account's events, backwards from ``as_of``, into every window of every group at once.

Windows are half-open, ``[as_of - width, as_of)``, and an event counts only in the version that was known at ``as_of``.
The same compiled code serves a portfolio and a single request, so that offline and online cannot differ.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from domain.clock import Int64s
from domain.compiled import compiled
from features.columns import Int32s
from features.encoding import Events
from features.plan import AGE, COUNT, DAYS, GAP_MEAN, GAP_STD, LAST, MAX, MEAN, RECENCY, SUM, Plan

_US_PER_DAY = 86_400e6


@compiled
def _first_at_or_after(times: Int64s, bounds: tuple[int, int], moment_us: int) -> int:
    """Position of the first event of an account at or after a moment; those before it are the past."""
    low, high = bounds
    while low < high:
        middle = (low + high) // 2
        if times[middle] < moment_us:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _bucket(width_us: Int64s, age_us: int) -> int:
    """The narrowest window that sees an event of this age; the last is the whole history."""
    bucket = 0
    while age_us > width_us[bucket]:
        bucket += 1
    return bucket


@compiled
def _scan(plan: Plan, events: Events, bounds: tuple[int, int], as_of_us: int, tally: Int64s, once: Int64s) -> None:
    """Fill the tallies of one row.

    ``tally`` is (groups, windows, 4): count, sum, maximum and distinct days in the narrowest window that sees them;
    ``once`` is (groups, 7): latest moment, latest value, first moment, latest day seen, Σ gap in whole seconds, and
    Σ gap and Σ gap² in whole hours.
    """
    tally[:] = 0
    once[:] = -1
    once[:, 4:] = 0
    for event in range(_first_at_or_after(events.occurred_us, bounds, as_of_us) - 1, bounds[0] - 1, -1):
        if not events.known_from[event] < as_of_us <= events.known_until[event]:
            continue
        code, moment, value = events.code[event], events.occurred_us[event], events.value[event]
        bucket = _bucket(plan.width_us, as_of_us - moment)
        for position in range(plan.group_offsets[code], plan.group_offsets[code + 1]):
            group = plan.groups[position]
            if (plan.part_mask[group] >> events.part[event]) & 1 == 0:
                continue
            if plan.weekend_only[group] == 1 and events.weekend[event] == 0:
                continue
            cell, single = tally[group, bucket], once[group]
            cell[0] += 1
            cell[1] += value
            cell[2] = max(cell[2], value)
            if events.day[event] != single[3]:
                cell[3] += 1
                single[3] = events.day[event]
            if single[0] == -1:
                single[0], single[1] = moment, value
            else:
                gap_us = single[2] - moment
                hours = gap_us // 3_600_000_000
                single[4] += gap_us // 1_000_000
                single[5] += hours
                single[6] += hours * hours
            single[2] = moment


@compiled
def _gap_days(operation: int, n_gaps: int, single: Int64s) -> float:
    """Mean or standard deviation of the days between events; missing with no gap, or with one for the deviation."""
    if n_gaps < 1 or (operation == GAP_STD and n_gaps < 2):
        return np.nan
    if operation == GAP_MEAN:
        return float(single[4] / 86_400.0 / n_gaps)
    # In whole numbers, so that equal gaps deviate by exactly nothing.
    return float(np.sqrt(float(n_gaps * single[6] - single[5] * single[5])) / n_gaps / 24.0)


@compiled
def _value(operation: int, cell: Int64s, single: Int64s, as_of_us: int, n_events: int) -> float:  # noqa: PLR0911
    if operation == COUNT:
        return float(cell[0])
    if operation == SUM:
        return float(cell[1])
    if operation == DAYS:
        return float(cell[3])
    if cell[0] == 0:
        return np.nan
    if operation == MEAN:
        return float(cell[1] / cell[0])
    if operation == MAX:
        return float(cell[2])
    if operation == RECENCY:
        return float((as_of_us - single[0]) / _US_PER_DAY)
    if operation == AGE:
        return float((as_of_us - single[2]) / _US_PER_DAY)
    if operation == LAST:
        return float(single[1])
    return _gap_days(operation, n_events - 1, single)


@compiled
def windowed(plan: Plan, events: Events, account: Int32s, as_of_us: Int64s, out: npt.NDArray[np.float64]) -> None:
    """Every windowed feature of every row.

    Parameters
    ----------
    account, as_of_us : (n,), the rows of a spine
    out : (n, len(plan.operation)), overwritten; an empty window is 0 for counts and sums, ``NaN`` otherwise
    """
    n_windows = len(plan.width_us)
    tally = np.zeros((plan.n_groups, n_windows, 4), dtype=np.int64)
    once = np.zeros((plan.n_groups, 7), dtype=np.int64)
    for row in range(len(account)):
        bounds = (events.offsets[account[row]], events.offsets[account[row] + 1])
        _scan(plan, events, bounds, as_of_us[row], tally, once)
        for window in range(1, n_windows):  # what a narrow window sees, the wider ones see too
            for group in range(plan.n_groups):
                wide, narrow = tally[group, window], tally[group, window - 1]
                wide[0] += narrow[0]
                wide[1] += narrow[1]
                wide[2] = max(wide[2], narrow[2])
                wide[3] += narrow[3]
        for feature in range(len(plan.operation)):
            group = plan.group[feature]
            cell = tally[group, plan.window[feature]]
            n_events = tally[group, n_windows - 1, 0]
            out[row, feature] = _value(plan.operation[feature], cell, once[group], as_of_us[row], n_events)
