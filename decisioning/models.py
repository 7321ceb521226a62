"""The payment model: the calibrated probability of a payment within each horizon; it predicts, and never learns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.calibration import Calibrator
from decisioning.tree_shap import ByBooster, TreeShap, explainer_of
from domain.errors import BundleError

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class PaymentModel:
    """One booster and one calibrator per horizon.

    ``horizons`` are days, rising; ``explained`` is the one whose probability reasons add up to, and which no other
    horizon ever alters. ``boosters`` are LightGBM native ones.
    """

    horizons: tuple[int, ...]
    explained: int
    boosters: Mapping[int, Any]
    calibrators: Mapping[int, Calibrator]

    def __post_init__(self) -> None:
        rising = list(self.horizons) == sorted(set(self.horizons)) and self.explained in self.horizons
        if not rising or set(self.boosters) != set(self.horizons) or set(self.calibrators) != set(self.horizons):
            raise BundleError(
                f"found horizons {list(self.horizons)}, explained {self.explained}, boosters {sorted(self.boosters)} "
                f"and calibrators {sorted(self.calibrators)}; needed one booster and calibrator per rising horizon"
            )

    @cached_property
    def explainers(self) -> Mapping[int, TreeShap | ByBooster]:
        """The trees of each horizon, read and tried out at the first use."""
        return {days: explainer_of(booster) for days, booster in self.boosters.items()}

    def predict(self, values: Floats) -> Floats:
        """Probabilities of a payment within each horizon.

        Parameters
        ----------
        values : (n, k) features in the order of the bundle's schema, ``NaN`` where missing

        Returns
        -------
        (n, H), non-decreasing along the horizons: shorter ones are capped by the explained one, longer ones floored
        """
        columns = [self.calibrators[days].apply(self.explainers[days].margins(values)) for days in self.horizons]
        return monotone(np.column_stack(columns), self.horizons.index(self.explained))

    def margins(self, values: Floats) -> Floats:
        """(n,) raw margins of the explained horizon."""
        return self.explainers[self.explained].margins(values)

    def contributions(self, values: Floats) -> Floats:
        """(n, k + 1) exact TreeSHAP contributions to the explained margin; the last column is its base."""
        return self.explainers[self.explained].contributions(values)


def monotone(p_pay: Floats, explained: int) -> Floats:
    """Probabilities (n, H) fitted around column ``explained``: capped before it, floored after it, itself untouched."""
    fitted = p_pay.copy()
    for column in range(explained - 1, -1, -1):
        fitted[:, column] = np.minimum(fitted[:, column], fitted[:, column + 1])
    for column in range(explained + 1, fitted.shape[1]):
        fitted[:, column] = np.maximum(fitted[:, column], fitted[:, column - 1])
    return fitted
