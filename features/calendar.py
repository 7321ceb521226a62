"""What a local day is to a debtor: where in the month, how far from payday, from the thirteenth salary, from a holiday.

Holidays are those of the country and state of the account's region, by the ``holidays`` package; without a region it
knows there are none.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from functools import lru_cache

import holidays
import numpy as np
import numpy.typing as npt

from domain.clock import Int64s, from_day

_PAYDAY = 5
"""Salaries are due by the fifth working day of a month (CLT art. 459 §1), Saturdays counted, holidays not."""
_THIRTEENTH = ((11, 30), (12, 20))
"""The thirteenth salary comes in two parts, due by these days (Lei 4.749/1965, arts. 1 and 2)."""
_FAR = 30
"""Days beyond which a holiday is as far as any."""
_SUNDAY = 6


def region_holidays(region: str | None) -> frozenset[date]:
    """Holidays of a region such as ``BR-SP`` from 1990 to 2044; those of the country where the state is unknown."""
    country, _, state = (region or "").partition("-")
    return _holidays(country, state)


@lru_cache(maxsize=256)
def _holidays(country: str, state: str) -> frozenset[date]:
    supported = holidays.list_supported_countries()
    if country not in supported:
        return frozenset()
    subdivision = state if state in supported[country] else None
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=range(1990, 2045)))


@lru_cache(maxsize=4096)
def _payday(year: int, month: int, region: str | None) -> date:
    closed, left = region_holidays(region), _PAYDAY
    day = date(year, month, 1)
    while True:
        if day.weekday() != _SUNDAY and day not in closed:
            left -= 1
            if left == 0:
                return day
        day += timedelta(days=1)


def _days_to_payday(day: date, region: str | None) -> int:
    ahead = (_payday(day.year, day.month, region) - day).days
    if ahead >= 0:
        return ahead
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return (_payday(following.year, following.month, region) - day).days


def _days_to_thirteenth(day: date, _region: str | None) -> int:
    dates = [date(day.year + later, month, at) for later in (0, 1) for month, at in _THIRTEENTH]
    return min((at - day).days for at in dates if at >= day)


def _days_to_holiday(day: date, region: str | None) -> int:
    closed = region_holidays(region)
    return next((ahead for ahead in range(_FAR) if day + timedelta(days=ahead) in closed), _FAR)


def _working_days_left(day: date, region: str | None) -> int:
    closed = region_holidays(region)
    last = monthrange(day.year, day.month)[1]
    rest = (day.replace(day=one) for one in range(day.day, last + 1))
    return sum(one.weekday() < 5 and one not in closed for one in rest)


_PARTS: dict[str, Callable[[date, str | None], int]] = {
    "day_of_month": lambda day, _: day.day,
    "days_in_month": lambda day, _: monthrange(day.year, day.month)[1],
    "weekday": lambda day, _: day.weekday(),
    "month": lambda day, _: day.month,
    "days_to_payday": _days_to_payday,
    "days_to_thirteenth_salary": _days_to_thirteenth,
    "days_to_holiday": _days_to_holiday,
    "working_days_left": _working_days_left,
}
CALENDAR = tuple(_PARTS)
"""Names of the parts, in the order of the columns."""


@lru_cache(maxsize=200_000)
def day_parts(day: int, region: str | None) -> tuple[float, ...]:
    """Every part of ``CALENDAR`` for a day, counted from 1970-01-01, in a region."""
    at = from_day(day)
    return tuple(float(part(at, region)) for part in _PARTS.values())


def calendar_columns(day: Int64s, region: npt.NDArray[np.int32], names: tuple[str, ...]) -> npt.NDArray[np.float64]:
    """(n, len(CALENDAR)) parts of each row's local day; ``region`` is a position in ``names``, -1 where unknown."""
    if len(day) == 1:
        return np.array([day_parts(int(day[0]), names[region[0]] if region[0] >= 0 else None)])
    width = len(names) + 1
    pairs, inverse = np.unique(day * width + region + 1, return_inverse=True)
    parts = [
        day_parts(int(pair // width), names[pair % width - 1] if pair % width else None) for pair in pairs.tolist()
    ]
    table = np.array(parts, dtype=np.float64).reshape(len(pairs), len(CALENDAR))
    rows: npt.NDArray[np.float64] = table[inverse.reshape(-1)]
    return rows
