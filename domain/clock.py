"""Moments as int64 microseconds UTC, and the debtor's local days and hours.

The one place that knows calendars: everything else compares integers. A day is counted from 1970-01-01, so that
``date - date`` is a subtraction; Monday is weekday 0.
"""

from __future__ import annotations

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


def local_days(wall_us: Int64s) -> Int64s:
    """Calendar days since 1970-01-01 of wall-clock microseconds."""
    return np.floor_divide(wall_us, US_PER_DAY)


def local_hours(wall_us: Int64s) -> Int64s:
    """Hours of the day, 0 to 23, of wall-clock microseconds."""
    return np.floor_divide(np.mod(wall_us, US_PER_DAY), US_PER_HOUR)


def weekdays(days: Int64s) -> Int64s:
    """Weekdays of calendar days, Monday 0: 1970-01-01 was a Thursday."""
    return np.mod(days + 3, 7)
