"""Features made of other features: ratios, smoothed rates, differences, surpluses; and the fit of what is usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.balance_entries import Int32s
from domain.compiled import compiled
from features.definitions import Difference, Feature, Rate, Ratio, Surplus
from features.surplus import SurplusPlan, surplus_plan, surpluses, usual_rates

Floats = npt.NDArray[np.float64]
RATIO, RATE, DIFFERENCE = range(3)
_WEAKEST, _STRONGEST = 1.0, 1_000.0


class DerivedPlan(NamedTuple):
    """Feature f is ``operation[f]`` of the columns ``left[f]`` and ``right[f]``; it goes to ``column[f]``.

    ``first`` and ``second`` are scale and nothing for a ratio, prior mean and strength for a rate. ``surplus`` are the
    features that are made of more than two others.
    """

    operation: Int32s
    left: Int32s
    right: Int32s
    column: Int32s
    first: Floats
    second: Floats
    surplus: SurplusPlan


def derived_plan(
    features: Sequence[Feature], *, index: Mapping[str, int], priors: Mapping[str, tuple[float, ...]]
) -> DerivedPlan:
    """The plan of all derived features; their columns are their positions, ``index`` that of each feature by name."""
    rows = []
    for place, feature in enumerate(features):
        rule = feature.rule
        if isinstance(rule, Ratio):
            rows.append((RATIO, index[rule.numerator], index[rule.denominator], place, rule.scale, 0.0))
        elif isinstance(rule, Rate):
            mean, strength = priors.get(feature.name, (rule.prior, rule.strength))
            rows.append((RATE, index[rule.numerator], index[rule.denominator], place, mean, strength))
        elif isinstance(rule, Difference):
            rows.append((DIFFERENCE, index[rule.numerator], index[rule.denominator], place, 0.0, 0.0))
    columns = np.array(rows, dtype=np.float64).reshape(len(rows), 6).T
    operation, left, right, column = (np.ascontiguousarray(one).astype(np.int32) for one in columns[:4])
    first, second = (np.ascontiguousarray(one) for one in columns[4:])
    surplus = surplus_plan(features, index=index, priors=priors)
    return DerivedPlan(operation, left, right, column, first, second, surplus)


@compiled
def derive(plan: DerivedPlan, out: Floats) -> None:
    """Every derived feature of every row of ``out``, whose other columns are already filled."""
    for row in range(out.shape[0]):
        for feature in range(len(plan.operation)):
            top, bottom = out[row, plan.left[feature]], out[row, plan.right[feature]]
            if plan.operation[feature] == RATE:
                strength = plan.second[feature]
                value = (top + plan.first[feature] * strength) / (bottom + strength)
            elif plan.operation[feature] == DIFFERENCE:
                value = np.nan if np.isnan(top) or np.isnan(bottom) else max(top - bottom, 0.0)
            else:
                value = top / bottom * plan.first[feature] if bottom > 0 else np.nan
            out[row, plan.column[feature]] = value
    surpluses(plan.surplus, out)


def fit_priors(features: Sequence[Feature], values: Floats) -> dict[str, tuple[float, ...]]:
    """Prior mean and strength of every rate, and the usual rates by channel of every surplus, from a training matrix.

    Parameters
    ----------
    features : the columns of ``values``, (n, k), numerators and denominators among them

    Notes
    -----
    Events are taken as Poisson with an account's own rate, and rates as Gamma over accounts, so that the posterior mean
    is (a + k·p) / (b + k) with k = mean / variance of the rates. By moments: p = Σa / Σb, and the variance is
    Σ[(a − b·p)² − b·p] / Σb² (Marshall 1991, "Mapping disease and mortality rates", with exposures b). A rate without
    any opportunity in training keeps the prior it was declared with.
    """
    index = {feature.name: place for place, feature in enumerate(features)}
    fitted: dict[str, tuple[float, ...]] = {}
    for feature in features:
        if isinstance(feature.rule, Surplus):
            fitted[feature.name] = usual_rates(feature.rule, values, index=index)
        if not isinstance(feature.rule, Rate):
            continue
        top, bottom = values[:, index[feature.rule.numerator]], values[:, index[feature.rule.denominator]]
        used = (bottom > 0) & ~np.isnan(top)
        if used.any():
            fitted[feature.name] = _moments(top[used], bottom[used])
    return fitted


def _moments(top: Floats, bottom: Floats) -> tuple[float, float]:
    mean = float(top.sum() / bottom.sum())
    surplus = float(((top - bottom * mean) ** 2 - bottom * mean).sum() / (bottom**2).sum())
    strength = _STRONGEST if surplus <= 0 else mean / surplus
    return mean, float(np.clip(strength, _WEAKEST, _STRONGEST))
