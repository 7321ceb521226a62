"""What was computed of accounts when their claims were made, kept for when they are decided on.

Features and the outcomes of every action cost most of a decision. Between the two looks at a portfolio nothing that
they depend on changes, so they are written down once; of outcomes only those of allowed actions, a part of all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.response import Outcomes
from domain.errors import DataError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
_OF_ROWS = ("accounts", "values", "p_pay", "count")


@dataclass(frozen=True)
class Foreknown:
    """Of n ``accounts`` (positions, rising): ``values`` (n, k), ``p_pay`` (n, H), and outcomes of allowed actions.

    The outcomes by name are (m,), row after row, ``count`` (n,) of them in each.
    """

    accounts: Int64s
    values: Floats
    p_pay: Floats
    count: Int64s
    outcomes: dict[str, Floats]

    def save(self, path: Path) -> None:
        """Writes the arrays to a file."""
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _OF_ROWS}
        arrays |= {f"of_{name}": found for name, found in self.outcomes.items()}
        with path.open("wb") as stream:
            np.savez(stream, **arrays)

    @classmethod
    def load(cls, path: Path) -> Foreknown:
        """The arrays of a file."""
        with np.load(path, allow_pickle=False) as found:
            outcomes = {name.removeprefix("of_"): found[name] for name in found.files if name.startswith("of_")}
            return cls(**{name: found[name] for name in _OF_ROWS}, outcomes=outcomes)

    def rows(self, accounts: npt.NDArray[np.integer[Any]]) -> Int64s:
        """Where accounts (positions) stand here.

        Raises
        ------
        DataError : one of them does not
        """
        if not np.isin(accounts, self.accounts).all():
            raise DataError("found accounts whose claims were not made, needed those of all; decide again")
        return np.searchsorted(self.accounts, accounts).astype(np.int64)

    def outcomes_at(self, rows: Int64s, allowed: Bools) -> Outcomes:
        """Outcomes (n, A) of some rows under their allowed actions, ``NaN`` elsewhere.

        Raises
        ------
        DataError : other actions are allowed than were
        """
        if not np.array_equal(allowed.sum(axis=1), self.count[rows]):
            raise DataError("found other actions allowed than when claims were made, needed the same; decide again")
        start = np.cumsum(self.count) - self.count
        row, _ = np.nonzero(allowed)
        first = np.cumsum(self.count[rows]) - self.count[rows]
        place = start[rows][row] + np.arange(len(row)) - first[row]
        found = {}
        for name, kept in self.outcomes.items():
            found[name] = np.full(allowed.shape, np.nan)
            found[name][allowed] = kept[place]
        return Outcomes(**found)


@dataclass
class Keeping:
    """Takes down pages of accounts, in any order."""

    pages: list[tuple[Int64s, Floats, Floats, Int64s, dict[str, Floats]]] = field(default_factory=list)

    def keep(self, accounts: npt.NDArray[np.integer[Any]], values: Floats, p_pay: Floats, outcomes: Outcomes) -> None:
        """Takes down a page; what is asked about shows in the outcomes, which are ``NaN`` elsewhere."""
        asked = ~np.isnan(outcomes.p_pay)
        kept = {name: found[asked] for name, found in outcomes.named().items()}
        self.pages.append((accounts.astype(np.int64), values, p_pay, asked.sum(axis=1), kept))

    def kept(self) -> Foreknown | None:
        """All pages together, their accounts rising; ``None`` where there is none."""
        if not self.pages:
            return None
        accounts, values, p_pay, count, outcomes = (list(one) for one in zip(*self.pages, strict=True))
        whole = np.concatenate(accounts)
        order = np.argsort(whole)
        counts = np.concatenate(count)
        start = np.cumsum(counts) - counts
        pairs = np.repeat(start[order], counts[order]) + _within(counts[order])
        return Foreknown(
            whole[order], np.concatenate(values)[order], np.concatenate(p_pay)[order], counts[order],
            {name: np.concatenate([page[name] for page in outcomes])[pairs] for name in outcomes[0]},
        )  # fmt: skip


def _within(counts: Int64s) -> Int64s:
    """0, 1, … within each of some runs."""
    first = np.cumsum(counts) - counts
    return np.arange(int(counts.sum()), dtype=np.int64) - np.repeat(first, counts)
