"""What chance alone makes of nothing: p-values of shifts, rates and volumes, and the power to see a change.

Rows are independent debtors on both sides. The power is that of the same test at the level which a change has in its
family, for a change of a stated size; a week that could not have seen it is no green one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.optimize import brentq
from scipy.special import chdtrc

from features.reference import FeatureReference
from features.stability import stability
from training.windows import Int64s

Floats = npt.NDArray[np.float64]
LEAST_EXPECTED = 5.0
"""A bin in which fewer rows are expected is joined with the next, for the p-value: chi-square asks for so many."""
_HETEROGENEOUS = 0.05
_SPARSE = 1e-12


def joined(expected: Floats) -> Int64s:
    """(bins,) which joined bin each belongs to, so that every one expects enough; the last few join the one before.

    >>> joined(np.array([9.0, 2.0, 2.0, 3.0, 1.0])).tolist()
    [0, 1, 1, 1, 1]
    """
    found, held = [0], expected[0]
    for one in expected[1:].tolist():
        if held >= LEAST_EXPECTED:
            found, held = [*found, found[-1] + 1], one
        else:
            found, held = [*found, found[-1]], held + one
    last = found[-1]
    if held < LEAST_EXPECTED and last:
        found = [min(one, last - 1) for one in found]
    return np.array(found, dtype=np.int64)


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
        tail = stats.norm.isf(alpha / 2.0) if self.free is None else stats.t.isf(alpha / 2.0, self.free)
        beyond = max(least, float(tail) * self._spread(pooled, pooled))
        spread = self._spread(after, self.share_before)
        return float(change > beyond) if spread == 0.0 else float(stats.norm.cdf((change - beyond) / spread))

    @property
    def _pooled(self) -> float:
        return (self.hits + self.before) / (self.n + self.n_before)

    def _spread(self, now: float, then: float) -> float:
        variance = now * (1.0 - now) / self.n + then * (1.0 - then) / self.n_before
        return float(np.sqrt(self.dispersion * variance))


def _exact(hits: int, n: int, before: int, n_before: int) -> float:
    """Fisher's test, twice the smaller tail."""
    drawn = stats.hypergeom(n + n_before, hits + before, n)
    return float(min(1.0, 2.0 * min(drawn.cdf(hits), drawn.sf(hits - 1))))


@dataclass(frozen=True, slots=True)
class Shift:
    """A PSI, and what is ``expected`` of it without any shift.

    ``size`` is the statistic over ``free`` + 1 joined bins, ``scale`` 1/n + 1/m of it; ``rare`` is the rate of the bins
    in which few rows are expected, together, ``None`` where there are none. ``dispersion`` is by how much weeks differ
    beyond chance, with ``weeks_free`` weeks less one behind it, ``None`` where they do not.
    """

    psi: float
    expected: float
    size: float
    free: int
    scale: float
    rare: Rate | None = None
    dispersion: float = 1.0
    weeks_free: int | None = None

    @property
    def effect(self) -> float:
        """What is above the expected."""
        return max(0.0, self.psi - self.expected)

    @property
    def p_value(self) -> float:
        """That of the joined bins, or of the rare ones where these are further out: the smaller, doubled."""
        found = []
        if self.free:
            ratio = self.size / self.dispersion
            if self.weeks_free is None:
                found.append(float(chdtrc(self.free, ratio)))
            else:
                found.append(float(stats.f.sf(ratio / self.free, self.free, self.free * self.weeks_free)))
        if self.rare is not None:
            found.append(self.rare.p_value)
        return min([1.0, *(len(found) * one for one in found)])

    def power(self, *, size: float, least: float, alpha: float) -> float:
        """Chance that a true PSI of ``size`` is beyond ``least`` and significant at ``alpha``.

        Notes
        -----
        The statistic over its dispersion is about a noncentral chi-square, and its level that of F where the dispersion
        is estimated. A bin that nearly all rows are in has none: there the change is one towards the rare ones.
        """
        level = alpha if self.rare is None else alpha / 2.0
        if not self.free:
            return (
                0.0
                if self.rare is None
                else self.rare.power(size=rise(self.rare.share_before, size), least=0.0, alpha=level)
            )
        unit = self.scale * self.dispersion
        beyond = max(_critical(self.free, self.weeks_free, level), least / unit + self.free)
        return _tail(self.free, round(size / unit, 3), round(beyond, 3))


def rise(share: float, psi: float) -> float:
    """By how much a share has to rise for a PSI of that size, of the two parts that it makes.

    >>> round(rise(0.10, 0.25), 3)
    0.168
    """
    start = min(max(share, 1e-4), 0.5)

    def beyond(after: float) -> float:
        moved = after - start
        return moved * float(np.log(after / start) - np.log((1.0 - after) / (1.0 - start))) - psi

    return float(brentq(beyond, start, 1.0 - 1e-9)) - start


@lru_cache(maxsize=4096)
def _tail(free: int, noncentral: float, beyond: float) -> float:
    return float(stats.ncx2.sf(beyond, free, noncentral))


@lru_cache(maxsize=4096)
def _critical(free: int, weeks_free: int | None, alpha: float) -> float:
    if weeks_free is None:
        return float(stats.chi2.isf(alpha, free))
    return free * float(stats.f.isf(alpha, free, free * weeks_free))


def shift(counts: Int64s, known: FeatureReference, *, units_before: int) -> Shift:
    """PSI of one week's rows, ``counts`` (bins,) with the missing ones last, against training, chance alone at work."""
    return _tested(counts, known.shares, m=float(max(units_before, 1)))


@dataclass(frozen=True)
class Before:
    """Rows of other weeks, (weeks, parts, bins), which a week is held against.

    Each part of the month is held against the same part of the others, as the week's rows lie in them: bills and
    paydays have their days.
    """

    rows: Int64s

    @cached_property
    def dispersion(self) -> tuple[float, int | None]:
        """By how much weeks differ beyond chance, as ``Shift`` has it.

        Each week is set against the others in the way in which a new one is; the mean of these statistics over what
        chance makes of them is the dispersion.
        """
        together = self.rows.sum(axis=0)
        apart = [_matched(one, together - one) for one in self.rows]
        found = [_tested(*one[:2], m=one[2]) for one in apart if one is not None]
        widened, free = _widened(sum(one.size for one in found), sum(one.free for one in found))
        return widened, None if free is None else max(len(found) - 1, 1)

    def shift(self, now: Int64s) -> Shift:
        """That of a week's rows (parts, bins); a week is as far out as F says where weeks differ anyway."""
        own = _matched(now, self.rows.sum(axis=0))
        if own is None:
            return Shift(0.0, 0.0, 0.0, 0, 1.0)
        found, (widened, free) = _tested(*own[:2], m=own[2]), self.dispersion
        rare = found.rare and replace(found.rare, dispersion=widened, free=free)
        return replace(found, expected=found.expected * widened, dispersion=widened, weeks_free=free, rare=rare)

    def rate(self, now: Int64s) -> Rate:
        """The rate of a week's last bin beside that of the others."""
        own = _matched(now, self.rows.sum(axis=0))
        if own is None:
            return Rate(float(now[:, -1].sum()), float(now.sum()), 0.0, 0.0)
        counts, shares, m = own
        return Rate(float(counts[-1]), float(counts.sum()), float(shares[-1] * m), m, *self.dispersion)


def _matched(now: Int64s, before: Int64s) -> tuple[Int64s, Floats, float] | None:
    """Rows of a week (bins,), the shares of the others in its parts of the month, and how many rows these tell as much
    as; parts that the others lack are left out."""
    rows = before.sum(axis=1)
    some = (rows > 0) & (now.sum(axis=1) > 0)
    if not some.any():
        return None
    weight = now[some].sum(axis=1) / now[some].sum()
    shares = (weight[:, None] * before[some] / rows[some, None]).sum(axis=0)
    return now[some].sum(axis=0), shares, float(1.0 / (weight**2 / rows[some]).sum())


def _tested(counts: Int64s, shares: Floats, *, m: float) -> Shift:
    """The shift against shares that are known from ``m`` rows.

    Notes
    -----
    Without a shift PSI is about (1/n + 1/m) times a chi-square (Yurdakul and Naranjo 2020); with one its noncentrality
    is PSI / (1/n + 1/m). The statistic is of bins that are joined until the shares let ``LEAST_EXPECTED`` rows be
    expected in each, which depends on the rows before alone; the PSI is of all bins.
    """
    n = int(counts.sum())
    before = np.rint(shares * m).astype(np.int64)
    whole = stability(counts, before, units=n, units_before=round(m), false_alarm=0.05)
    scale = 1.0 / max(n, 1) + 1.0 / max(round(m), 1)
    bins = joined(shares * n)
    few = [np.bincount(bins, weights=side).astype(np.int64) for side in (counts, before)]
    tested = stability(few[0], few[1], units=n, units_before=round(m), false_alarm=0.05)
    seldom = shares * n < LEAST_EXPECTED
    rare = Rate(float(counts[seldom].sum()), float(n), float(shares[seldom].sum() * m), m) if seldom.any() else None
    return Shift(whole.psi, whole.expected, tested.psi / scale, round(tested.expected / scale), scale, rare)


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
    return _widened(squares, free)


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
        tail = stats.norm.isf(alpha / 2.0) if self.free is None else stats.t.isf(alpha / 2.0, self.free)
        beyond = max(least * self.mean, float(tail) * self._spread(self.mean))
        return float(stats.norm.cdf((size * self.mean - beyond) / self._spread(self.mean * (1.0 - size))))

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
    widened, free = _widened(sum(squares), len(squares) - 1)
    return [replace(one, dispersion=widened, free=free) for one in _expected(*before, counts=counts, days=days)]


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


def _widened(squares: float, free: int) -> tuple[float, int | None]:
    if free < 1 or squares <= free or float(chdtrc(free, squares)) >= _HETEROGENEOUS:
        return 1.0, None
    return squares / free, free


def z_power(size: float, *, spread: float, least: float, alpha: float) -> float:
    """Chance that an estimate of normal ``spread`` is beyond ``least`` and significant where the truth is ``size``."""
    if spread <= 0.0:
        return 0.0
    beyond = max(least, float(stats.norm.isf(alpha / 2.0)) * spread)
    return float(stats.norm.cdf((size - beyond) / spread))


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """P-values that may be held against the level of the whole family (Holm 1979).

    >>> holm_adjusted([0.04, 0.001, 0.02])
    [0.04, 0.003, 0.04]
    """
    found, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(np.argsort(p_values, kind="stable").tolist()):
        largest = max(largest, min(1.0, p_values[place] * (len(p_values) - rank)))
        found[place] = largest
    return found
