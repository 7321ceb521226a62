"""Which rows are the same row twice, and which claim one identity with different content (contract §2, identity)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from domain.coded import Coded
from domain.tables import ColumnData, TableData

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]

_MIX = np.uint64(0x9E3779B97F4A7C15)


def repeated_rows(data: TableData, *, id_column: str) -> Bools:
    """Rows equal in every column to an earlier row: (n,) mask.

    Only rows whose id occurs more than once are compared, so a clean table costs one count.
    """
    repeated = np.zeros(len(_ids(data, id_column)), dtype=np.bool_)
    rows = _rows_of_shared_ids(data, id_column)
    if len(rows) == 0:
        return repeated
    columns = [_as_integers(values)[rows] for values in data.values()]
    # A 64-bit mix brings equal rows together; equality itself is then checked column by column.
    mixed = np.zeros(len(rows), dtype=np.uint64)
    for values in columns:
        mixed = (mixed ^ values.view(np.uint64)) * _MIX
        mixed ^= mixed >> np.uint64(29)
    order = np.argsort(mixed, kind="stable")
    equal = np.ones(len(rows) - 1, dtype=np.bool_)
    for values in columns:
        equal &= values[order][1:] == values[order][:-1]
    repeated[rows[order[1:][equal]]] = True
    return repeated


def conflicting_rows(data: TableData, *, id_column: str, apart_from: Bools) -> Int64s:
    """Rows that share (id, recorded_at) with a row of other content; ``apart_from`` masks the plain repeats."""
    rows = _rows_of_shared_ids(data, id_column)
    rows = rows[~apart_from[rows]]
    ids, recorded = _ids(data, id_column)[rows], _as_integers(data["recorded_at"])[rows]
    order = np.lexsort((recorded, ids))
    same = (ids[order][1:] == ids[order][:-1]) & (recorded[order][1:] == recorded[order][:-1])
    conflicting = np.zeros(len(rows), dtype=np.bool_)
    conflicting[order[1:][same]] = True
    conflicting[order[:-1][same]] = True
    return rows[conflicting].astype(np.int64)


def without_repeats(data: TableData, *, id_column: str) -> TableData:
    """The table with each row once."""
    repeated = repeated_rows(data, id_column=id_column)
    if not repeated.any():
        return data
    kept = np.flatnonzero(~repeated)
    return {name: values.take(kept) if isinstance(values, Coded) else values[kept] for name, values in data.items()}


def _ids(data: TableData, id_column: str) -> npt.NDArray[np.int32]:
    ids = data[id_column]
    assert isinstance(ids, Coded)
    return ids.codes


def _rows_of_shared_ids(data: TableData, id_column: str) -> Int64s:
    ids = _ids(data, id_column)
    counts = np.bincount(ids + 1)
    return np.flatnonzero(counts[ids + 1] > 1) if len(ids) else np.empty(0, dtype=np.int64)


def _as_integers(values: ColumnData) -> Int64s:
    """A column as integers that are equal exactly where the values are; every NaN is the same missing value."""
    if isinstance(values, Coded):
        return values.codes.astype(np.int64)
    if values.dtype.kind == "f":
        plain = np.where(np.isnan(values), np.nan, values + 0.0)
        return plain.astype(np.float64).view(np.int64)
    return values.astype(np.int64)
