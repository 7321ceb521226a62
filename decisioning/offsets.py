"""A head corrected by offer and age of the debt: what few cases of one offer show, and a booster smooths away.

logit p(x, a) = logit head(x, a) + offset[offer of a, young or old debt]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from decisioning.candidates import Grid
from decisioning.response import Head
from decisioning.twin import BlendedHead
from domain.compiled import compiled

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
        return _first_alike(np.ascontiguousarray(static), self._columns, self.forms)

    def old(self, values: Floats) -> Int64s:
        """(n,) 1 where the debt is old, 0 where it is young or nothing is overdue."""
        # What is missing, NaN, is above nothing, and so young.
        return (values[:, self.days] >= OLD_DAYS).astype(np.int64)

    def of(self, table: Grid) -> Floats:
        """(n, A) log-odds to add; 0 for an offer of no known form."""
        return self._padded[self.form(table.static)].T[self.old(table.values)]

    @cached_property
    def _columns(self) -> Int64s:
        return np.array(self.columns, dtype=np.int64)

    @cached_property
    def _padded(self) -> Floats:
        """The offsets, and after them the nothing of what has no form."""
        return np.vstack([self.offsets, np.zeros(2)])

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


@compiled
def _first_alike(static: Floats, columns: Int64s, forms: Floats) -> Int64s:
    found = np.full(len(static), -1, dtype=np.int64)
    for action in range(len(static)):
        for form in range(len(forms) - 1, -1, -1):
            same = True
            for place in range(len(columns)):
                same = same and static[action, columns[place]] == forms[form, place]
            if same:
                found[action] = form
    return found


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
