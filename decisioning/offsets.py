"""A head corrected by offer and age of the debt: what few cases of one offer show, and a booster smooths away.

logit p(x, a) = logit head(x, a) + offset[offer of a, young or old debt]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from decisioning.candidates import Grid
from decisioning.response import Head
from decisioning.twin import BlendedHead

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]

OLD_DAYS = 91
"""Days past due from which on a debt is old."""
SURE = 1e-9


@dataclass(frozen=True)
class Offsets:
    """Offsets (g, 2) in log-odds of g forms of offer, on young and on old debts.

    ``days`` is the column of days past due among account features; ``columns`` (c,) those action features that tell
    the form of an offer, its kind and number of instalments, and ``forms`` (g, c) what stands in them. All discounts
    are of one form, so that a larger one is still taken no less often than a smaller one.
    """

    days: int
    columns: tuple[int, ...]
    forms: Floats
    offsets: Floats

    @staticmethod
    def telling(names: Sequence[str]) -> tuple[int, ...]:
        """The columns among action features ``names`` that tell the form of an offer."""
        return tuple(
            place for place, name in enumerate(names) if name.startswith("action_kind_") or name == "action_instalments"
        )

    def form(self, static: Floats) -> Int64s:
        """(A,) the form of each action, by its features (A, s); -1 for one that is not known."""
        same = (static[:, None, list(self.columns)] == self.forms[None]).all(axis=2)
        return np.where(same.any(axis=1), same.argmax(axis=1), -1)

    def old(self, values: Floats) -> Int64s:
        """(n,) 1 where the debt is old, 0 where it is young or nothing is overdue."""
        return (np.nan_to_num(values[:, self.days]) >= OLD_DAYS).astype(np.int64)

    def of(self, table: Grid) -> Floats:
        """(n, A) log-odds to add; 0 for an offer of no known form."""
        padded = np.vstack([self.offsets, np.zeros(2)])
        return padded[self.form(table.static)].T[self.old(table.values)]

    def to_json(self) -> dict[str, Any]:
        """All of it."""
        return {
            "days": self.days,
            "columns": list(self.columns),
            "forms": self.forms.tolist(),
            "offsets": self.offsets.tolist(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Offsets:
        """What ``to_json`` wrote."""
        forms, offsets = (np.array(data[name], dtype=np.float64) for name in ("forms", "offsets"))
        return cls(int(data["days"]), tuple(int(place) for place in data["columns"]), forms, offsets)


@dataclass(frozen=True)
class OffsetHead:
    """A head with its offsets."""

    head: Head | BlendedHead
    offsets: Offsets

    @property
    def booster(self) -> Any | None:
        """That of the head."""
        return self.head.booster

    @property
    def calibrator(self) -> Any | None:
        """That of the head."""
        return self.head.calibrator

    @property
    def constant(self) -> float | None:
        """That of the head."""
        return self.head.constant

    def apply(self, table: Grid, wanted: Bools) -> Floats:
        """The probability or share (n, A) for accounts under the ``wanted`` actions, ``NaN`` elsewhere."""
        plain = self.head.apply(table, wanted)
        found: Floats = expit(logit(np.clip(plain, SURE, 1.0 - SURE)) + self.offsets.of(table))
        return found
