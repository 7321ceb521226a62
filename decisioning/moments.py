"""Moments of the debtor's local day as spans of UTC time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, US_PER_DAY, US_PER_HOUR, utc_us

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
    _known: dict[tuple[int, int], int] = field(default_factory=dict, repr=False, compare=False)

    def at(self, days: Int64s, *, hour: int = 0) -> Int64s:
        """(n,) moments at which each row's wall clock shows ``hour`` on local ``days``; ``MISSING`` stays."""
        wall = np.where(days == MISSING, MISSING, days * US_PER_DAY + hour * US_PER_HOUR)
        pairs, inverse = np.unique(np.stack([wall, self.zone.astype(np.int64)]), axis=1, return_inverse=True)
        found = np.array([self._moment(*pair) for pair in pairs.T.tolist()], dtype=np.int64)
        return found[inverse.reshape(-1)] if len(found) else np.zeros(0, dtype=np.int64)

    def _moment(self, wall_us: int, zone: int) -> int:
        if wall_us == MISSING or zone < 0:
            return wall_us
        if (wall_us, zone) not in self._known:
            self._known[wall_us, zone] = utc_us(wall_us, self.names[zone])
        return self._known[wall_us, zone]

    def span(self, hours: tuple[int, int], *, days_ahead: int = 0) -> tuple[Int64s, Int64s]:
        """Start and end (n,), half-open, of some hours of the local day, or of one ``days_ahead``."""
        day = self.day + days_ahead
        if hours[1] == 24:
            return self.at(day, hour=hours[0]), self.at(day + 1)
        return self.at(day, hour=hours[0]), self.at(day, hour=hours[1])
