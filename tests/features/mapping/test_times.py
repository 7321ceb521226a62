"""Days and moments as other systems write them, beside the calendar of Python."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.mapping.times import day_sql, has_hours, has_offset, moment_sql, read_sql

ZONES = ["America/Sao_Paulo", "America/New_York", "Europe/Lisbon", "Africa/Lagos", "Australia/Lord_Howe", "UTC"]
SECONDS = "%Y-%m-%d %H:%M:%S"
WALLS = st.integers(0, 26 * 365 * 86_400).map(
    lambda seconds: datetime.fromisoformat("2000-01-01") + timedelta(seconds=seconds)
)
DUCKDB = duckdb.connect()
DUCKDB.execute("SET TimeZone = 'UTC'")


def layered(formats: tuple[str, ...]) -> tuple[str, str]:
    """The FROM clause of a column ``r`` as a mapping reads it before it makes a value of it, and its type."""
    if not formats:
        return "(SELECT ? AS r)", "VARCHAR"
    aware = "TIMESTAMP WITH TIME ZONE" if has_offset(formats[0]) else "TIMESTAMP"
    return f"(SELECT {read_sql('x', formats)} AS r FROM (SELECT ? AS x))", aware


def moment(text: str, *formats: str, zone: str | None = None, plus_days: int = 0) -> datetime | None:
    source, found = layered(formats)
    sql = moment_sql("r", found=found, zone=zone, plus_days=plus_days)
    us = DUCKDB.execute(f"SELECT epoch_us({sql}) FROM {source}", [text]).fetchall()[0][0]
    return None if us is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)


def day(text: str, *formats: str, zone: str | None = None, plus_days: int = 0) -> object:
    source, found = layered(formats)
    sql = day_sql("r", found=found, zone=zone, plus_days=plus_days)
    return DUCKDB.execute(f"SELECT {sql} FROM {source}", [text]).fetchall()[0][0]


def later_of_two(wall: datetime, zone: str) -> datetime:
    """What Python makes of a wall clock with either fold; the later of both."""
    return max(wall.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))


@given(wall=WALLS, zone=st.sampled_from(ZONES))
def test_a_wall_clock_is_read_in_its_zone_and_as_the_later_of_two(wall: datetime, zone: str) -> None:
    assert moment(wall.strftime(SECONDS), SECONDS, zone=zone) == later_of_two(wall, zone)


@given(wall=WALLS, zone=st.sampled_from(ZONES))
def test_without_a_format_a_local_time_is_read_as_iso(wall: datetime, zone: str) -> None:
    assert moment(wall.isoformat(), zone=zone) == later_of_two(wall, zone)


@given(wall=WALLS, minutes=st.integers(-14 * 60, 14 * 60), zone=st.sampled_from([None, *ZONES]))
def test_an_offset_in_the_text_counts_and_no_zone_beside_it(wall: datetime, minutes: int, zone: str | None) -> None:
    sign, hours, rest = "-" if minutes < 0 else "+", abs(minutes) // 60, abs(minutes) % 60
    text = f"{wall.isoformat()}{sign}{hours:02}:{rest:02}"
    assert moment(text, zone=zone) == (wall - timedelta(minutes=minutes)).replace(tzinfo=UTC)


def test_a_time_that_the_clock_jumped_over_is_moved_forward_by_the_jump() -> None:
    # Summer time began in São Paulo on 4 November 2018: 00:00 was 01:00 at once.
    assert moment("04/11/2018 00:30", "%d/%m/%Y %H:%M", zone="America/Sao_Paulo") == datetime(
        2018, 11, 4, 3, 30, tzinfo=UTC
    )


def test_of_a_time_that_the_clock_showed_twice_the_later_is_taken() -> None:
    # It ended on 18 February 2018: 23:00 to 24:00 of the day before came twice.
    assert moment("17/02/2018 23:30", "%d/%m/%Y %H:%M", zone="America/Sao_Paulo") == datetime(
        2018, 2, 18, 2, 30, tzinfo=UTC
    )


def test_a_time_without_offset_and_zone_is_none() -> None:
    assert moment("2026-01-01 10:00:00") is None


def test_days_are_added_on_the_wall_clock() -> None:
    # The fourth of November 2018 has 23 hours in São Paulo.
    begins = moment("2018-11-03", "%Y-%m-%d", zone="America/Sao_Paulo", plus_days=2)
    assert begins == datetime(2018, 11, 5, 2, tzinfo=UTC)


@given(found=st.dates(date(1970, 1, 1), date(2099, 12, 31)), plus_days=st.integers(-366, 366))
def test_a_day_reads_as_it_was_written(found: date, plus_days: int) -> None:
    assert day(found.strftime("%d/%m/%Y"), "%d/%m/%Y", plus_days=plus_days) == found + timedelta(days=plus_days)


@given(text=st.text(max_size=20), zone=st.sampled_from([None, *ZONES]))
def test_any_text_is_a_time_or_none(text: str, zone: str | None) -> None:
    found = moment(text.replace("\x00", ""), zone=zone)
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize("text", ["31/02/2026", "02/13/2026", "1/1/26", "01/01/2026 extra", "2026-01-01"])
def test_a_day_written_otherwise_is_refused(text: str) -> None:
    assert day(text, "%d/%m/%Y") is None


def test_of_several_formats_the_first_that_fits_counts() -> None:
    assert [day(text, "%d/%m/%Y", "%Y-%m-%d") for text in ("03/02/2026", "2026-02-03")] == [date(2026, 2, 3)] * 2


def test_the_day_of_a_moment_is_that_of_its_zone() -> None:
    assert day("2026-03-01T01:00:00+0000", "%Y-%m-%dT%H:%M:%S%z", zone="America/Sao_Paulo") == date(2026, 2, 28)


@pytest.mark.parametrize(("format_", "hours"), [("%d/%m/%Y", False), ("%Y-%m-%d %H:%M", True), ("%c", True)])
def test_formats_with_hours_are_told_from_days(format_: str, hours: bool) -> None:
    assert has_hours(format_) is hours
