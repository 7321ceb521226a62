"""By how many hours a profile of hours was moved: what a wrong time zone does to it."""

from __future__ import annotations

import numpy as np

from domain.clock import Int64s

_HOURS = 24
_CLEARLY = 0.5


def best_shift(now: Int64s, before: Int64s) -> int | None:
    """Hours, -11 to 12, by which moving the earlier profile makes it the later one; ``None`` where no move does.

    Parameters
    ----------
    now, before : (24,) rows by hour

    Notes
    -----
    The distance is that of Hellinger. A move counts where it leaves at most half of what there is without it.
    """
    roots = np.sqrt(now / max(now.sum(), 1)), np.sqrt(before / max(before.sum(), 1))
    distances = [float(((roots[0] - np.roll(roots[1], shift)) ** 2).sum()) for shift in range(_HOURS)]
    best = int(np.argmin(distances))
    if best == 0 or distances[best] > _CLEARLY * distances[0]:
        return None
    return best if best <= _HOURS // 2 else best - _HOURS


def shifted(hours: int | None) -> str:
    """The same for people.

    >>> shifted(-3), shifted(None)
    ('as if moved by -3 h', 'not as a whole')
    """
    return "not as a whole" if hours is None else f"as if moved by {hours:+d} h"
