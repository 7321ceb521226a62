"""Fitting calibrators: none, Platt or isotonic, by cross-validated log-loss; always strictly increasing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from sklearn.isotonic import IsotonicRegression

from decisioning.calibration import Calibrator
from training.splits import debtor_folds
from training.windows import Int64s

Floats = npt.NDArray[np.float64]

_FOLDS, _FOLD_SEED = 5, 0
_MIN_BLOCK = 30
"""Rows an isotonic knot must rest on: smaller blocks follow single payments."""
_MIN_POSITIVES = 200
_FLOOR = 1e-12


def fit_calibrator(margin: Floats, target: Floats, debtor: npt.NDArray[np.int32]) -> Calibrator:
    """The simplest calibrator that the data do not contradict, fitted on rows the booster was not trained on.

    Parameters
    ----------
    margin : (n,) raw scores
    target : (n,) outcomes, 0 or 1, or shares between
    debtor : (n,) whose row it is; folds and standard errors go by debtor

    Notes
    -----
    The plain logistic function, then Platt, then isotonic (from 200 positives on): a step is taken where the
    cross-validated log-loss falls by more than two standard errors (after the one-standard-error rule of Breiman et al.
    1984, "Classification and Regression Trees", 3.4.3; two, because validation also stopped the booster). A booster
    grown on log-loss is close to calibrated, and a calibrator that follows the noise of one period spoils the next.
    """
    fold = debtor_folds(debtor, folds=_FOLDS, seed=_FOLD_SEED)
    ladder = [fit_identity, fit_platt]
    if min(target.sum(), len(target) - target.sum()) >= _MIN_POSITIVES:
        ladder.append(fit_isotonic)
    best = ladder[0]
    loss = _held_out_loss(best, margin, target, fold)
    for fit in ladder[1:]:
        other = _held_out_loss(fit, margin, target, fold)
        if _clearly_lower(loss - other, debtor):
            best, loss = fit, other
    return best(margin, target)


def fit_identity(_margin: Floats, _target: Floats) -> Calibrator:
    """The logistic function: what the booster says, unchanged."""
    return Calibrator.platt(1.0, 0.0)


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
    return float(losses_of(target, p).mean())


def losses_of(target: Floats, p: Floats) -> Floats:
    """(n,) cross-entropy of each row."""
    safe = np.clip(p, _FLOOR, 1.0 - _FLOOR)
    return np.asarray(-(target * np.log(safe) + (1.0 - target) * np.log1p(-safe)))


def _held_out_loss(fit: Callable[[Floats, Floats], Calibrator], margin: Floats, target: Floats, fold: Int64s) -> Floats:
    """(n,) loss of each row under a calibrator fitted without its fold."""
    predicted = np.empty_like(margin)
    for held in np.unique(fold):
        out = fold == held
        known = ~out if out.sum() < len(out) else out
        predicted[out] = fit(margin[known], target[known]).apply(margin[out])
    return losses_of(target, predicted)


def _clearly_lower(gain: Floats, debtor: npt.NDArray[np.int32]) -> bool:
    """Whether a mean gain is above two of its standard errors, rows of one debtor being one cluster."""
    _, cluster = np.unique(debtor, return_inverse=True)
    spread = np.sqrt(np.sum(np.bincount(cluster, weights=gain - gain.mean()) ** 2)) / len(gain)
    return bool(gain.mean() > 2.0 * spread)
