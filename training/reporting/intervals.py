"""Figures with intervals in which the rows of one debtor count as one cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from training.ope.estimators import Z_95, clustered_se, clusters_in, mean_of
from training.reporting.lights import Figure

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows with an outcome: ``paid`` (n,) 0 or 1, ``p`` (n,), ``debtor`` (n,) small codes."""

    paid: Floats
    p: Floats
    debtor: Ints

    def __len__(self) -> int:
        return len(self.paid)

    def where(self, mask: Bools) -> Scored:
        """The rows of a mask."""
        return Scored(self.paid[mask], self.p[mask], self.debtor[mask])

    @property
    def debtors(self) -> int:
        """How many debtors there are."""
        return clusters_in(self.debtor) if len(self.debtor) else 0

    @property
    def both(self) -> bool:
        """Whether there are payers and others."""
        return bool(len(self.paid)) and 0 < float(self.paid.sum()) < len(self.paid)


def auc_influence(paid: Floats, score: Floats) -> tuple[float, Floats]:
    """AUC, and (n,) by how much each row moves it; the sum of their squares is DeLong's variance.

    Notes
    -----
    Structural components of DeLong, DeLong and Clarke-Pearson 1988 from mid-ranks (Sun and Xu 2014), each scaled by
    √(m / (m − 1)) / m with m the rows of its class. Summed over a debtor before squaring they give the variance for
    clustered rows (Obuchowski 1997).
    """
    payer = paid > 0.5
    ranks = rankdata(score)
    m, n = int(payer.sum()), int((~payer).sum())
    within = np.empty(len(score))
    within[payer], within[~payer] = rankdata(score[payer]), rankdata(score[~payer])
    share = np.where(payer, (ranks - within) / n, 1.0 - (ranks - within) / m)
    value = float(share[payer].mean())
    size = np.where(payer, m, n)
    return value, (share - value) / np.sqrt(size * np.maximum(size - 1.0, 1.0))


def auc_of(rows: Scored) -> Figure:
    """AUC with DeLong's interval by debtor; no figure where one class is missing."""
    if not rows.both:
        return Figure(None, n=len(rows), debtors=rows.debtors, method="delong")
    value, influence = auc_influence(rows.paid, rows.p)
    return _normal(value, float(np.sqrt((np.bincount(rows.debtor, weights=influence) ** 2).sum())), rows, "delong")


def auc_gain(rows: Scored, other: Floats) -> Figure:
    """AUC of ``p`` less that of another score on the same rows, paired."""
    if not rows.both:
        return Figure(None, n=len(rows), debtors=rows.debtors, method="delong")
    (value, own), (base, theirs) = auc_influence(rows.paid, rows.p), auc_influence(rows.paid, other)
    sums = np.bincount(rows.debtor, weights=own - theirs)
    return _normal(value - base, float(np.sqrt((sums**2).sum())), rows, "delong")


def mean_figure(values: Floats, debtor: Ints) -> Figure:
    """Mean with the interval of a sum over debtors."""
    if not len(values):
        return Figure(None, n=0, debtors=0, method="clustered")
    found = mean_of(values, debtor)
    finite = np.isfinite(found.se)
    return Figure(
        found.value, found.low if finite else None, found.high if finite else None, n=len(values),
        debtors=clusters_in(debtor), method="clustered",
    )  # fmt: skip


def established(found: Figure) -> Figure:
    """A difference as it is, or 0 where its interval holds 0: chance explains it, and it makes no verdict."""
    if found.bounds is None or not found.bounds[0] <= 0.0 <= found.bounds[1]:
        return found
    return Figure(0.0, 0.0, 0.0, found.n, found.debtors, found.method)


def difference(first: tuple[Floats, Ints], second: tuple[Floats, Ints]) -> Figure:
    """Mean of the first less mean of the second, of rows that may share debtors."""
    (a, a_debtor), (b, b_debtor) = first, second
    if not len(a) or not len(b):
        return Figure(None, n=len(a) + len(b), method="clustered")
    n = len(a) + len(b)
    influence = np.concatenate([(a - a.mean()) * n / len(a), -(b - b.mean()) * n / len(b)])
    debtor = np.concatenate([a_debtor, b_debtor])
    se, value = clustered_se(influence, debtor), float(a.mean() - b.mean())
    if not np.isfinite(se):
        return Figure(value, n=n, debtors=clusters_in(debtor), method="clustered")
    return Figure(value, value - Z_95 * se, value + Z_95 * se, n, clusters_in(debtor), "clustered")


def share_of(part: Floats, whole: Floats, debtor: Ints, *, scale: float = 1.0) -> Figure:
    """``scale`` times the sum of one quantity over that of another on the same rows, by debtor (linearised)."""
    total = float(whole.sum())
    if total <= 0:
        return Figure(None, n=len(whole), debtors=clusters_in(debtor) if len(debtor) else 0, method="clustered")
    value = float(part.sum()) / total
    se = clustered_se((part - value * whole) * (len(whole) / total), debtor)
    half = scale * Z_95 * se if np.isfinite(se) else None
    low, high = (None, None) if half is None else (scale * value - half, scale * value + half)
    return Figure(scale * value, low, high, len(whole), clusters_in(debtor), "clustered")


def rate_of(value: float, rows: int, debtors: int | None = None) -> Figure:
    """A rate of which only its rows are known, with Wilson's interval on as many trials as there are debtors.

    Rows of one debtor tell at least as much as one row does, so that the interval is too wide rather than too narrow.
    """
    trials = rows if debtors is None else debtors
    if not trials:
        return Figure(None, n=rows, debtors=debtors, method="wilson")
    centre = value + Z_95**2 / (2 * trials)
    spread = Z_95 * float(np.sqrt(value * (1.0 - value) / trials + Z_95**2 / (4 * trials**2)))
    scale = 1.0 + Z_95**2 / trials
    return Figure(value, (centre - spread) / scale, (centre + spread) / scale, rows, debtors, "wilson")


def _normal(value: float, se: float, rows: Scored, method: str) -> Figure:
    return Figure(value, value - Z_95 * se, value + Z_95 * se, len(rows), rows.debtors, method)
