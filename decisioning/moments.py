"""Moments of the debtor's local day as spans of UTC time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.clock import local_days
from domain.zones import local_us, utc_at

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class LocalDays:
    """The local day on which each row is decided, and where its hours lie in UTC.

    ``as_of_us`` (n,); ``day`` (n,) local calendar day; ``zone`` (n,) index into ``names``, negative where the zone is
    unknown, for which UTC stands in and every contact is refused.
    """

    as_of_us: Int64s
    day: Int64s
    zone: npt.NDArray[np.int32]
    names: tuple[str, ...]

    def at(self, days: Int64s, *, hour: int | Int64s = 0) -> Int64s:
        """(n,) moments at which each row's wall clock shows ``hour`` on local ``days``; ``MISSING`` stays."""
        return utc_at(days, hour, self.zone, self.names)

    def span(self, hours: tuple[int, int], *, days_ahead: int = 0) -> tuple[Int64s, Int64s]:
        """Start and end (n,), half-open, of some hours of the local day, or of one ``days_ahead``."""
        day = self.day + days_ahead
        return self.at(day, hour=hours[0]), self.at(day + hours[1] // 24, hour=hours[1] % 24)

    def rows(self, rows: npt.NDArray[np.int64], at_us: Int64s) -> LocalDays:
        """Some rows at other moments, on the local days of those; a row may stand there more than once."""
        zone = self.zone[rows]
        return LocalDays(at_us, local_days(local_us(at_us, zone, self.names)), zone, self.names)
