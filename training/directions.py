"""Does the fitted model move the way a feature is expected to? Partial dependence on held-out rows, row by row.

A direction is declared where a collector would defend it to a debtor: more broken promises never raise ``p_pay``. Other
features move along with it in real rows, so the whole model is asked: each row is kept as it is but for this one
feature (individual conditional expectation, Goldstein et al. 2015, J. Comput. Graph. Stat. 24, 44-65).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from training.boosting import Columns

Floats = npt.NDArray[np.float64]

CHECKED_ROWS = 300
_STEPS = 11
_TOLERANCE = 1e-9


def check_directions(predict: Callable[[Floats], Floats], values: Floats, columns: Columns) -> dict[str, Any]:
    """How far the model keeps to the declared directions.

    Parameters
    ----------
    predict : (m, k) features to (m,) probabilities
    values : (n, k) held-out rows, of which at most ``CHECKED_ROWS`` evenly spaced ones are read

    Returns
    -------
    ``rows`` read; ``features`` checked, those with a direction and at least two values; ``agree`` of them, whose
    partial dependence never runs against it; ``share_of_rows`` and ``largest``, the largest over all features;
    ``by_feature``, the worst first, each with

    - ``effect``: partial dependence at the feature's highest value less that at its lowest;
    - ``against``: how far partial dependence runs against the direction, 0 where it never does;
    - ``share_of_rows``, ``largest``: rows that run against it anywhere, and how far the worst of them does.
    """
    chosen = np.unique(np.linspace(0, len(values) - 1, min(len(values), CHECKED_ROWS)).astype(np.int64))
    rows = values[chosen]
    found: list[dict[str, Any]] = []
    for place, direction in enumerate(columns.directions):
        grid = _grid(values[:, place]) if direction else np.zeros(0)
        if len(grid) > 1:
            curves = _curves(predict, rows, place, grid)
            found.append({"feature": columns.names[place], "direction": direction, **_kept(direction * curves)})
            found[-1]["effect"] *= direction
    found.sort(key=lambda one: (-one["against"], -one["largest"], one["feature"]))
    return {
        "rows": len(rows),
        "features": len(found),
        "agree": sum(one["against"] <= _TOLERANCE for one in found),
        "share_of_rows": max((one["share_of_rows"] for one in found), default=0.0),
        "largest": max((one["largest"] for one in found), default=0.0),
        "by_feature": found,
    }


def _grid(column: Floats) -> Floats:
    """Distinct values from the lowest to the highest, at steps of equal mass; missing ones stand in no order."""
    known = column[~np.isnan(column)]
    return np.unique(np.quantile(known, np.linspace(0, 1, _STEPS), method="nearest")) if len(known) else known


def _curves(predict: Callable[[Floats], Floats], rows: Floats, place: int, grid: Floats) -> Floats:
    """(rows, grid) probabilities with the feature set to each value of the grid."""
    asked = np.repeat(rows, len(grid), axis=0)
    asked[:, place] = np.tile(grid, len(rows))
    return predict(asked).reshape(len(rows), len(grid))


def _kept(curves: Floats) -> dict[str, float]:
    """Of curves that are expected to rise: how the mean and each of them fall below their own highest point so far."""
    mean = curves.mean(axis=0)
    falls = (np.maximum.accumulate(curves, axis=1) - curves).max(axis=1)
    return {
        "effect": float(mean[-1] - mean[0]),
        "against": float((np.maximum.accumulate(mean) - mean).max()),
        "share_of_rows": float((falls > _TOLERANCE).mean()),
        "largest": float(falls.max()),
    }
