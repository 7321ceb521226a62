"""Volumes of a week beside those of the weeks before."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats
from scipy.special import ndtr

from training.monitoring.chance import Floats, quantile, widened


@dataclass(frozen=True, slots=True)
class Volume:
    """A ``count`` beside the ``mean`` that other weeks let expect, which has a variance of ``extra`` itself.

    ``dispersion`` and ``free`` are as in ``Rate``, of counts beside those of a Poisson process.
    """

    count: float
    mean: float
    extra: float
    dispersion: float = 1.0
    free: int | None = None

    @property
    def p_value(self) -> float:
        """Two-sided, by the normal distribution, or t where weeks vary by more than chance."""
        spread = self._spread(self.mean)
        if spread == 0.0:
            return 1.0
        size = abs(self.count - self.mean) / spread
        return float(2.0 * (stats.norm.sf(size) if self.free is None else stats.t.sf(size, self.free)))

    def power(self, *, size: float, least: float, alpha: float) -> float:
        """Chance that a count lower by the share ``size`` is beyond the share ``least`` and significant."""
        if self.mean <= 0:
            return 0.0
        beyond = max(least * self.mean, quantile(alpha / 2.0, self.free) * self._spread(self.mean))
        return float(ndtr((size * self.mean - beyond) / self._spread(self.mean * (1.0 - size))))

    def _spread(self, now: float) -> float:
        return float(np.sqrt(self.dispersion * (now + self.extra)))


def volumes_beside(counts: Floats, days: Floats, before: tuple[Floats, Floats]) -> list[Volume]:
    """Weeks beside those before, each day beside the days of the same part of the month.

    Parameters
    ----------
    counts, days : (weeks, parts) what was counted, and how many days of each part of the month a week has
    before : the same of the weeks before
    """
    others = _expected(*before, counts=before[0], days=before[1], own=True)
    squares = [(one.count - one.mean) ** 2 / (one.mean + one.extra) for one in others if one.mean > 0]
    spread, free = widened(sum(squares), len(squares) - 1)
    return [replace(one, dispersion=spread, free=free) for one in _expected(*before, counts=counts, days=days)]


def _expected(
    counts_before: Floats, days_before: Floats, *, counts: Floats, days: Floats, own: bool = False
) -> list[Volume]:
    """What the days before let expect of each week; without its ``own`` ones where it is among them."""
    found = []
    for place, (count, there) in enumerate(zip(counts, days, strict=True)):
        total, known = counts_before.sum(axis=0), days_before.sum(axis=0)
        if own:
            total, known = total - counts_before[place], known - days_before[place]
        some = known > 0
        daily = np.divide(total, known, out=np.zeros_like(total), where=some)
        # Days of a part that no other week has are left out on both sides.
        mean, extra = (daily * there)[some].sum(), (there[some] ** 2 * daily[some] / known[some]).sum()
        found.append(Volume(float(count[some].sum()), float(mean), float(extra)))
    return found
