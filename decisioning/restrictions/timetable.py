"""Call windows as arrays, and when they are open: what compiled code asks of hours that come back every day."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import holidays
import numpy as np
import numpy.typing as npt

from decisioning.contact_policy.kinds import WEEKDAYS, CallWindow
from domain.clock import FOREVER, MISSING, US_PER_DAY, US_PER_HOUR, to_day
from domain.compiled import compiled
from domain.zones import Zones, offset_us, utc_us_of
from features.calendar import region_holidays
from features.columns import Int32s

Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_CLOSED = (24, 0)
_THURSDAY = 3
"""1970-01-01 was one; Monday is 0."""


class Timetable(NamedTuple):
    """W windows in the regions of a page, R of them.

    ``week`` (W, 7, 2) are first and last hour by weekday, Monday first, a closed day ending before it starts;
    ``in_force`` (W, 2) local days, half-open. Of window w in the region with code c, -1 where it is not known, the
    holidays are ``closed[bounds[w, c + 1] : bounds[w, c + 2]]``, days in order.
    """

    week: Int64s
    in_force: Int64s
    closed: Int64s
    bounds: Int64s


class Windows(NamedTuple):
    """The W call windows of a page: ``rows`` (W, n) and ``actions`` (W, A) that each is about.

    ``zone`` and ``region`` (n,) are -1 where they are not known; UTC stands in for a zone.
    """

    table: Timetable
    rows: Bools
    actions: Bools
    zones: Zones
    zone: Int32s
    region: Int32s


class _Window(NamedTuple):
    """What of a rule goes into a timetable."""

    week: tuple[tuple[int, int], ...]
    first_day: int
    after_day: int
    keeps_holidays: bool
    country: str | None


def timetable(rules: Sequence[CallWindow], regions: tuple[str, ...]) -> Timetable:
    """Some windows in some regions, made once for all pages that have the same."""
    return _timetable(tuple(_window(rule) for rule in rules), regions)


def _window(rule: CallWindow) -> _Window:
    return _Window(
        tuple(rule.hours.get(day, _CLOSED) for day in WEEKDAYS),  # type: ignore[call-overload]
        to_day(rule.effective_from) if rule.effective_from else MISSING,
        to_day(rule.effective_to) if rule.effective_to else FOREVER,
        rule.holidays == "closed",
        rule.country,
    )


@lru_cache(maxsize=256)
def _timetable(windows: tuple[_Window, ...], regions: tuple[str, ...]) -> Timetable:
    nothing = np.zeros(0, dtype=np.int64)
    days = [
        _closed_days(region, window.country) if window.keeps_holidays else nothing
        for window in windows
        for region in (None, *regions)
    ]
    ends = np.cumsum([0, *map(len, days)])
    first = np.arange(len(windows))[:, None] * (len(regions) + 1)
    return Timetable(
        np.array([window.week for window in windows], dtype=np.int64).reshape(-1, 7, 2),
        np.array([(window.first_day, window.after_day) for window in windows], dtype=np.int64).reshape(-1, 2),
        np.concatenate([nothing, *days]),
        ends[first + np.arange(len(regions) + 2)].astype(np.int64),
    )


@lru_cache(maxsize=512)
def _closed_days(region: str | None, country: str | None) -> Int64s:
    """Holidays of a region; those of all states where only the country is known, or is what the rule falls back on."""
    found, _, state = (region or country or "").partition("-")
    states = holidays.list_supported_countries().get(found, [])
    names = (state,) if state in states else ("", *states)
    return np.array(
        sorted({to_day(day) for name in names for day in region_holidays(f"{found}-{name}")}), dtype=np.int64
    )


@compiled
def span(windows: Windows, window: int, row: int, day: int) -> tuple[int, int]:
    """Start and end, in µs, of what a window leaves open of a row's local day: all time where it is not in force.

    A closed day begins at the end of time, so that nothing is within it.
    """
    table, place = windows.table, windows.region[row] + 1
    if day < table.in_force[window, 0] or day >= table.in_force[window, 1]:
        return MISSING, FOREVER
    closed = table.closed[table.bounds[window, place] : table.bounds[window, place + 1]]
    holiday = np.searchsorted(closed, day)
    start, end = table.week[window, (day + _THURSDAY) % 7]
    if start >= end or (holiday < len(closed) and closed[holiday] == day):
        return FOREVER, FOREVER
    return hour_us(windows, row, day, start), hour_us(windows, row, day, end)


@compiled
def hour_us(windows: Windows, row: int, day: int, hour: int) -> int:
    """When a row's wall clock shows an hour, 0 to 24 or beyond, of a local day."""
    return utc_us_of(windows.zones, windows.zone[row], day * US_PER_DAY + hour * US_PER_HOUR)


@compiled
def local_day(windows: Windows, row: int, at_us: int) -> int:
    """The local day of a row at a moment."""
    return (at_us + offset_us(windows.zones, windows.zone[row], at_us)) // US_PER_DAY
