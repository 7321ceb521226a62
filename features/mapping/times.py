"""Days and moments as other systems write them: strptime formats, time zones, and what a wall clock cannot tell.

A wall clock jumps over an hour when summer time begins and shows one twice when it ends. A time that it never showed is
moved forward by the jump, and of two the later is taken: what is uncertain is known too late rather than too early.
"""

from __future__ import annotations

import re

from features.quoting import name_sql, text_sql
from features.reading_columns import column_sql

ZONED_TYPE = r"TIMESTAMP WITH TIME ZONE|TIMESTAMPTZ_NS"
NAIVE_TYPE = r"TIMESTAMP(_S|_MS|_NS)?|DATE"
TEXT_TYPE = "VARCHAR"
_FIRST_YEAR = 1000
_HOURS = re.compile(r"%-?[HIcXTfs]")
_LOCAL_ISO = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.]\d+)?)?)?"


def has_offset(format_: str) -> bool:
    """Whether what such a format reads says its own offset."""
    return "%z" in format_ or "%Z" in format_


def has_hours(format_: str) -> bool:
    """Whether what such a format reads is more than a day."""
    return _HOURS.search(format_) is not None


def read_sql(column: str, formats: tuple[str, ...]) -> str:
    """A text column by the first of the formats that fits: TIMESTAMPTZ where they say offsets, else TIMESTAMP."""
    return f"try_strptime({name_sql(column)}, [{', '.join(text_sql(format_) for format_ in formats)}])"


def moment_sql(column: str, *, found: str, zone: str | None, plus_days: int) -> str:
    """A column of DuckDB type ``found`` as TIMESTAMPTZ; NULL where it is not written as stated, or lacks a zone."""
    name = name_sql(column)
    if re.fullmatch(ZONED_TYPE, found):
        return _shifted(_plausible(f"CAST({name} AS TIMESTAMPTZ)"), plus_days)
    if re.fullmatch(NAIVE_TYPE, found):
        return _in_zone(_plausible(f"CAST({name} AS TIMESTAMP)"), zone, plus_days)
    aware = _shifted(f"make_timestamptz({column_sql('moment', name=column, found=TEXT_TYPE).value})", plus_days)
    local = f"CASE WHEN regexp_full_match({name}, '{_LOCAL_ISO}') THEN TRY_CAST({name} AS TIMESTAMP) END"
    return aware if zone is None else f"coalesce({aware}, {_in_zone(local, zone, plus_days)})"


def day_sql(column: str, *, found: str, zone: str | None, plus_days: int) -> str:
    """A column of DuckDB type ``found`` as DATE: the day that is written, or that of a moment in its zone."""
    name = name_sql(column)
    if re.fullmatch(ZONED_TYPE, found):
        day = f"timezone({text_sql(zone or 'UTC')}, {_plausible(f'CAST({name} AS TIMESTAMPTZ)')})"
    elif re.fullmatch(NAIVE_TYPE, found):
        day = _plausible(name)
    else:
        day = f"CASE WHEN regexp_full_match({name}, '\\d{{4}}-\\d{{2}}-\\d{{2}}') THEN TRY_CAST({name} AS DATE) END"
    return f"CAST(CAST({day} AS DATE) + to_days({plus_days}) AS DATE)" if plus_days else f"CAST({day} AS DATE)"


def _plausible(time: str) -> str:
    """%Y would take the 26 of 1/2/26 for a year of the first century."""
    return f"CASE WHEN year({time}) >= {_FIRST_YEAR} THEN {time} END"


def _shifted(moment: str, days: int) -> str:
    return f"({moment} + to_days({days}))" if days else moment


def _in_zone(local: str, zone: str | None, days: int) -> str:
    """Days are added on the wall clock, so that the beginning of a day stays one when summer time begins."""
    if zone is None:
        return "CAST(NULL AS TIMESTAMPTZ)"
    return f"timezone({text_sql(zone)}, {_shifted(local, days)})"
