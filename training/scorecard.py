"""What the model must beat: a scorecard of ten variables, and days past due alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from training.boosting import Columns

Floats = npt.NDArray[np.float64]

VARIABLES = 10
_BINS = 10
_SHORTLIST = 40
_TOO_ALIKE = 0.8
_MOST_ROWS = 60_000
_SMOOTHING = 20.0


@dataclass(frozen=True)
class Binned:
    """One variable as weights of evidence: ``woe[i]`` for bin i of ``edges``, and last the one of missing values."""

    column: int
    edges: Floats
    woe: Floats
    information: float

    def apply(self, values: Floats) -> Floats:
        """(n,) weights of evidence."""
        x = values[:, self.column]
        place = np.searchsorted(self.edges, x, side="right")
        return self.woe[np.where(np.isnan(x), len(self.woe) - 1, place)]


@dataclass(frozen=True)
class Scorecard:
    """A logistic regression on weights of evidence; ``names`` and ``coefficients`` in the order of choice."""

    binned: tuple[Binned, ...]
    names: tuple[str, ...]
    coefficients: tuple[float, ...]
    intercept: float

    def predict(self, values: Floats) -> Floats:
        """(n,) probabilities."""
        score = self.intercept + _matrix(self.binned, values) @ np.array(self.coefficients)
        return np.asarray(1.0 / (1.0 + np.exp(-score)))


def fit_scorecard(values: Floats, target: Floats, columns: Columns) -> Scorecard:
    """The scorecard of the ten variables with most information value, none too alike; training rows only.

    Notes
    -----
    Information value and weight of evidence after Siddiqi, "Intelligent Credit Scoring" (2017), ch. 6; deciles as bins.
    """
    step = -(-len(values) // _MOST_ROWS)
    sample, outcome = values[::step], target[::step]
    binned = [_bin(sample, outcome, column) for column in range(values.shape[1])]
    shortlist = sorted(binned, key=lambda one: (-one.information, one.column))[:_SHORTLIST]
    chosen = _unlike(shortlist, sample)
    fitted = LogisticRegression(C=1.0, max_iter=500).fit(_matrix(chosen, values), target)
    names = tuple(columns.names[one.column] for one in chosen)
    return Scorecard(chosen, names, tuple(fitted.coef_[0].tolist()), float(fitted.intercept_[0]))


def days_past_due_score(days: Floats, target: Floats, train: npt.NDArray[np.int64]) -> Floats:
    """Days past due as a score, turned so that it points the right way on the training rows; missing is 0 days."""
    score = -np.nan_to_num(days, nan=0.0)
    known, paid = score[train], target[train]
    rises = np.cov(known, paid)[0, 1] >= 0 if len(train) > 1 else True
    return score if rises else -score


def _bin(values: Floats, target: Floats, column: int) -> Binned:
    x = values[:, column]
    missing = np.isnan(x)
    known = x[~missing]
    edges = np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS)) if len(known) else np.zeros(0)
    place = np.where(missing, len(edges) + 1, np.searchsorted(edges, x, side="right"))
    paid = np.bincount(place, weights=target, minlength=len(edges) + 2)
    rest = np.bincount(place, weights=1.0 - target, minlength=len(edges) + 2)
    # Smoothing pulls small bins to the overall odds, so that an empty one weighs nothing.
    rate = target.mean()
    share_paid = (paid + _SMOOTHING * rate) / (paid.sum() + _SMOOTHING * rate * len(paid))
    share_rest = (rest + _SMOOTHING * (1 - rate)) / (rest.sum() + _SMOOTHING * (1 - rate) * len(rest))
    woe = np.log(share_paid / share_rest)
    return Binned(column, edges, woe, float(np.sum((share_paid - share_rest) * woe)))


def _unlike(shortlist: list[Binned], sample: Floats) -> tuple[Binned, ...]:
    chosen: list[Binned] = []
    seen: list[Floats] = []
    for one in shortlist:
        woe = one.apply(sample)
        if woe.std() < 1e-9 or any(abs(np.corrcoef(woe, other)[0, 1]) > _TOO_ALIKE for other in seen):
            continue
        chosen.append(one)
        seen.append(woe)
        if len(chosen) == VARIABLES:
            break
    return tuple(chosen)


def _matrix(binned: tuple[Binned, ...], values: Floats) -> Floats:
    return np.column_stack([one.apply(values) for one in binned])
