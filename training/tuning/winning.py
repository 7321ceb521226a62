"""Whether a shape is better than the one at hand by more than noise.

Both are judged on the same rows of the same folds, so that what the rows have in common cancels. The best of many
trials looks better than it is (the winner's curse): a gain counts where it is above one standard error (after the
one-standard-error rule of Breiman et al. 1984, "Classification and Regression Trees", 3.4.3), both by how it differs
from fold to fold and by how it differs from debtor to debtor.
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
class Verdict:
    """``gain`` of the best shape, mean over folds of the fall of its loss, with both standard errors."""

    gain: float
    se_folds: float
    se_debtors: float

    @property
    def taken(self) -> bool:
        """Whether the gain is above one standard error of either kind."""
        return self.gain > max(self.se_folds, self.se_debtors)

    def to_json(self) -> dict[str, Any]:
        """Plain values; the interval is of 95 %, by the larger of the two errors."""
        half = Z_95 * max(self.se_folds, self.se_debtors)
        return {
            "taken": self.taken, "gain": self.gain, "gain_low": self.gain - half, "gain_high": self.gain + half,
            "se_folds": self.se_folds, "se_debtors": self.se_debtors,
        }  # fmt: skip


def compared(known: Sequence[Fold], other: Sequence[Fold]) -> Verdict:
    """The gain of another shape over the one at hand, on the same folds of at least two."""
    rows = [one.losses - two.losses for one, two in zip(known, other, strict=True)]
    means = np.array([found.mean() for found in rows])
    spread = float(means.std(ddof=1) / np.sqrt(len(means)))
    # Every fold counts the same in the gain, so a row counts by the share of its fold.
    scaled = [(found - found.mean()) / (len(found) * len(rows)) for found in rows]
    influence = np.concatenate(scaled)
    debtor = np.unique(np.concatenate([one.debtor for one in known]), return_inverse=True)[1].astype(np.int64)
    error = clustered_se(influence, debtor) * len(influence)
    return Verdict(float(means.mean()), spread, error if np.isfinite(error) else 0.0)
