"""A head's linear twin: what an action adds to what the account's own features say, few numbers and little variance.

    margin(x, a) = c + b · s(x) + γ · q(x) + z(x, a) · (w + v · s(x) + U · q(x))

s is the margin of a booster that never saw the action (the prognostic score), z the standardised action features, and
q a few drivers of the account. With few rows it beats the booster of everything, with many it loses to it, and the two
are blended by a weight chosen on debtors left out (``training.learners.blend``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.calibration import Calibrator
from decisioning.candidates import Grid
from decisioning.tree_shap import ByBooster, TreeShap, explainer_of
from decisioning.trees import Trees

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_DRIVER_SCALE = 5.0


@dataclass(frozen=True)
class Twin:
    """The numbers of the formula above.

    ``prognostic`` is a LightGBM booster; ``drivers`` are columns of account features, taken as log1p; ``mean`` and
    ``scale`` (a,) standardise action features, a missing one standing at its mean; ``coefficients`` are c, b, γ (d,),
    w (a,), v (a,) and U (d · a,), in this order.
    """

    prognostic: Any
    drivers: tuple[int, ...]
    mean: Floats
    scale: Floats
    coefficients: Floats

    @cached_property
    def trees(self) -> Trees:
        """The trees of the prognostic score, read once."""
        return Trees.of(self.prognostic)

    @cached_property
    def explainer(self) -> TreeShap | ByBooster:
        """What tells how each feature adds to the prognostic score."""
        return explainer_of(self.prognostic)

    def margins(self, table: Grid, wanted: Bools) -> Floats:
        """(n, A) margins of accounts under the ``wanted`` actions, ``NaN`` elsewhere."""
        rows, actions = np.nonzero(wanted)
        alone = np.ones((len(table.values), 1), dtype=np.bool_)
        empty = Grid(table.values, np.zeros((1, 1)), np.zeros((len(table.values), 1, 0)), np.zeros(1, dtype=np.int64))
        score = self.trees.margins(empty, alone)[:, 0]
        terms = design(score[rows], table.own(rows, actions), table.values[rows][:, self.drivers], of=self)
        found = np.full(wanted.shape, np.nan)
        found[rows, actions] = self.coefficients[0] + terms @ self.coefficients[1:]
        return found

    def to_json(self) -> dict[str, Any]:
        """All but the booster."""
        arrays = {name: getattr(self, name).tolist() for name in ("mean", "scale", "coefficients")}
        return {"drivers": list(self.drivers), **arrays}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], prognostic: Any) -> Twin:
        """What ``to_json`` wrote, with its booster."""
        arrays = (np.array(data[name], dtype=np.float64) for name in ("mean", "scale", "coefficients"))
        return cls(prognostic, tuple(int(place) for place in data["drivers"]), *arrays)


def design(score: Floats, action: Floats, drivers: Floats, *, of: Twin | None = None) -> Floats:
    """Terms (m, 1 + d + a + a + d·a) of the formula, without its constant.

    Parameters
    ----------
    score : (m,) prognostic score; ``action`` (m, a) action features, standardised by the twin ``of`` where it is given
    drivers : (m, d) account features, not negative where they are known
    """
    z = action if of is None else np.nan_to_num((action - of.mean) / of.scale)
    q = np.log1p(np.maximum(np.nan_to_num(drivers), 0.0)) / _DRIVER_SCALE
    crossed = [z * q[:, [place]] for place in range(q.shape[1])]
    return np.hstack([score[:, None], q, z, z * score[:, None], *crossed])


@dataclass(frozen=True)
class BlendedHead:
    """A booster and its twin, ``weight`` of the booster's margin and the rest of the twin's, calibrated together."""

    booster: Any
    twin: Twin
    weight: float
    calibrator: Calibrator
    constant: None = None

    @cached_property
    def trees(self) -> Trees:
        """The booster's trees, read once."""
        return Trees.of(self.booster)

    @cached_property
    def explainer(self) -> TreeShap | ByBooster:
        """What tells how each feature adds to the booster's margin."""
        return explainer_of(self.booster)

    def apply(self, table: Grid, wanted: Bools) -> Floats:
        """The probability (n, A) for accounts under the ``wanted`` actions, ``NaN`` elsewhere."""
        grown, straight = self.trees.margins(table, wanted), self.twin.margins(table, wanted)
        blended = self.weight * grown + (1.0 - self.weight) * straight
        return np.asarray(self.calibrator.apply(blended), dtype=np.float64)
