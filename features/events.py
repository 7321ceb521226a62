"""Events as the kernel scans them: sorted by account and time, with the debtor's local day and the part of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.balance_entries import Int32s
from domain.clock import US_PER_DAY, US_PER_HOUR, Int64s
from domain.compiled import compiled
from domain.ordering import row_order
from domain.sheets import Sheet
from domain.zones import Zones, offset_us
from features.linking import V_ACCOUNT, V_CODE, V_FROM, V_OCCURRED, V_UNTIL, V_VALUE, link_events
from features.sheets import Sheets

PARTS = ("night", "morning", "afternoon", "evening")
"""Parts of the debtor's local day: 20–8, 8–12, 12–17 and 17–20 o'clock; bits 0 to 3 of ``when``."""
PART_HOURS = {"morning": (8, 12), "afternoon": (12, 17), "evening": (17, 20)}
"""Local hours, half-open, of the parts but the night, which is the rest."""
WORKDAY, WEEKEND, PAYDAY, NO_PAYDAY = 4, 5, 6, 7
"""Further bits of ``when``; payday is the fifth to the tenth local day of a month, when most salaries are paid."""
_FIRST_PAYDAY, _LAST_PAYDAY = 5, 10


class Events(NamedTuple):
    """All events, sorted by account and time; ``offsets`` is (n_accounts + 1,), the others (m,).

    ``when`` has one bit set of each kind: part of the day, workday or weekend, payday or not.
    """

    offsets: Int64s
    occurred_us: Int64s
    known_from: Int64s
    known_until: Int64s
    code: Int32s
    value: Int64s
    day: Int32s
    when: npt.NDArray[np.uint8]


def events_of(sheets: Sheets, sizes: tuple[int, int], *, zones: Zones, zone_of: Int32s) -> Events:
    """All events of completed sheets; ``sizes`` is how many debt ids and contact ids there are."""
    room = sum(factor * getattr(sheets, table).shape[1] for table, factor in _USUAL.items()) + 16
    count, found = _linked(sheets, sizes, zones, zone_of, room)
    if count > room:
        _, found = _linked(sheets, sizes, zones, zone_of, count)
    return found


_USUAL = {"payments": 4, "debts": 3, "debt_events": 1, "contacts": 2, "responses": 3, "promises": 2, "holds": 2}


@compiled
def day_of_month(day: int) -> int:
    """Day of the month of a number of days since 1970-01-01 (H. Hinnant, civil_from_days)."""
    shifted = day + 719_468
    of_era = shifted - shifted // 146_097 * 146_097
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    return int(of_year - (153 * ((5 * of_year + 2) // 153) + 2) // 5 + 1)


@compiled
def _when(wall_us: int) -> int:
    hour, day = wall_us % US_PER_DAY // US_PER_HOUR, wall_us // US_PER_DAY
    part = 0 if hour < 8 or hour >= 20 else 1 if hour < 12 else 2 if hour < 17 else 3
    week = WEEKEND if (day + 3) % 7 >= 5 else WORKDAY
    pay = PAYDAY if _FIRST_PAYDAY <= day_of_month(day) <= _LAST_PAYDAY else NO_PAYDAY
    return (1 << part) | (1 << week) | (1 << pay)


@compiled
def _linked(
    sheets: Sheets, sizes: tuple[int, int], zones: Zones, zone_of: Int32s, room: int
) -> tuple[int, Events]:  # fmt: skip
    """How many events there are, and, where there is room for them, the events."""
    found = np.empty((6, room), dtype=np.int64)
    count = link_events(sheets, sizes, zones, zone_of, found)
    keys = np.empty((5, min(count, room)), dtype=np.int64)
    for key in range(5):  # the fields that give the order come first
        keys[key] = found[key, : keys.shape[1]]
    return count, _arranged(found, row_order(keys), zones, zone_of)


@compiled
def _arranged(found: Sheet, order: Int64s, zones: Zones, zone_of: Int32s) -> Events:
    size = len(order)
    occurred, known_from = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    known_until, value = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    code, day = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32)
    when = np.empty(size, dtype=np.uint8)
    offsets = np.zeros(len(zone_of) + 1, dtype=np.int64)
    for place in range(size):
        row = order[place]
        account, moment = found[V_ACCOUNT, row], found[V_OCCURRED, row]
        offsets[account + 1] += 1
        occurred[place], known_from[place], known_until[place] = moment, found[V_FROM, row], found[V_UNTIL, row]
        code[place], value[place] = found[V_CODE, row], found[V_VALUE, row]
        wall = moment + offset_us(zones, zone_of[account], moment)
        day[place], when[place] = wall // US_PER_DAY, _when(wall)
    for account in range(len(zone_of)):
        offsets[account + 1] += offsets[account]
    return Events(offsets, occurred, known_from, known_until, code, value, day, when)
