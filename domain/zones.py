"""Wall clocks of many time zones as arrays: what shows where at a moment, and at which moment it first shows.

``domain.clock`` knows the zones and turns single moments; here are tables of their changes, for compiled code.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, US_PER_DAY, US_PER_HOUR, Int64s, transitions, utc_us
from domain.compiled import compiled

Int32s = npt.NDArray[np.int32]
_FEW = 8
"""Up to so many moments are cheaper one by one than as arrays."""
_FAR, _FAR_DAYS = 1 << 62, 1 << 24


class Zones(NamedTuple):
    """Offsets of time zones: zone ``z`` has ``starts[bounds[z]:bounds[z + 1]]`` and the offset that holds from each."""

    starts: Int64s
    offsets: Int64s
    bounds: Int64s


@lru_cache(maxsize=512)
def zone_table(names: tuple[str, ...]) -> Zones:
    """The transitions of some IANA zones, one after the other."""
    pairs = [transitions(name) for name in names]
    if not pairs:
        none = np.zeros(0, dtype=np.int64)
        return Zones(none, none, np.zeros(1, dtype=np.int64))
    bounds = np.cumsum([0, *(len(starts) for starts, _ in pairs)]).astype(np.int64)
    if len(pairs) == 1:
        return Zones(*pairs[0], bounds)
    return Zones(np.concatenate([pair[0] for pair in pairs]), np.concatenate([pair[1] for pair in pairs]), bounds)


@compiled
def offset_us(zones: Zones, zone: int, moment_us: int) -> int:
    """What the wall clock of a zone shows beyond UTC at a moment; 0 where the zone is unknown."""
    if zone < 0:
        return 0
    low, high = zones.bounds[zone], zones.bounds[zone + 1]
    while high - low > 1:
        middle = (low + high) // 2
        if zones.starts[middle] <= moment_us:
            low = middle
        else:
            high = middle
    return int(zones.offsets[low])


@compiled
def utc_us_of(zones: Zones, zone: int, wall_us: int) -> int:
    """The moment at which the wall clock of a zone first shows a time, as ``clock.utc_us`` gives it."""
    if zone < 0:
        return wall_us
    # No zone changes twice within two days: the offset is that of the day before, or that of the day after.
    early = wall_us - offset_us(zones, zone, wall_us - US_PER_DAY)
    late = wall_us - offset_us(zones, zone, wall_us + US_PER_DAY)
    holds = wall_us - offset_us(zones, zone, early) == early
    later = wall_us - offset_us(zones, zone, late) == late
    return late if later and not holds else early


def _are_few(moments_us: Int64s) -> bool:
    """Whether they are better looked at one by one: not many, and none where a sum leaves 64 bits."""
    return len(moments_us) <= _FEW and all(-_FAR < at < _FAR or at == MISSING for at in moments_us.tolist())


def _wall_at(moment_us: int, name: str) -> int:
    starts, offsets = _transitions(name)
    return moment_us + offsets[bisect_right(starts, moment_us) - 1]


@lru_cache(maxsize=512)
def _transitions(name: str) -> tuple[list[int], list[int]]:
    starts, offsets = transitions(name)
    return starts.tolist(), offsets.tolist()


def _turned(
    moments_us: Int64s,
    zones: Int32s,
    names: tuple[str, ...],
    *,
    one: Callable[[int, str], int],
    many: Callable[[Zones, Int32s, Int64s], None],
) -> Int64s:
    """Each moment turned in its own zone: few one by one, many in place by compiled code."""
    if _are_few(moments_us):
        pairs = zip(moments_us.tolist(), zones.tolist(), strict=True)
        few = [at if zone < 0 or at == MISSING else one(at, names[zone]) for at, zone in pairs]
        return np.array(few, dtype=np.int64)
    turned = np.array(moments_us)
    many(zone_table(names), np.ascontiguousarray(zones), turned)
    return turned


def local_us(moments_us: Int64s, zones: Int32s, names: tuple[str, ...]) -> Int64s:
    """Wall-clock microseconds of each moment in its own zone; ``MISSING`` stays ``MISSING``.

    Parameters
    ----------
    moments_us : (n,) moments, UTC
    zones : (n,) index into ``names``; a negative one means the zone is unknown, and UTC is used
    names : IANA zones
    """
    return _turned(moments_us, zones, names, one=_wall_at, many=_to_wall)


@compiled
def _to_wall(zones: Zones, zone_of: Int32s, moments_us: Int64s) -> None:
    for row in range(len(moments_us)):
        if moments_us[row] != MISSING:
            moments_us[row] += offset_us(zones, zone_of[row], moments_us[row])


def utc_of(wall_us: Int64s, zones: Int32s, names: tuple[str, ...]) -> Int64s:
    """Moments (n,) as ``clock.utc_us`` gives them, each wall clock in its own zone; ``MISSING`` stays ``MISSING``.

    Where the zone is unknown, UTC stands in.
    """
    return _turned(wall_us, zones, names, one=utc_us, many=_to_utc)


@compiled
def _to_utc(zones: Zones, zone_of: Int32s, wall_us: Int64s) -> None:
    for row in range(len(wall_us)):
        if wall_us[row] != MISSING:
            wall_us[row] = utc_us_of(zones, zone_of[row], wall_us[row])


def utc_at(days: Int64s, hours: Int64s | int, zones: Int32s, names: tuple[str, ...]) -> Int64s:
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
