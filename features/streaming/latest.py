"""The moment at which data end, from pieces: of all moments only the latest few can be it, and only they are kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from domain.clock import MISSING, Int64s
from features.gates.looking import Ends
from features.gates.measuring import later_rows


class Latest:
    """The latest moments of one table that do not lie in the future, as many as may matter among ``most_rows``."""

    def __init__(self, now_us: int, most_rows: int) -> None:
        self._now, self._most = now_us, later_rows(most_rows) + 1
        self.dated, self.count, self.last = False, 0, MISSING
        self.moments = np.empty(0, dtype=np.int64)

    def add(self, moments: Int64s | None) -> None:
        """Takes in those of a piece; none of a table without moments."""
        if moments is None:
            return
        self.dated = True
        past = moments[(moments != MISSING) & (moments <= self._now)]
        if not len(past):
            return
        self.count += len(past)
        self.last = max(self.last, int(past.max()))
        self.moments = np.append(self.moments, past)
        if len(self.moments) > 4 * self._most:
            self.moments = np.partition(self.moments, -self._most)[-self._most :]


def ends_of(tables: Mapping[str, Latest], *, now_us: int) -> Ends:
    """As ``features.gates.measuring.ends_of``."""
    last = {name: latest.last for name, latest in tables.items() if latest.dated}
    count = sum(latest.count for latest in tables.values())
    if not count:
        return Ends(now_us, last)
    moments = np.concatenate([latest.moments for latest in tables.values()])
    place = len(moments) - 1 - later_rows(count)
    return Ends(int(np.partition(moments, place)[place]), last)
