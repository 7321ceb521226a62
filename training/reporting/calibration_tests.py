"""Calibration in numbers: Brier's parts, slope and intercept, and a test of each band of scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from scipy.stats import beta

from training.metrics import equal_mass_bins
from training.ope.estimators import Z_95
from training.reporting.intervals import Scored
from training.reporting.lights import Figure

Floats = npt.NDArray[np.float64]
_FLOOR = 1e-9
_STEPS = 50


@dataclass(frozen=True, slots=True)
class BrierParts:
    """Brier score = reliability − resolution + uncertainty + within (Murphy 1973; Stephenson et al. 2008).

    ``within`` is what the spread of probabilities inside the bins adds; 0 where each bin holds one probability.
    """

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within: float


def brier_parts(paid: Floats, p: Floats, bins: int) -> BrierParts:
    """The parts over bins of equal mass."""
    place = np.unique(equal_mass_bins(p, bins), return_inverse=True)[1]
    rows = np.bincount(place).astype(np.float64)
    rate, mean = np.bincount(place, weights=paid) / rows, np.bincount(place, weights=p) / rows
    share, base = rows / len(paid), float(paid.mean())
    reliability, resolution = float((share * (mean - rate) ** 2).sum()), float((share * (rate - base) ** 2).sum())
    score, uncertainty = float(((p - paid) ** 2).mean()), base * (1.0 - base)
    return BrierParts(score, reliability, resolution, uncertainty, score - reliability + resolution - uncertainty)


def logistic_recalibration(rows: Scored) -> tuple[Figure, Figure]:
    """Slope and intercept of a logistic regression of the outcome on the logit of ``p``: 1 and 0 where calibrated.

    Notes
    -----
    Cox 1958. Newton's method; the covariance is the sandwich with scores summed by debtor. No figure where one class is
    missing, or where the iteration does not settle (an outcome that the score separates).
    """
    empty = Figure(None, n=len(rows), debtors=rows.debtors, method="clustered")
    if not rows.both:
        return empty, empty
    design = np.column_stack([logit(np.clip(rows.p, _FLOOR, 1.0 - _FLOOR)), np.ones(len(rows))])
    found = np.array([1.0, 0.0])
    for _ in range(_STEPS):
        fitted = expit(design @ found)
        hessian = (design * (fitted * (1.0 - fitted))[:, None]).T @ design
        if np.linalg.cond(hessian) > 1e12:
            return empty, empty
        step = np.linalg.solve(hessian, design.T @ (rows.paid - fitted))
        found = found + step
        if np.abs(step).max() < 1e-12:
            break
    else:
        return empty, empty
    residual = rows.paid - expit(design @ found)
    sums = np.column_stack([np.bincount(rows.debtor, weights=design[:, one] * residual) for one in (0, 1)])
    inverse = np.linalg.inv(hessian)
    se = np.sqrt(np.diag(inverse @ (sums.T @ sums) @ inverse))
    slope, intercept = (
        Figure(float(one), float(one - Z_95 * s), float(one + Z_95 * s), len(rows), rows.debtors, "clustered")
        for one, s in zip(found, se, strict=True)
    )
    return slope, intercept


def jeffreys(payers: float, rows: float, p: float) -> tuple[float, float, float]:
    """Lower and upper end of Jeffreys' 95 % interval of a rate, and the two-sided p-value of the rate being ``p``.

    Notes
    -----
    Beta(payers + ½, others + ½) (Brown, Cai and DasGupta 2001); the p-value is twice the smaller tail beyond ``p``.
    """
    posterior = beta(payers + 0.5, rows - payers + 0.5)
    below = float(posterior.cdf(p))
    return float(posterior.ppf(0.025)), float(posterior.ppf(0.975)), float(min(1.0, 2.0 * min(below, 1.0 - below)))


def design_effect(rows: Scored) -> float:
    """By how much clustering widens the variance of the mean residual; at least 1."""
    centred = rows.paid - rows.p
    centred = centred - centred.mean()
    alone = float((centred**2).sum())
    together = float((np.bincount(rows.debtor, weights=centred) ** 2).sum())
    return max(1.0, together / alone) if alone > 0 else 1.0


@dataclass(frozen=True, slots=True)
class Band:
    """One band of scores: rows, debtors, mean probability, rate with Jeffreys' interval, and its p-value."""

    rows: int
    debtors: int
    mean_p_pay: float
    rate: Figure
    p_value: float


def bands(rows: Scored, count: int) -> list[Band]:
    """Bands of equal mass, lowest first, each tested with as many rows as clustering leaves."""
    place = equal_mass_bins(rows.p, count)
    found = []
    for number in np.unique(place):
        inside = rows.where(place == number)
        effective = len(inside) / design_effect(inside)
        rate, mean = float(inside.paid.mean()), float(inside.p.mean())
        low, high, p_value = jeffreys(rate * effective, effective, mean)
        figure = Figure(rate, low, high, len(inside), inside.debtors, "jeffreys")
        found.append(Band(len(inside), inside.debtors, mean, figure, p_value))
    return found


def holm(p_values: list[float], error: float) -> list[bool]:
    """Which of several tests are rejected when all together may err with that probability (Holm 1979).

    >>> holm([0.04, 0.001, 0.02], 0.05)
    [True, True, True]
    """
    order = np.argsort(p_values, kind="stable")
    rejected = [False] * len(p_values)
    for rank, place in enumerate(order.tolist()):
        if p_values[place] > error / (len(p_values) - rank):
            break
        rejected[place] = True
    return rejected
