"""Shifts of a distribution: PSI beside what chance, and the usual difference between weeks, make of nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import chdtrc

from features.reference import FeatureReference
from features.stability import stability
from training.monitoring.chance import Floats, widened
from training.monitoring.rates import Rate
from training.windows import Int64s

LEAST_EXPECTED = 5.0
"""A bin in which fewer rows are expected is joined with the next, for the p-value: chi-square asks for so many."""


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
        dispersed, free = widened(sum(one.size for one in found), sum(one.free for one in found))
        return dispersed, None if free is None else max(len(found) - 1, 1)

    def shift(self, now: Int64s) -> Shift:
        """That of a week's rows (parts, bins); a week is as far out as F says where weeks differ anyway."""
        own = _matched(now, self.rows.sum(axis=0))
        if own is None:
            return Shift(0.0, 0.0, 0.0, 0, 1.0)
        found, (dispersed, free) = _tested(*own[:2], m=own[2]), self.dispersion
        rare = found.rare and replace(found.rare, dispersion=dispersed, free=free)
        return replace(found, expected=found.expected * dispersed, dispersion=dispersed, weeks_free=free, rare=rare)

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
