"""Moments as int64 microseconds UTC, and the debtor's local days and hours.

The one place that knows calendars: everything else compares integers. A day is counted from 1970-01-01, so that
``date - date`` is a subtraction; Monday is weekday 0.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]

US_PER_SECOND = 1_000_000
US_PER_HOUR = 3_600 * US_PER_SECOND
US_PER_DAY = 86_400 * US_PER_SECOND
MISSING = np.iinfo(np.int64).min
"""What stands for "no value" in a column of moments, days or cents."""
FOREVER = np.iinfo(np.int64).max
_FEW = 8
"""Up to so many moments are cheaper one by one than as arrays."""
_FAR, _FAR_DAYS = 1 << 62, 1 << 24
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1)

# IBGE state → IANA zone of its capital; the state, not the municipality, is what a portfolio knows.
_BRAZIL = {
    "AC": "America/Rio_Branco",
    "AL": "America/Maceio",
    "AM": "America/Manaus",
    "AP": "America/Belem",
    "BA": "America/Bahia",
    "CE": "America/Fortaleza",
    "DF": "America/Sao_Paulo",
    "ES": "America/Sao_Paulo",
    "GO": "America/Sao_Paulo",
    "MA": "America/Fortaleza",
    "MG": "America/Sao_Paulo",
    "MS": "America/Campo_Grande",
    "MT": "America/Cuiaba",
    "PA": "America/Belem",
    "PB": "America/Fortaleza",
    "PE": "America/Recife",
    "PI": "America/Fortaleza",
    "PR": "America/Sao_Paulo",
    "RJ": "America/Sao_Paulo",
    "RN": "America/Fortaleza",
    "RO": "America/Porto_Velho",
    "RR": "America/Boa_Vista",
    "RS": "America/Sao_Paulo",
    "SC": "America/Sao_Paulo",
    "SE": "America/Maceio",
    "SP": "America/Sao_Paulo",
    "TO": "America/Araguaina",
}
# States of the USA that lie in one time zone as a whole; of the others the state alone does not tell the hour.
_USA = {
    **dict.fromkeys(
        ("CT", "DC", "DE", "GA", "MA", "MD", "ME", "NC", "NH", "NJ", "NY", "OH", "PA", "RI", "SC", "VA", "VT", "WV"),
        "America/New_York",
    ),
    **dict.fromkeys(("AL", "AR", "IA", "IL", "LA", "MN", "MO", "MS", "OK", "WI"), "America/Chicago"),
    **dict.fromkeys(("CO", "MT", "NM", "UT", "WY"), "America/Denver"),
    **dict.fromkeys(("CA", "NV", "WA"), "America/Los_Angeles"),
    "AZ": "America/Phoenix",
    "HI": "Pacific/Honolulu",
    "PR": "America/Puerto_Rico",
}
_STATES = {"BR": _BRAZIL, "US": _USA}
_COUNTRY = {"NG": "Africa/Lagos", "PT": "Europe/Lisbon", "TW": "Asia/Taipei", "HK": "Asia/Hong_Kong"}


def to_us(moment: datetime) -> int:
    """An aware datetime as microseconds since 1970-01-01 UTC; a naive one is a ``ValueError``."""
    if moment.tzinfo is None:
        raise ValueError(f"found the naive time {moment.isoformat()}, needed one with an offset, such as Z or -03:00")
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * US_PER_SECOND + since.microseconds


def from_us(moment_us: int) -> datetime:
    """The aware UTC datetime of a number of microseconds."""
    return _EPOCH + timedelta(microseconds=int(moment_us))


def parse_moment(text: str) -> datetime:
    """An RFC 3339 time with offset, as UTC.

    Raises
    ------
    ValueError : the text is no time, or has no offset

    >>> parse_moment("2026-03-02T09:00:00-03:00").isoformat()
    '2026-03-02T12:00:00+00:00'
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"found {text!r}, a time without offset; needed one such as 2026-03-02T12:00:00Z")
    return moment.astimezone(UTC)


def rfc3339(moment: datetime | int) -> str:
    """A moment as RFC 3339 text in UTC, ending in Z.

    >>> rfc3339(0)
    '1970-01-01T00:00:00Z'
    """
    aware = from_us(moment) if isinstance(moment, int) else moment.astimezone(UTC)
    return aware.isoformat().replace("+00:00", "Z")


def rfc3339_in(moment_us: int, zone: str | None) -> str:
    """A moment as RFC 3339 text with the offset of a zone; in UTC where the zone is not known.

    >>> rfc3339_in(0, "America/Sao_Paulo"), rfc3339_in(0, None)
    ('1969-12-31T21:00:00-03:00', '1970-01-01T00:00:00Z')
    """
    known = _zone(zone) if zone else None
    return rfc3339(moment_us) if known is None else from_us(moment_us).astimezone(known).isoformat()


def to_day(day: date) -> int:
    """A calendar day as days since 1970-01-01."""
    return (day - _EPOCH_DAY).days


def from_day(day: int) -> date:
    """The calendar day of a number of days since 1970-01-01."""
    return _EPOCH_DAY + timedelta(days=int(day))


def zone_of(region: str | None, timezone: str | None = None) -> str | None:
    """The IANA zone of an account: its own, else that of its ISO 3166-2 region; ``None`` where neither is known.

    >>> zone_of("BR-AM"), zone_of("US-NY"), zone_of(None, "Europe/Lisbon"), zone_of("US-TX")
    ('America/Manaus', 'America/New_York', 'Europe/Lisbon', None)
    """
    if timezone:
        return timezone if _zone(timezone) is not None else None
    if not region:
        return None
    country, _, state = region.partition("-")
    return _STATES[country].get(state) if country in _STATES else _COUNTRY.get(country)


@lru_cache(maxsize=512)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _offset_us(zone: ZoneInfo, moment_us: int) -> int:
    offset = from_us(moment_us).astimezone(zone).utcoffset()
    return int((offset or timedelta(0)) / timedelta(microseconds=1))


@lru_cache(maxsize=512)
def transitions(name: str) -> tuple[Int64s, Int64s]:
    """Moments at which the zone's offset changes between 1990 and 2045, and the offset from each on."""
    zone = _zone(name)
    if zone is None:
        raise ValueError(f"found the time zone {name!r}, needed an IANA name such as America/Sao_Paulo")
    starts, offsets = [MISSING], [_offset_us(zone, to_us(datetime(1990, 1, 1, tzinfo=UTC)))]
    step = 7 * US_PER_DAY
    low = to_us(datetime(1990, 1, 1, tzinfo=UTC))
    while low < to_us(datetime(2045, 1, 1, tzinfo=UTC)):
        high = low + step
        if _offset_us(zone, high) != offsets[-1]:
            before, after = low, high
            while after - before > US_PER_SECOND:
                middle = (before + after) // 2
                before, after = (middle, after) if _offset_us(zone, middle) == offsets[-1] else (before, middle)
            starts.append(after - after % US_PER_SECOND)
            offsets.append(_offset_us(zone, high))
        low = high
    return np.array(starts, dtype=np.int64), np.array(offsets, dtype=np.int64)


def _are_few(moments_us: Int64s) -> bool:
    """Whether they are better looked at one by one: not many, and none where a sum leaves 64 bits."""
    return len(moments_us) <= _FEW and all(-_FAR < at < _FAR or at == MISSING for at in moments_us.tolist())


def _offset_at(moment_us: int, name: str) -> int:
    starts, offsets = _transitions(name)
    return offsets[bisect_right(starts, moment_us) - 1]


@lru_cache(maxsize=512)
def _transitions(name: str) -> tuple[list[int], list[int]]:
    starts, offsets = transitions(name)
    return starts.tolist(), offsets.tolist()


def local_us(moments_us: Int64s, zones: npt.NDArray[np.int32], names: tuple[str, ...]) -> Int64s:
    """Wall-clock microseconds of each moment in its own zone; ``MISSING`` stays ``MISSING``.

    Parameters
    ----------
    moments_us : (n,) moments, UTC
    zones : (n,) index into ``names``; a negative one means the zone is unknown, and UTC is used
    names : IANA zones
    """
    if _are_few(moments_us):
        pairs = zip(moments_us.tolist(), zones.tolist(), strict=True)
        few = [at if zone < 0 or at == MISSING else at + _offset_at(at, names[zone]) for at, zone in pairs]
        return np.array(few, dtype=np.int64)
    local = moments_us.copy()
    for index, name in enumerate(names):
        rows = (zones == index) & (moments_us != MISSING)
        if rows.any():
            starts, offsets = transitions(name)
            there = moments_us[rows]
            local[rows] = there + offsets[np.searchsorted(starts, there, side="right") - 1]
    return local


@lru_cache(maxsize=65_536)
def utc_us(local_moment_us: int, name: str) -> int:
    """The moment at which the wall clock of a zone first shows a time, at or after a gap where it never does."""
    starts, offsets = transitions(name)
    for offset in sorted(set(offsets.tolist()), reverse=True):
        moment = local_moment_us - offset
        if offsets[int(np.searchsorted(starts, moment, side="right")) - 1] == offset:
            return int(moment)
    # The wall clock jumps over this time: the offset before the jump gives a moment after it, never one before.
    before = int(np.searchsorted(starts, local_moment_us - US_PER_DAY, side="right")) - 1
    return local_moment_us - int(offsets[before])


def utc_of(wall_us: Int64s, zones: npt.NDArray[np.int32], names: tuple[str, ...]) -> Int64s:
    """Moments (n,) as :func:`utc_us` gives them, each wall clock in its own zone; ``MISSING`` stays ``MISSING``.

    Where the zone is unknown, UTC stands in.
    """
    if _are_few(wall_us):
        pairs = zip(wall_us.tolist(), zones.tolist(), strict=True)
        few = [wall if zone < 0 or wall == MISSING else utc_us(wall, names[zone]) for wall, zone in pairs]
        return np.array(few, dtype=np.int64)
    moments = wall_us.copy()
    for index, name in enumerate(names):
        rows = (zones == index) & (wall_us != MISSING)
        if rows.any():
            starts, offsets = transitions(name)
            wall = wall_us[rows]
            # No zone changes twice within two days: the offset is that of the day before, or that of the day after.
            early = wall - offsets[np.searchsorted(starts, wall - US_PER_DAY, side="right") - 1]
            late = wall - offsets[np.searchsorted(starts, wall + US_PER_DAY, side="right") - 1]
            holds = wall - offsets[np.searchsorted(starts, early, side="right") - 1] == early
            later = wall - offsets[np.searchsorted(starts, late, side="right") - 1] == late
            moments[rows] = np.where(~holds & later, late, early)
    return moments


def utc_at(days: Int64s, hours: Int64s | int, zones: npt.NDArray[np.int32], names: tuple[str, ...]) -> Int64s:
    """Moments (n,) at which wall clocks show an hour on local days; ``MISSING`` stays, else as ``utc_of``."""
    if len(days) == 1 and isinstance(hours, int) and -_FAR_DAYS < (day := int(days[0])) < _FAR_DAYS:
        wall, zone = day * US_PER_DAY + hours * US_PER_HOUR, int(zones[0])
        return np.array([wall if zone < 0 else utc_us(wall, names[zone])], dtype=np.int64)
    if len(days) <= _FEW and all(-_FAR_DAYS < day < _FAR_DAYS for day in days.tolist()):
        each = [hours] * len(days) if isinstance(hours, int) else hours.tolist()
        walls = [day * US_PER_DAY + hour * US_PER_HOUR for day, hour in zip(days.tolist(), each, strict=True)]
        pairs = zip(walls, zones.tolist(), strict=True)
        return np.array([wall if zone < 0 else utc_us(wall, names[zone]) for wall, zone in pairs], dtype=np.int64)
    wall_us = days * US_PER_DAY + np.asarray(hours, dtype=np.int64) * US_PER_HOUR
    return utc_of(np.where(days == MISSING, MISSING, wall_us).astype(np.int64), zones, names)


def local_days(wall_us: Int64s) -> Int64s:
    """Calendar days since 1970-01-01 of wall-clock microseconds."""
    return np.floor_divide(wall_us, US_PER_DAY)


def local_hours(wall_us: Int64s) -> Int64s:
    """Hours of the day, 0 to 23, of wall-clock microseconds."""
    return np.floor_divide(np.mod(wall_us, US_PER_DAY), US_PER_HOUR)


def weekdays(days: Int64s) -> Int64s:
    """Weekdays of calendar days, Monday 0: 1970-01-01 was a Thursday."""
    return np.mod(days + 3, 7)
