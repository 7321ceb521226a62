"""Hours of the local day in which contact may be made: call windows by weekday, state and holiday."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import holidays
import numpy as np
import numpy.typing as npt

from decisioning.contact_policy.kinds import WEEKDAYS, CallWindow
from decisioning.moments import LocalDays
from decisioning.restrictions.page import Origin, Page
from domain.clock import FOREVER, MISSING, US_PER_HOUR, from_day, to_day, utc_us
from features.calendar import region_holidays
from features.columns import Int32s

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
_CLOSED = (24, 0)
_LONGEST_CLOSED = 400
"""Days after which a window that has not opened counts as one that never does."""


@dataclass(frozen=True)
class Hours:
    """One call window on a page: ``rows`` (n,) it is about, and ``actions`` (A,), never ``wait``."""

    origin: Origin
    rule: CallWindow
    days: LocalDays
    rows: Bools
    actions: Bools
    region: Int32s
    regions: tuple[str, ...]
    _known: dict[tuple[int, int, int], tuple[int, int]] = field(default_factory=dict, repr=False, compare=False)

    def span(self, of: LocalDays, rows: npt.NDArray[np.int64]) -> tuple[Int64s, Int64s]:
        """Start and end (m,), in µs, of what is open on the local day of some rows; all time where nothing closes."""
        keys = zip(of.day.tolist(), of.zone.tolist(), self.region[rows].tolist(), strict=True)
        found = np.array([self._known.get(key) or self._span(of.names, *key) for key in keys], dtype=np.int64)
        opens, closes = found.reshape(-1, 2).T
        about = self.rows[rows]
        return np.where(about, opens, MISSING), np.where(about, closes, FOREVER)

    def next_open(self, rows: npt.NDArray[np.int64], from_us: Int64s) -> Int64s:
        """(m,) the first moment at or after some others at which the window is open; ``FOREVER`` where none is near."""
        found = from_us.copy()
        left = np.arange(len(rows))
        for _ in range(_LONGEST_CLOSED):
            of = self.days.rows(rows[left], found[left])
            start, end = self.span(of, rows[left])
            is_open = found[left] < end
            opens = np.maximum(found[left], start)
            found[left[is_open & (start != FOREVER)]] = opens[is_open & (start != FOREVER)]
            shut = ~is_open | (start == FOREVER)
            found[left[shut]] = of.at(of.day + 1)[shut]
            left = left[shut]
            if not len(left):
                return found
        found[left] = FOREVER
        return found

    def _span(self, names: tuple[str, ...], day: int, zone: int, region: int) -> tuple[int, int]:
        """Start and end of what is open on a local day in a zone and a region, -1 where either is unknown."""
        start, end = open_hours(self.rule, self.regions[region] if region >= 0 else None, day)
        wall = (day * 24 + start) * US_PER_HOUR, (day * 24 + end) * US_PER_HOUR
        open_us, close_us = wall if zone < 0 else (utc_us(at, names[zone]) for at in wall)
        span = (MISSING, FOREVER) if start < 0 else (FOREVER, FOREVER) if start >= end else (open_us, close_us)
        self._known[day, zone, region] = span
        return span


def hours_of(rule: CallWindow, origin: Origin, page: Page, *, rows: Bools, actions: Bools) -> Hours:
    """A call window over a page."""
    region, names = page.regions
    return Hours(origin, rule, page.days, rows, actions, region, names)


def open_hours(rule: CallWindow, region: str | None, day: int) -> tuple[int, int]:
    """First and last hour of a local day; -1 where the rule is not in force; a closed day ends before it starts."""
    if (rule.effective_from and day < to_day(rule.effective_from)) or (
        rule.effective_to and day >= to_day(rule.effective_to)
    ):
        return -1, -1
    at = from_day(day)
    if rule.holidays == "closed" and at in _closed_days(region, rule.country):
        return _CLOSED
    return rule.hours.get(WEEKDAYS[at.weekday()], _CLOSED)  # type: ignore[call-overload, no-any-return]


@lru_cache(maxsize=512)
def _closed_days(region: str | None, country: str | None) -> frozenset[object]:
    """Holidays of a region; those of all states where only the country is known, or is what the rule falls back on."""
    found, _, state = (region or country or "").partition("-")
    states = holidays.list_supported_countries().get(found, [])
    if state in states:
        return frozenset(region_holidays(f"{found}-{state}"))
    return frozenset(day for name in ("", *states) for day in region_holidays(f"{found}-{name}"))
