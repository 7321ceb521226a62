"""What expectations count of rows together, from rows put aside by account or by what must not be alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.coded import Coded
from features.gates import config as kinds
from features.gates.config import Expected
from features.gates.keyed import any_between, kept_spans, one_scale
from features.gates.looking import Counted
from features.hashing import Hashes, alike, mixed
from features.reading import is_missing
from features.streaming.batches import Piece
from features.streaming.scattered import Room, Rows, Scattered, parts_of

Int32s = npt.NDArray[np.int32]
NAMES: dict[type[Expected], tuple[str, ...]] = {
    kinds.Distinct: ("key", "id"),
    kinds.Varied: ("key",),
    kinds.OneScale: ("account", "amount"),
    kinds.KeptIsPaid: ("account", "first", "last"),
}
"""Kinds that need rows to meet, and the columns that are put aside for them."""


@dataclass
class Keyed:
    """One expectation of one table: its rows are put aside piece by piece and counted part by part."""

    expected: Any
    rows: Scattered
    of: int = field(default=0)

    @classmethod
    def of_kind(cls, expected: Expected, room: Room) -> Keyed:
        """Nothing put aside yet."""
        return cls(expected, Scattered(room, NAMES[type(expected)]))

    def add(self, piece: Piece, account: Int32s) -> None:
        """Puts aside what counts of a piece; ``account`` has the numbers of its accounts."""
        expected, parts = self.expected, self.rows.room.parts
        if isinstance(expected, kinds.Distinct):
            rows = np.flatnonzero(~np.logical_or.reduce([is_missing(piece.table.data[one]) for one in expected.same]))
            key = keys_of(piece, expected.same)[rows]
            self.rows.add(parts_of(key, parts), key, piece.hashes(piece.table.spec.id_column)[rows])
        elif isinstance(expected, kinds.Varied):
            if expected.column in piece.table.data:
                key = keys_of(piece, (expected.column,))[~is_missing(piece.table.data[expected.column])]
                self.rows.add(parts_of(key, parts), key)
        elif isinstance(expected, kinds.OneScale):
            amounts = np.asarray(piece.table.data[expected.column])
            self.rows.add(account.astype(np.int64) % parts, account, amounts)
        else:
            rows, first, last = kept_spans(piece.table)
            self.rows.add(account[rows].astype(np.int64) % parts, account[rows], first, last)

    def counted(self, paying: Scattered | None = None) -> Counted | None:
        """The count over all parts; ``paying`` are payments by account, for promises that count as kept."""
        if isinstance(self.expected, kinds.KeptIsPaid) and (paying is None or not paying.count):
            return None
        found = Counted(0, 0)
        for number in range(self.rows.room.parts):
            rows = self.rows.part(number)
            if rows is None:
                break
            found = self._with_part(found, rows, None if paying is None else paying.part(number))
        self.rows.forget()
        return found

    def _with_part(self, found: Counted, rows: Rows, paying: Rows | None) -> Counted:
        if isinstance(self.expected, kinds.Varied):
            codes, _ = alike(rows["key"].copy())
            return Counted(max(found.wrong, int(np.bincount(codes).max(initial=0))), found.of + len(rows))
        if isinstance(self.expected, kinds.Distinct):
            # Of rows alike each id but one is another row of its own.
            _, groups = alike(rows["key"].copy())
            _, ids = alike(mixed(rows["key"].copy(), rows["id"].copy()))
            return found + Counted(ids - groups, len(rows))
        if isinstance(self.expected, kinds.OneScale):
            return found + one_scale(rows["amount"].copy(), rows["account"].copy(), self.expected)
        return found + _unpaid(rows, paying)


def _unpaid(rows: Rows, paying: Rows | None) -> Counted:
    if paying is None:
        return Counted(len(rows), len(rows))
    account = rows["account"].copy()
    paid = any_between(
        paying["account"].copy(), paying["moment"].copy(), account, first=rows["first"], last=rows["last"]
    )
    return Counted(int(np.count_nonzero((account < 0) | ~paid)), len(rows))


def keys_of(piece: Piece, columns: tuple[str, ...]) -> Hashes:
    """(n,) one number for the values of some columns; rows that are alike in all of them have the same."""
    key = np.zeros(piece.table.rows, dtype=np.uint64)
    for name in columns:
        values = piece.table.data[name]
        key = mixed(key, piece.hashes(name) if isinstance(values, Coded) else _as_numbers(values))
    return key


def _as_numbers(values: npt.NDArray[Any]) -> Hashes:
    if values.dtype.kind == "f":
        # Every NaN is the same missing value, and -0 is 0.
        plain = np.where(np.isnan(values), np.nan, values + 0.0)
        return plain.astype(np.float64).view(np.uint64)
    return values.astype(np.int64).view(np.uint64)
