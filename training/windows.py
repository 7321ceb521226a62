"""Which events of its account fall into each row's label window ``[as_of, as_of + horizon)``, to the microsecond."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.clock import US_PER_DAY
from features.spine import Spine

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class EventIndex:
    """Events sorted by account and time, ready to be searched; build it with :func:`index_events`.

    ``order`` is (m,), the positions of the events in the arrays given; ``keys`` and ``times`` serve the search.
    """

    order: Int64s
    keys: Int64s
    times: Int64s

    def bounds(self, spine: Spine, *, horizon_days: int) -> tuple[Int64s, Int64s]:
        """First and past-the-last place in ``order`` of each row's window: two (n,) arrays."""
        width = len(self.times) + 1
        account = spine.account.astype(np.int64) * width
        low = np.searchsorted(self.times, spine.as_of_us, side="left")
        high = np.searchsorted(self.times, spine.as_of_us + horizon_days * US_PER_DAY, side="left")
        # The window is half-open on both keys: ranks of distinct times keep microsecond edges exact.
        return np.searchsorted(self.keys, account + low), np.searchsorted(self.keys, account + high)

    def any_within(self, spine: Spine, *, horizon_days: int) -> Bools:
        """Whether any event falls into each row's window."""
        low, high = self.bounds(spine, horizon_days=horizon_days)
        return high > low

    def pairs(self, spine: Spine, *, horizon_days: int) -> tuple[Int64s, Int64s]:
        """Every (row of the spine, position of an event in its window)."""
        low, high = self.bounds(spine, horizon_days=horizon_days)
        counts = high - low
        rows = np.repeat(np.arange(len(low)), counts)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        return rows, self.order[low[rows] + within]


def index_events(account: npt.NDArray[np.int32], at_us: Int64s) -> EventIndex:
    """Index of events by account and time; events of no known account (negative) are left out."""
    order = np.lexsort((at_us, account))
    order = order[account[order] >= 0]
    times = np.unique(at_us[order])
    ranks = np.searchsorted(times, at_us[order])
    return EventIndex(order, account[order].astype(np.int64) * (len(times) + 1) + ranks, times)
