"""Numpy steps on canonical columns: versions of a row, joins over intervals of knowledge, and stable ranks of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from domain.clock import FOREVER, MISSING, Int64s
from domain.tables import TABLES, Coded, Tables

Int32s = npt.NDArray[np.int32]


def ranks(column: Coded) -> Int32s:
    """Codes in the alphabetical order of the values, so that sorting by them does not depend on the row order."""
    order = np.argsort(np.array(column.values, dtype=object)) if column.values else np.zeros(0, dtype=np.int64)
    rank = np.full(len(column.values) + 1, -1, dtype=np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    return rank[column.codes]


def known_until(tables: Tables, table: str) -> Int64s:
    """For each row, the ``recorded_at`` of the next version of the same id, or ``FOREVER``.

    A row is visible at ``as_of`` iff ``recorded_at < as_of <= known_until``: a correction counts from its own
    ``recorded_at`` on, exclusive, just as the row it replaces did.
    """
    recorded = tables.ints(table, "recorded_at")
    until = np.full(len(recorded), FOREVER, dtype=np.int64)
    if len(recorded) < 2:
        return until
    ids = tables.text(table, TABLES[table].id_column).codes
    if np.bincount(ids + 1)[1:].max(initial=0) <= 1:
        return until
    order = np.lexsort((recorded, ids))
    same = (ids[order][1:] == ids[order][:-1]) & (ids[order][1:] >= 0)
    until[order[:-1][same]] = recorded[order[1:][same]]
    return until


def version_pairs(left: Coded, right: Coded) -> tuple[Int64s, Int64s]:
    """All pairs of rows whose texts are equal: positions on the left and on the right, in order of the left."""
    index = {value: code for code, value in enumerate(right.values)}
    wanted = left.recode(index)
    order = np.argsort(right.codes, kind="stable")
    keys = right.codes[order]
    low, high = np.searchsorted(keys, wanted, side="left"), np.searchsorted(keys, wanted, side="right")
    counts = np.where(wanted >= 0, high - low, 0)
    rows = np.repeat(np.arange(len(wanted), dtype=np.int64), counts)
    starts = np.repeat(low, counts)
    within = np.arange(len(rows), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
    return rows, order[starts + within].astype(np.int64)


def offsets_of(sorted_keys: Int32s, n_keys: int) -> Int64s:
    """Bounds of each key's run in a sorted column: (n_keys + 1,) int64."""
    return np.searchsorted(sorted_keys, np.arange(n_keys + 1)).astype(np.int64)


def filled(values: Int64s, default: Int64s | int) -> Int64s:
    """The column with its missing values replaced."""
    return np.where(values == MISSING, default, values)


def index_of(values: Sequence[str]) -> Mapping[str, int]:
    """Position of each value."""
    return {value: position for position, value in enumerate(values)}
