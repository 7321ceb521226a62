"""Rates of a week beside those of the weeks before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import ndtr

from training.monitoring.chance import Floats, quantile, widened

_SPARSE = 1e-12


@dataclass(frozen=True, slots=True)
class Rate:
    """``hits`` of ``n``; ``before`` of them in ``n_before`` earlier rows.

    ``dispersion`` is by how much the variance between weeks is above that of independent rows, with ``free`` degrees of
    freedom; 1 and ``None`` where the weeks before do not show any.
    """

    hits: float
    n: float
    before: float
    n_before: float
    dispersion: float = 1.0
    free: int | None = None

    @property
    def share(self) -> float:
        """That of now."""
        return self.hits / max(self.n, 1.0)

    @property
    def share_before(self) -> float:
        """That of before."""
        return self.before / max(self.n_before, 1.0)

    @property
    def p_value(self) -> float:
        """Two-sided: Fisher's exact test; where weeks differ by more than chance, t on the widened variance."""
        if self.n < 1 or self.n_before < 1:
            return 1.0
        if self.free is None:
            return _exact(round(self.hits), round(self.n), round(self.before), round(self.n_before))
        spread = self._spread(self._pooled, self._pooled)
        if spread == 0.0:
            return 1.0
        return float(2.0 * stats.t.sf(abs(self.share - self.share_before) / spread, self.free))

    def power(self, *, size: float, least: float, alpha: float) -> float:
        """Chance that a change by ``size`` (signed) is beyond ``least`` and significant at ``alpha``."""
        after = min(max(self.share_before + size, 0.0), 1.0)
        change = abs(after - self.share_before)
        if self.n < 1 or self.n_before < 1 or change < least:
            return 0.0
        pooled = (self.before + after * self.n) / (self.n_before + self.n)
        beyond = max(least, quantile(alpha / 2.0, self.free) * self._spread(pooled, pooled))
        spread = self._spread(after, self.share_before)
        return float(change > beyond) if spread == 0.0 else float(ndtr((change - beyond) / spread))

    @property
    def _pooled(self) -> float:
        return (self.hits + self.before) / (self.n + self.n_before)

    def _spread(self, now: float, then: float) -> float:
        variance = now * (1.0 - now) / self.n + then * (1.0 - then) / self.n_before
        return float(np.sqrt(self.dispersion * variance))


def _exact(hits: int, n: int, before: int, n_before: int) -> float:
    """Fisher's test, twice the smaller tail."""
    drawn = n + n_before, hits + before, n
    return float(min(1.0, 2.0 * min(stats.hypergeom.cdf(hits, *drawn), stats.hypergeom.sf(hits - 1, *drawn))))


def dispersion(hits: Floats, n: Floats) -> tuple[float, int | None]:
    """By how much groups of weeks (g, w) of equal rates vary more than independent rows would; see ``Rate``.

    Pearson's chi-square over its degrees of freedom, over all groups together; 1 where it is not significant at 5 %.
    """
    rows, rate = n.sum(axis=1, keepdims=True), hits.sum(axis=1, keepdims=True)
    share = np.divide(rate, rows, out=np.zeros_like(rate), where=rows > 0)
    expected = n * share * (1.0 - share)
    some = expected > _SPARSE
    squares = float((np.square(hits - n * share)[some] / expected[some]).sum())
    free = int(some.sum() - some.any(axis=1).sum())
    return widened(squares, free)
