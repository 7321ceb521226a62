"""Refusals of many accounts, each kept once: hundreds of accounts share the same one, and files hold it by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from domain.decisions import Refusal

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Listed:
    """Those of row r are ``which[offsets[r]:offsets[r + 1]]``, positions in ``distinct``, in the order of a record."""

    distinct: tuple[Refusal, ...]
    which: Int64s
    offsets: Int64s

    @classmethod
    def of(cls, distinct: Sequence[Refusal], rows: Int64s, which: Int64s, *, size: int) -> Listed:
        """From the row (m,) of each refusal, those of a row in their order."""
        order = np.argsort(rows, kind="stable")
        offsets = np.searchsorted(rows[order], np.arange(size + 1)).astype(np.int64)
        return cls(tuple(distinct), which[order].astype(np.int64), offsets)

    @property
    def rows(self) -> Int64s:
        """(m,) the row of each."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def plus(self, found: dict[int, Refusal]) -> Listed:
        """The same with one more refusal, the last, on some rows."""
        if not found:
            return self
        rows = np.concatenate([self.rows, np.array([*found], dtype=np.int64)])
        which = np.concatenate([self.which, len(self.distinct) + np.arange(len(found))])
        return Listed.of((*self.distinct, *found.values()), rows, which, size=len(self.offsets) - 1)

    def by_row(self) -> list[tuple[Refusal, ...]]:
        """The refusals of each row."""
        told = list(map(self.distinct.__getitem__, self.which.tolist()))
        return [tuple(told[start:end]) for start, end in pairwise(self.offsets.tolist())]
