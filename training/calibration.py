"""Fitting calibrators: Platt or isotonic, whichever has the lower cross-validated log-loss; always rising."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression

from decisioning.calibration import Calibrator
from training.windows import Int64s

Floats = npt.NDArray[np.float64]

_MIN_BLOCK = 30
"""Rows an isotonic knot must rest on: smaller blocks follow single payments."""
_MIN_POSITIVES = 200
_FLOOR = 1e-12


def fit_calibrator(margin: Floats, target: Floats, fold: Int64s) -> Calibrator:
    """The better of Platt and isotonic on rows the booster was not trained on.

    Parameters
    ----------
    margin : (n,) raw scores
    target : (n,) outcomes, 0 or 1, or shares between
    fold : (n,) fold of each row, by debtor, for the comparison

    Notes
    -----
    Isotonic needs 200 positives to enter the comparison: on fewer it fits noise with confidence.
    """
    platt = fit_platt(margin, target)
    if min(target.sum(), len(target) - target.sum()) < _MIN_POSITIVES:
        return platt
    losses = [_cross_validated(fit, margin, target, fold) for fit in (fit_platt, fit_isotonic)]
    return fit_isotonic(margin, target) if losses[1] < losses[0] else platt


def fit_platt(margin: Floats, target: Floats) -> Calibrator:
    """Logistic regression on the margin, by Newton steps, with Platt's prior of one row on each side.

    Notes
    -----
    Platt 1999, "Probabilistic outputs for support vector machines", eq. 5 for the prior. Where the data ask for a
    falling map, the flattest rising one is taken: the order of the booster is never turned round.
    """
    centre, spread = float(margin.mean()), float(margin.std()) or 1.0
    x = np.column_stack([(margin - centre) / spread, np.ones(len(margin))])
    smooth = (target * (len(target)) + 0.5) / (len(target) + 1.0)
    beta = np.array([spread, np.log(smooth.mean() / (1.0 - smooth.mean()))])
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(x @ beta, -40, 40)))
        weight = np.maximum(p * (1.0 - p), _FLOOR)
        step = np.linalg.solve((x * weight[:, None]).T @ x + 1e-9 * np.eye(2), x.T @ (smooth - p))
        beta = beta + np.clip(step, -4.0, 4.0)
        if np.abs(step).max() < 1e-10:
            break
    slope = max(float(beta[0]) / spread, 1e-3)
    return Calibrator.platt(slope, float(beta[1]) - slope * centre)


def fit_isotonic(margin: Floats, target: Floats) -> Calibrator:
    """Isotonic regression read at the centres of its blocks, so that probabilities rise between them.

    Falls back to Platt where fewer than two blocks are left.
    """
    order = np.argsort(margin, kind="stable")
    fitted = IsotonicRegression(out_of_bounds="clip").fit_transform(margin[order], target[order])
    block = np.concatenate([[0], np.cumsum(np.diff(fitted) > 0)])
    rows = np.bincount(block)
    # Neighbouring small blocks are joined until each rests on enough rows.
    joined = (np.cumsum(rows) - rows) // max(_MIN_BLOCK, len(margin) // 200)
    group = np.unique(joined, return_inverse=True)[1][block]
    count = np.bincount(group)
    x = np.bincount(group, weights=margin[order]) / count
    y = (np.bincount(group, weights=target[order]) + 0.5) / (count + 1.0)
    if len(x) < 2 or x[0] == x[-1]:
        return fit_platt(margin, target)
    return Calibrator.isotonic(x, np.maximum.accumulate(y))


def log_loss(target: Floats, p: Floats) -> float:
    """Mean cross-entropy, also of shares between 0 and 1."""
    safe = np.clip(p, _FLOOR, 1.0 - _FLOOR)
    return float(-np.mean(target * np.log(safe) + (1.0 - target) * np.log1p(-safe)))


def _cross_validated(
    fit: Callable[[Floats, Floats], Calibrator], margin: Floats, target: Floats, fold: Int64s
) -> float:
    predicted = np.empty_like(margin)
    for held in np.unique(fold):
        out = fold == held
        predicted[out] = fit(margin[~out], target[~out]).apply(margin[out])
    return log_loss(target, predicted)
