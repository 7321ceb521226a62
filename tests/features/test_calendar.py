from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from domain.clock import to_day
from features.calendar import CALENDAR, calendar_columns, day_parts, region_holidays


def part(name: str, day: date, region: str | None = "BR-SP") -> float:
    return day_parts(to_day(day), region)[CALENDAR.index(name)]


@pytest.mark.parametrize(
    "day, left",
    [
        (date(2026, 3, 1), 5),  # Sunday; 2, 3, 4, 5, 6 March are working days
        (date(2026, 3, 6), 0),
        (date(2026, 3, 7), 31),  # April: the 3rd is Good Friday, Saturday the 4th counts, so the 7th is the fifth
        (date(2026, 12, 31), 7),  # 1 January is a holiday, 3 January a Sunday: 2, 4, 5, 6, 7 January
    ],
)
def test_payday_is_the_fifth_working_day_of_the_month(day, left):
    assert part("days_to_payday", day) == left


@pytest.mark.parametrize(
    "day, left", [(date(2026, 11, 29), 1), (date(2026, 11, 30), 0), (date(2026, 12, 1), 19), (date(2026, 12, 21), 344)]
)
def test_the_thirteenth_salary_comes_on_the_last_of_november_and_the_twentieth_of_december(day, left):
    assert part("days_to_thirteenth_salary", day) == left


def test_a_state_holiday_counts_in_its_state_alone():
    revolution = date(2026, 7, 9)  # Revolução Constitucionalista, São Paulo
    assert revolution in region_holidays("BR-SP")
    assert revolution not in region_holidays("BR-RJ")
    assert part("days_to_holiday", revolution) == 0
    assert part("days_to_holiday", revolution, "BR-RJ") == 30


def test_a_region_that_nobody_knows_has_no_holidays():
    assert region_holidays(None) == region_holidays("XX-1") == frozenset()
    assert part("days_to_holiday", date(2026, 12, 25), None) == 30


def test_rows_of_many_regions_and_days_are_those_of_each_alone():
    days = np.array([20_000, 20_001, 20_000, 20_045], dtype=np.int64)
    regions = np.array([0, 1, -1, 0], dtype=np.int32)
    names = ("BR-SP", "BR-AM")
    together = calendar_columns(days, regions, names)
    for row, (day, region) in enumerate(zip(days, regions, strict=True)):
        assert tuple(together[row]) == day_parts(int(day), names[region] if region >= 0 else None)
