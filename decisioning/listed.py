"""Refusals of many accounts as columns: hundreds of accounts share the same one, and files hold it by number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING
from domain.decisions import Refusal

Int64s = npt.NDArray[np.int64]


class Whose(NamedTuple):
    """The rule that refuses, and what it says."""

    rule: str
    code: str
    layer: str
    version: str
    text: str


class Kinds(NamedTuple):
    """Refusals that differ, one in each place (k,): by which of the rules, of which action, until when.

    ``until_us`` is until when the rule refuses and ``whole_us`` when nothing would, ``depends_on`` what is in the way,
    a position among the ``reasons`` of ``Listed``. What is not known is -1, of moments ``MISSING`` or ``FOREVER``.
    """

    whose: Int64s
    action: Int64s
    until_us: Int64s
    whole_us: Int64s
    depends_on: Int64s

    @classmethod
    def together(cls, parts: Sequence[Kinds]) -> Kinds:
        """All of them, one part behind the other."""
        return cls(*(np.concatenate([np.zeros(0, dtype=np.int64), *some]) for some in zip(*parts, strict=True)))


@dataclass(frozen=True, slots=True)
class Listed:
    """Those of row r are ``which[offsets[r]:offsets[r + 1]]``, positions among the ``kinds``, in the order of a record.

    ``rules``, ``actions`` and ``reasons`` are what the kinds refer to by position.
    """

    rules: tuple[Whose, ...]
    actions: tuple[str, ...]
    reasons: tuple[str, ...]
    kinds: Kinds
    which: Int64s
    offsets: Int64s

    @property
    def rows(self) -> Int64s:
        """(m,) the row of each."""
        return np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))

    def plus(self, found: dict[int, Refusal]) -> Listed:
        """The same with one more refusal, the last, on some rows."""
        if not found:
            return self
        rules = [*self.rules, *(Whose(one.rule, one.code, one.layer, one.version, one.text) for one in found.values())]
        reasons = [*self.reasons, *(one.depends_on or "" for one in found.values())]
        count = np.arange(len(found))
        more = Kinds(
            len(self.rules) + count,
            np.array([self.actions.index(one.action) for one in found.values()], dtype=np.int64),
            _moments([one.until_us for one in found.values()]),
            _moments([one.allowed_from_us for one in found.values()]),
            np.where([one.depends_on is None for one in found.values()], -1, len(self.reasons) + count),
        )
        rows = np.concatenate([self.rows, np.array([*found], dtype=np.int64)])
        which = np.concatenate([self.which, len(self.kinds.action) + count])
        kinds = Kinds.together([self.kinds, more])
        return Listed(tuple(rules), self.actions, tuple(reasons), kinds, *by_row(rows, which, size=len(self)))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def of_rows(self, made: Sequence[Refusal]) -> list[tuple[Refusal, ...]]:
        """The refusals of each row, from those of all kinds."""
        told = list(map(made.__getitem__, self.which.tolist()))
        return [tuple(told[start:end]) for start, end in pairwise(self.offsets.tolist())]


def by_row(rows: Int64s, which: Int64s, *, size: int) -> tuple[Int64s, Int64s]:
    """``which`` and ``offsets`` of a list, from the row (m,) of each refusal, those of a row in their order."""
    order = np.argsort(rows, kind="stable")
    return which[order].astype(np.int64), np.searchsorted(rows[order], np.arange(size + 1)).astype(np.int64)


def _moments(found: Sequence[int | None]) -> Int64s:
    return np.array([MISSING if one is None else one for one in found], dtype=np.int64)
