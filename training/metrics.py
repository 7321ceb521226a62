"""Discrimination and calibration of probabilities, with row weights, so that a bootstrap is only weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from training.ranking import ranked

Floats = npt.NDArray[np.float64]

ECE_BINS = 10
_FLOOR = 1e-12


def auc(target: Floats, score: Floats, weight: Floats) -> Floats:
    """Area under the ROC curve; ties count half; ``NaN`` where one class is missing."""
    found = ranked(target, score, np.atleast_2d(weight))
    area = _over(found.twice_area / 2.0, found.payers * found.others)
    return area if weight.ndim > 1 else np.asarray(area[0])


def ks(target: Floats, score: Floats, weight: Floats) -> Floats:
    """Kolmogorov–Smirnov distance between the scores of payers and of the others."""
    distance = ranked(target, score, np.atleast_2d(weight)).distance
    return distance if weight.ndim > 1 else np.asarray(distance[0])


def brier(target: Floats, p: Floats, weight: Floats) -> Floats:
    """Mean squared error of the probabilities."""
    return _over(weight @ (p - target) ** 2, weight.sum(axis=-1))


def log_loss(target: Floats, p: Floats, weight: Floats) -> Floats:
    """Mean negative log-likelihood."""
    safe = np.clip(p, _FLOOR, 1.0 - _FLOOR)
    return _over(-(weight @ (target * np.log(safe) + (1.0 - target) * np.log1p(-safe))), weight.sum(axis=-1))


def ece(target: Floats, p: Floats, weight: Floats) -> Floats:
    """Expected calibration error: mean |observed − predicted| over 10 bins of equal mass, weighted by their rows.

    Equal probabilities always share a bin; the edges are deciles of the rows given, whatever their weights.
    """
    gap = np.zeros((len(p), ECE_BINS))
    gap[np.arange(len(p)), equal_mass_bins(p, ECE_BINS)] = target - p
    return _over(np.abs(weight @ gap).sum(axis=-1), weight.sum(axis=-1))


def equal_mass_bins(p: Floats, bins: int) -> npt.NDArray[np.int64]:
    """(n,) bin of each row, 0 for the lowest probabilities."""
    edges = np.quantile(p, np.arange(1, bins) / bins)
    return np.asarray(np.searchsorted(edges, p, side="right"), dtype=np.int64)


Metric = Callable[[Floats, Floats, Floats], Floats]
"""Of target (n,), score (n,) and weights (n,) or (B, n): a number, or one per row of weights."""
METRICS: dict[str, Metric] = {"auc": auc, "ks": ks, "brier": brier, "ece": ece, "log_loss": log_loss}
RANK_METRICS: dict[str, Metric] = {"auc": auc, "ks": ks}
"""The two that a score which is no probability has, too."""


def with_intervals(
    metrics: dict[str, Metric],
    target: Floats,
    score: Floats,
    *,
    weights: Floats,
) -> dict[str, dict[str, float]]:
    """Each metric with its 95 % percentile interval.

    Parameters
    ----------
    target, score : (n,)
    weights : (B, n) row weights of each bootstrap replication (:func:`cluster_weights`)
    """
    order = np.argsort(score, kind="stable")
    target, score, weights = target[order], score[order], weights[:, order]
    found = {}
    for name, metric in metrics.items():
        low, high = interval(metric(target, score, weights))
        found[name] = {"value": float(metric(target, score, np.ones(len(target)))), "low": low, "high": high}
    return found


def interval(draws: Floats) -> tuple[float, float]:
    """Bounds that hold 95 % of the draws that have a value; ``NaN`` where none has."""
    known = draws[np.isfinite(draws)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)


def cluster_weights(
    cluster: npt.NDArray[np.int32], *, replications: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """(B, n) weights of a bootstrap that draws whole debtors: rows of one debtor are one cluster."""
    _, index = np.unique(cluster, return_inverse=True)
    clusters = int(index.max()) + 1 if len(index) else 0
    draws = rng.multinomial(clusters, np.full(clusters, 1.0 / max(clusters, 1)), size=replications)
    return np.asarray(draws[:, index], dtype=np.float64)


def _over(top: Floats, bottom: Floats) -> Floats:
    """Quotient that is ``NaN`` where there is nothing to divide by."""
    top, bottom = np.asarray(top), np.broadcast_to(bottom, np.shape(top))
    return np.asarray(np.divide(top, bottom, out=np.full(np.shape(top), np.nan), where=bottom > 0), dtype=np.float64)
