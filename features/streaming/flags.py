"""Rows that a finding is about, known by their place alone: their ids are read once everything is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from features.findings import Finding, Trouble
from features.reading import EXAMPLES, RowPlace, TypedQuery
from features.streaming.batches import ids_of
from features.streaming.merging import smallest
from features.texts import Texts

Bools = npt.NDArray[np.bool_]


class Flags:
    """Rows of a table with one kind of trouble, by their place in the files.

    ``of_files`` are those that are looked for among all rows; the others, among those that do not repeat another.
    """

    def __init__(self, table: str, column: str, trouble: Trouble, rows: int) -> None:
        self.table, self.column, self.trouble = table, column, trouble
        self.of_files = False
        self._rows, self._marked = rows, np.zeros(0, dtype=np.bool_)
        self.count = 0

    @classmethod
    def of(cls, table: str, column: str, trouble: Trouble, marked: Bools) -> Flags:
        """The rows of a mask over all rows of the files."""
        flags = cls(table, column, trouble, len(marked))
        flags.of_files = True
        flags.add(np.flatnonzero(marked))
        return flags

    def add(self, rows: npt.NDArray[np.int64]) -> None:
        """Marks rows that are not marked yet."""
        if len(rows):
            if not len(self._marked):
                self._marked = np.zeros(self._rows, dtype=np.bool_)
            self._marked[rows] = True
            self.count += len(rows)

    def between(self, first: int, last: int) -> npt.NDArray[np.int64]:
        """The places of those marked among some rows, counted from the first of them."""
        return np.flatnonzero(self._marked[first:last])


def findings_of(
    connection: Any, query: TypedQuery, flags: Sequence[Flags], *, skipped: Bools | None, rows_at_once: int
) -> list[Finding]:
    """The findings about rows of one table, with the smallest of their ids; one pass over the ids.

    Parameters
    ----------
    skipped : (rows,) those that repeat others, which do not count where a row without id is named by its place

    Raises
    ------
    DataError : a file cannot be read at all
    """
    examples: list[tuple[str, ...]] = [() for _ in flags]
    first = 0
    for ids in ids_of(connection, query, rows_at_once=rows_at_once) if flags else ():
        for number, one in enumerate(flags):
            rows = one.between(first, first + len(ids))
            if len(rows):
                named = _named(ids, rows, first, None if one.of_files else skipped)
                examples[number] = smallest((*examples[number], *named))
        first += len(ids)
    return [
        Finding(one.trouble.severity, one.table, one.column, one.trouble.code, one.count, found, one.trouble.text)
        for one, found in zip(flags, examples, strict=True)
    ]


def _named(ids: Any, rows: npt.NDArray[np.int64], first: int, skipped: Bools | None) -> tuple[str, ...]:
    given = rows if not ids.null_count else rows[~ids.is_null().to_numpy(zero_copy_only=False)[rows]]
    if len(given):
        return Texts(ids).smallest(given, EXAMPLES)
    places = (first + row - (0 if skipped is None else int(skipped[: first + row].sum())) for row in rows[:EXAMPLES])
    return tuple(RowPlace(f"row {place + 1}") for place in places)
