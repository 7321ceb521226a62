"""Whether a shape is better than the one at hand by more than noise.

Both are judged on the same rows of the same folds, so that what the rows have in common cancels. The best of many
trials looks better than it is on the folds that chose it (the winner's curse), so that the last fold has no part in the
choice: it is the latest one, its models learned from the most rows, and it confirms the winner or does not. A gain
counts where it is above one standard error (after the one-standard-error rule of Breiman et al. 1984, "Classification
and Regression Trees", 3.4.3): on the choosing folds by how it differs from fold to fold, on the confirming one by how
it differs from debtor to debtor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.ope.estimators import Z_95, clustered_se

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Fold:
    """Losses (n,) of the rows of a fold, the lower the better, and the codes (n,) of their debtors.

    ``weight`` (n,) of the rows, where the losses are negative doubly robust scores.
    """

    losses: Floats
    debtor: Int64s
    weight: Floats | None = None

    @property
    def mean(self) -> float:
        """Over rows."""
        return float(self.losses.mean())


@dataclass(frozen=True)
class Gain:
    """By how much a loss falls, with its standard error."""

    value: float
    se: float

    @property
    def clear(self) -> bool:
        """Whether it is above one standard error."""
        return self.value > self.se

    def to_json(self) -> dict[str, float]:
        """Plain values, with a 95 % interval."""
        half = Z_95 * self.se
        return {"value": self.value, "se": self.se, "low": self.value - half, "high": self.value + half}


@dataclass(frozen=True)
class Verdict:
    """The gain of the best shape where it was ``chosen``, which is too good, and where it is ``confirmed``."""

    chosen: Gain
    confirmed: Gain

    @property
    def taken(self) -> bool:
        """Whether both are clear."""
        return self.chosen.clear and self.confirmed.clear

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"taken": self.taken, "chosen": self.chosen.to_json(), "confirmed": self.confirmed.to_json()}


NOTHING = Verdict(Gain(0.0, 0.0), Gain(0.0, 0.0))
"""Of the shape at hand over itself."""


def compared(known: Sequence[Fold], other: Sequence[Fold]) -> Verdict:
    """The gain of another shape over the one at hand, on the same folds of at least three; the last confirms."""
    means = np.array([one.mean - two.mean for one, two in zip(known, other, strict=True)])
    spread = float(means[:-1].std(ddof=1))
    fall = known[-1].losses - other[-1].losses
    debtor = np.unique(known[-1].debtor, return_inverse=True)[1].astype(np.int64)
    error = clustered_se(fall - fall.mean(), debtor)
    # Losses that no debtors stand behind differ from fold to fold at least.
    confirmed = Gain(float(means[-1]), error if np.isfinite(error) else spread)
    return Verdict(Gain(float(means[:-1].mean()), spread / float(np.sqrt(len(means) - 1))), confirmed)
