from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import (
    FOREVER,
    MISSING,
    US_PER_HOUR,
    from_day,
    from_us,
    local_days,
    local_hours,
    parse_moment,
    rfc3339,
    to_day,
    to_us,
    transitions,
    utc_us,
    weekdays,
    zone_of,
)
from domain.zones import local_us, utc_at, utc_of, utc_us_of, zone_table

ZONES = ("America/Sao_Paulo", "Europe/Lisbon", "Africa/Lagos", "Asia/Taipei", "America/Rio_Branco")
MOMENTS = st.datetimes(datetime(1991, 1, 1), datetime(2044, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  (bounds)


@given(moment=MOMENTS)
def test_a_moment_survives_its_microseconds(moment):
    assert from_us(to_us(moment)) == moment


@given(moment=MOMENTS)
def test_a_moment_survives_its_text(moment):
    assert parse_moment(rfc3339(moment)) == moment == parse_moment(rfc3339(to_us(moment)))


@given(day=st.dates())
def test_a_day_survives_its_number(day):
    assert from_day(to_day(day)) == day


def test_a_naive_time_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match="without offset"):
        parse_moment("2026-03-02T12:00:00")
    with pytest.raises(ValueError, match="needed one with an offset"):
        to_us(datetime(2026, 3, 2))  # noqa: DTZ001  (the point of the test)


def test_an_offset_is_turned_into_utc():
    assert to_us(datetime(2026, 3, 2, 9, tzinfo=timezone(timedelta(hours=-3)))) == to_us(
        datetime(2026, 3, 2, 12, tzinfo=UTC)
    )


@given(moment=MOMENTS, zone=st.sampled_from(ZONES))
def test_the_wall_clock_is_that_of_the_time_zone_database(moment, zone):
    wall = int(local_us(np.array([to_us(moment)]), np.array([0], dtype=np.int32), (zone,))[0])
    there = moment.astimezone(ZoneInfo(zone))
    assert from_us(wall).replace(tzinfo=None) == there.replace(tzinfo=None)
    assert local_days(np.array([wall]))[0] == to_day(there.date())
    assert local_hours(np.array([wall]))[0] == there.hour
    assert weekdays(local_days(np.array([wall])))[0] == there.weekday()


@given(moment=MOMENTS, zone=st.sampled_from(ZONES))
def test_the_first_moment_that_shows_a_time_is_not_after_any_other(moment, zone):
    wall = int(local_us(np.array([to_us(moment)]), np.array([0], dtype=np.int32), (zone,))[0])
    first = utc_us(wall, zone)
    assert first <= to_us(moment)
    assert local_us(np.array([first]), np.array([0], dtype=np.int32), (zone,))[0] == wall


@pytest.mark.parametrize(
    ("zone", "skipped", "shown"),
    [
        ("America/Sao_Paulo", datetime(2018, 11, 4, 0, 0, tzinfo=UTC), 1),
        ("Europe/Lisbon", datetime(2020, 3, 29, 1, 0, tzinfo=UTC), 2),
    ],
)
def test_a_time_that_never_was_gives_the_moment_after_the_gap(zone, skipped, shown):
    moment = utc_us(to_us(skipped), zone)
    assert from_us(moment).astimezone(ZoneInfo(zone)).hour == shown


def test_an_unknown_zone_is_read_as_utc_and_a_missing_moment_stays_missing():
    noon = to_us(datetime(2026, 3, 2, 12, tzinfo=UTC))
    local = local_us(np.array([noon, MISSING, noon]), np.array([-1, 0, 0], dtype=np.int32), ("America/Sao_Paulo",))
    assert local.tolist() == [noon, MISSING, noon - 3 * US_PER_HOUR]


def test_every_state_of_brazil_has_a_zone():
    states = ("AC AL AM AP BA CE DF ES GO", "MA MG MS MT PA PB PE PI PR", "RJ RN RO RR RS SC SE SP TO")
    assert all(zone_of(f"BR-{state}") for row in states for state in row.split())
    assert zone_of("BR-XX") is None


def test_the_zone_of_an_account_wins_over_that_of_its_region():
    assert zone_of("BR-SP", "America/Manaus") == "America/Manaus"
    assert zone_of("BR-SP", "Not/AZone") is None
    assert zone_of("BR-SP", "../etc/passwd") is None


def test_weekday_zero_is_monday():
    assert weekdays(np.array([to_day(date(2026, 3, 2))]))[0] == 0


@given(zone=st.sampled_from((*ZONES, "America/New_York", "America/Noronha")), data=st.data())
def test_many_wall_clocks_are_turned_into_moments_as_one_is(zone, data):
    near = [start + offset for start, offset in zip(*(part.tolist()[1:] for part in transitions(zone)), strict=True)]
    wall = st.integers(to_us(datetime(1991, 1, 1, tzinfo=UTC)), to_us(datetime(2044, 1, 1, tzinfo=UTC)))
    if near:
        around = st.builds(lambda at, hours: at + hours * US_PER_HOUR // 2, st.sampled_from(near), st.integers(-60, 60))
        wall = wall | around
    walls = data.draw(st.lists(wall, min_size=1, max_size=20))
    found = utc_of(np.array(walls), np.zeros(len(walls), dtype=np.int32), (zone,))
    assert found.tolist() == [utc_us(one, zone) for one in walls]


@pytest.mark.parametrize("region", ["US-TX", "US-FL", "US-XX", "US"])
def test_a_state_with_two_time_zones_has_none(region):
    assert zone_of(region) is None


@given(
    moments=st.lists(st.sampled_from([MISSING, FOREVER, FOREVER - 1, 0]) | st.integers(0, 2**51), min_size=1),
    zone=st.sampled_from(ZONES),
)
def test_moments_are_turned_alike_one_by_one_and_together(moments, zone):
    many = np.array(moments * 9)
    zones = np.zeros(len(many), dtype=np.int32)
    for turn in (local_us, utc_of):
        together = turn(many, zones, (zone,)).tolist()[: len(moments)]
        assert [int(turn(many[place : place + 1], zones[:1], (zone,))[0]) for place in range(len(moments))] == together


@given(
    zone=st.integers(-1, len(ZONES) - 1),
    day=st.integers(8_000, 27_000) | st.sampled_from([MISSING, 1 << 24, -(1 << 24)]),
    hour=st.integers(0, 24),
)
def test_one_local_day_begins_when_the_same_of_many_does(zone, day, hour):
    few = utc_at(np.array([day]), hour, np.array([zone], dtype=np.int32), ZONES)
    many = utc_at(np.full(9, day), hour, np.full(9, zone, dtype=np.int32), ZONES)
    assert few[0] == many[0]


@given(zone=st.integers(-1, len(ZONES) - 1), wall=MOMENTS.map(to_us))
def test_one_wall_clock_shows_a_time_when_many_do(zone, wall):
    at = utc_of(np.full(9, wall), np.full(9, zone, dtype=np.int32), ZONES)
    assert utc_us_of(zone_table(ZONES), zone, wall) == at[0]


@pytest.mark.parametrize("zone", range(len(ZONES)))
def test_one_wall_clock_around_a_change_shows_a_time_when_many_do(zone):
    starts, _ = transitions(ZONES[zone])
    walls = [start + quarter * US_PER_HOUR // 4 for start in starts[1:].tolist() for quarter in range(-32, 33)]
    many = utc_of(np.array(walls, dtype=np.int64), np.full(len(walls), zone, dtype=np.int32), ZONES)
    assert [utc_us_of(zone_table(ZONES), zone, wall) for wall in walls] == many.tolist()
