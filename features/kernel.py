"""One scan of an account's events, backwards from ``as_of``, into every window of every group at once.

Windows are half-open, ``[as_of - width, as_of)``, and an event counts only in the version that was known at ``as_of``.
The same compiled code serves a portfolio and a single request, so that offline and online cannot differ.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from domain.balance_entries import Int32s
from domain.clock import Int64s
from domain.compiled import compiled
from features.events import Events
from features.plan import (
    AGE,
    COUNT,
    DAYS,
    DISTINCT,
    FACET_OF,
    FIRST,
    GAP_MEAN,
    GAP_STD,
    KIND_OF,
    LAST,
    LAST_KIND,
    MAX,
    MEAN,
    MIN,
    RECENCY,
    SUM,
    Plan,
)

_US_PER_DAY = 86_400e6
_N, _TOTAL, _MOST, _LEAST, _DAYS, _FACETS = range(6)
"""Of a tally: how many, their sum, the largest and smallest value, distinct days, and a bit for each facet."""
_LATEST, _LATEST_VALUE, _LATEST_CODE, _OLDEST, _OLDEST_VALUE, _DAY, _GAPS, _GAP_HOURS, _GAP_SQUARES = range(9)
"""Of a group: latest and first event, the day last counted, Σ gap in seconds, Σ gap and Σ gap² in whole hours."""


@compiled
def first_at_or_after(times: Int64s, bounds: tuple[int, int], moment_us: int) -> int:
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
def _add(cell: Int64s, single: Int64s, spread: npt.NDArray[np.float64], seen: tuple[int, int, int, int]) -> None:
    """Count one event, (moment, code, value, day), in its group."""
    moment, code, value, day = seen
    if single[_LATEST] == -1:
        single[_LATEST], single[_LATEST_VALUE], single[_LATEST_CODE] = moment, value, code
    else:
        gap_us = single[_OLDEST] - moment
        hours = gap_us // 3_600_000_000
        single[_GAPS] += gap_us // 1_000_000
        single[_GAP_HOURS] += hours
        single[_GAP_SQUARES] += hours * hours
    single[_OLDEST], single[_OLDEST_VALUE] = moment, value
    cell[_MOST] = max(cell[_MOST], value) if cell[_N] else value
    cell[_LEAST] = min(cell[_LEAST], value) if cell[_N] else value
    cell[_N] += 1
    cell[_TOTAL] += value
    cell[_FACETS] |= np.int64(1) << FACET_OF[code]
    if day != single[_DAY]:
        cell[_DAYS] += 1
        single[_DAY] = day
    # From the latest value on, so that equal values deviate by exactly nothing.
    apart = float(value - single[_LATEST_VALUE])
    spread[0] += apart
    spread[1] += apart * apart


@compiled
def _scan(
    plan: Plan, events: Events, span: tuple[int, int], as_of_us: int,
    tally: Int64s, once: Int64s, spread: npt.NDArray[np.float64], touched: Int32s,
) -> int:  # fmt: skip
    """Fill the tallies of one row; returns how many groups are ``touched``.

    ``tally`` is (groups, windows, 6), each event in the narrowest window that sees it; ``once`` is (groups, 9).
    """
    count = 0
    for event in range(span[1] - 1, span[0] - 1, -1):
        if not events.known_from[event] < as_of_us <= events.known_until[event]:
            continue
        code, moment, when = events.code[event], events.occurred_us[event], events.when[event]
        bucket = _bucket(plan.width_us, as_of_us - moment)
        seen = moment, int(code), events.value[event], int(events.day[event])
        for position in range(plan.group_offsets[code], plan.group_offsets[code + 1]):
            group = plan.groups[position]
            if when & plan.allowed[group] != when:
                continue
            if once[group, _LATEST] == -1:
                touched[count] = group
                count += 1
            _add(tally[group, bucket], once[group], spread[group, bucket], seen)
    return count


@compiled
def _widen(tally: Int64s, spread: npt.NDArray[np.float64], group: int) -> None:
    """What a narrow window sees, the wider ones see too."""
    for window in range(1, tally.shape[1]):
        wide, narrow = tally[group, window], tally[group, window - 1]
        if narrow[_N] == 0:
            continue
        wide[_MOST] = max(wide[_MOST], narrow[_MOST]) if wide[_N] else narrow[_MOST]
        wide[_LEAST] = min(wide[_LEAST], narrow[_LEAST]) if wide[_N] else narrow[_LEAST]
        wide[_N] += narrow[_N]
        wide[_TOTAL] += narrow[_TOTAL]
        wide[_DAYS] += narrow[_DAYS]
        wide[_FACETS] |= narrow[_FACETS]
        spread[group, window, 0] += spread[group, window - 1, 0]
        spread[group, window, 1] += spread[group, window - 1, 1]


@compiled
def _since(
    plan: Plan, events: Events, span: tuple[int, int], as_of_us: int, group: int, cutoff_us: int
) -> tuple[int, int]:  # fmt: skip
    """Number and sum of a group's events after a moment."""
    count, total = 0, 0
    for event in range(span[1] - 1, span[0] - 1, -1):
        if events.occurred_us[event] <= cutoff_us:
            break
        if events.known_from[event] < as_of_us <= events.known_until[event]:
            code = events.code[event]
            for position in range(plan.group_offsets[code], plan.group_offsets[code + 1]):
                fits = events.when[event] & plan.allowed[group] == events.when[event]
                if plan.groups[position] == group and fits:
                    count += 1
                    total += events.value[event]
    return count, total


@compiled
def _gap_days(operation: int, n_gaps: int, single: Int64s) -> float:
    """Mean or standard deviation of the days between events; missing with no gap, or with one for the deviation."""
    if n_gaps < 1 or (operation == GAP_STD and n_gaps < 2):
        return np.nan
    if operation == GAP_MEAN:
        return float(single[_GAPS] / 86_400.0 / n_gaps)
    # In whole numbers, so that equal gaps deviate by exactly nothing.
    squares = n_gaps * single[_GAP_SQUARES] - single[_GAP_HOURS] * single[_GAP_HOURS]
    return float(np.sqrt(float(squares)) / n_gaps / 24.0)


@compiled
def _distinct(facets: int) -> float:
    count = 0
    while facets:
        facets &= facets - 1
        count += 1
    return float(count)


@compiled
def _deviation(n_events: int, spread: npt.NDArray[np.float64]) -> float:
    """Standard deviation from Σ and Σ² of values less the latest one; never below nothing, whatever rounding does."""
    mean = spread[0] / n_events
    return float(np.sqrt(max(spread[1] / n_events - mean * mean, 0.0)))


@compiled
def _of_history(operation: int, single: Int64s, as_of_us: int, n_events: int) -> float:
    if operation == RECENCY:
        return float((as_of_us - single[_LATEST]) / _US_PER_DAY)
    if operation == AGE:
        return float((as_of_us - single[_OLDEST]) / _US_PER_DAY)
    if operation == LAST:
        return float(single[_LATEST_VALUE])
    if operation == FIRST:
        return float(single[_OLDEST_VALUE])
    if operation == LAST_KIND:
        return float(KIND_OF[single[_LATEST_CODE]])
    return _gap_days(operation, n_events - 1, single)


@compiled
def _value(operation: int, cell: Int64s, spread: npt.NDArray[np.float64]) -> float:
    if operation == COUNT:
        return float(cell[_N])
    if operation == SUM:
        return float(cell[_TOTAL])
    if operation == DAYS:
        return float(cell[_DAYS])
    if operation == DISTINCT:
        return _distinct(cell[_FACETS])
    if cell[_N] == 0:
        return np.nan
    if operation == MEAN:
        return float(cell[_TOTAL] / cell[_N])
    if operation == MAX:
        return float(cell[_MOST])
    return float(cell[_LEAST]) if operation == MIN else _deviation(cell[_N], spread)


@compiled
def windowed(plan: Plan, events: Events, account: Int32s, as_of_us: Int64s, out: npt.NDArray[np.float64]) -> None:
    """Every windowed feature of every row.

    Parameters
    ----------
    account, as_of_us : (n,), the rows of a spine
    out : (n, columns), written at ``plan.column``; an empty window is 0 for counts and sums, ``NaN`` otherwise
    """
    n_groups, n_windows = len(plan.allowed), len(plan.width_us)
    tally = np.zeros((n_groups, n_windows, 6), dtype=np.int64)
    spread = np.zeros((n_groups, n_windows, 2), dtype=np.float64)
    once = np.zeros((n_groups, 9), dtype=np.int64)
    once[:, : _DAY + 1] = -1
    touched = np.zeros(n_groups, dtype=np.int32)
    for row in range(len(account)):
        bounds = (events.offsets[account[row]], events.offsets[account[row] + 1])
        span = (bounds[0], first_at_or_after(events.occurred_us, bounds, as_of_us[row]))
        count = _scan(plan, events, span, as_of_us[row], tally, once, spread, touched)
        for place in range(count):
            _widen(tally, spread, touched[place])
        for feature in range(len(plan.operation)):
            operation, group, window = plan.operation[feature], plan.group[feature], plan.window[feature]
            cell, single, stop = tally[group, window], once[group], plan.since[feature]
            if stop >= 0 and once[stop, _LATEST] != -1 and single[_LATEST] != -1:
                found = _since(plan, events, span, as_of_us[row], group, once[stop, _LATEST])
                value = float(found[0] if operation == COUNT else found[1])
            elif RECENCY <= operation <= FIRST or operation >= LAST_KIND:
                n_events = tally[group, n_windows - 1, _N]
                value = _of_history(operation, single, as_of_us[row], n_events) if n_events else np.nan
            else:
                value = _value(operation, cell, spread[group, window])
            out[row, plan.column[feature]] = value
        for place in range(count):
            group = touched[place]
            tally[group] = 0
            spread[group] = 0.0
            once[group, : _DAY + 1] = -1
            once[group, _GAPS:] = 0
