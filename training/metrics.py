"""Discrimination and calibration of probabilities, with row weights, so that a bootstrap is only weights."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

ECE_BINS = 10
_FLOOR = 1e-12


def auc(target: Floats, score: Floats, weight: Floats) -> float:
    """Area under the ROC curve; ties count half; ``NaN`` where one class is missing."""
    positives, negatives = _by_score(target, score, weight)
    total = positives.sum() * negatives.sum()
    if total == 0:
        return float("nan")
    below = np.cumsum(negatives) - negatives
    return float(np.sum(positives * (below + negatives / 2.0)) / total)


def ks(target: Floats, score: Floats, weight: Floats) -> float:
    """Kolmogorov–Smirnov distance between the scores of payers and of the others."""
    positives, negatives = _by_score(target, score, weight)
    if positives.sum() == 0 or negatives.sum() == 0:
        return float("nan")
    return float(np.max(np.abs(np.cumsum(positives) / positives.sum() - np.cumsum(negatives) / negatives.sum())))


def brier(target: Floats, p: Floats, weight: Floats) -> float:
    """Mean squared error of the probabilities."""
    return float(np.average((p - target) ** 2, weights=weight))


def log_loss(target: Floats, p: Floats, weight: Floats) -> float:
    """Mean negative log-likelihood."""
    safe = np.clip(p, _FLOOR, 1.0 - _FLOOR)
    return float(-np.average(target * np.log(safe) + (1.0 - target) * np.log1p(-safe), weights=weight))


def ece(target: Floats, p: Floats, weight: Floats) -> float:
    """Expected calibration error: mean |observed − predicted| over 10 bins of equal mass, weighted by their rows.

    Equal probabilities always share a bin; the edges are deciles of the rows given, whatever their weights.
    """
    bins = equal_mass_bins(p, ECE_BINS)
    gap = np.bincount(bins, weights=weight * (target - p), minlength=ECE_BINS)
    return float(np.abs(gap).sum() / weight.sum())


def equal_mass_bins(p: Floats, bins: int) -> npt.NDArray[np.int64]:
    """(n,) bin of each row, 0 for the lowest probabilities."""
    edges = np.quantile(p, np.arange(1, bins) / bins)
    return np.asarray(np.searchsorted(edges, p, side="right"), dtype=np.int64)


Metric = Callable[[Floats, Floats, Floats], float]
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
    found = {}
    for name, metric in metrics.items():
        draws = np.array([metric(target, score, weight) for weight in weights])
        draws = draws[np.isfinite(draws)]
        low, high = np.quantile(draws, [0.025, 0.975]) if len(draws) else (np.nan, np.nan)
        point = metric(target, score, np.ones(len(target)))
        found[name] = {"value": point, "low": float(low), "high": float(high)}
    return found


def cluster_weights(
    cluster: npt.NDArray[np.int32], *, replications: int, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """(B, n) weights of a bootstrap that draws whole debtors: rows of one debtor are one cluster."""
    _, index = np.unique(cluster, return_inverse=True)
    clusters = int(index.max()) + 1 if len(index) else 0
    draws = rng.multinomial(clusters, np.full(clusters, 1.0 / max(clusters, 1)), size=replications)
    return np.asarray(draws[:, index], dtype=np.float64)


def _by_score(target: Floats, score: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Weight of payers and of the others at each distinct score, rising."""
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    mass = weight[order]
    return (
        np.add.reduceat(mass * target[order], starts),
        np.add.reduceat(mass * (1.0 - target[order]), starts),
    )
