"""A fingerprint of the data a model was trained on, the same in whatever order rows, files and parts came."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
from pandas.util import hash_array

from domain.clock import MISSING, rfc3339
from domain.coded import Coded
from domain.tables import ColumnData, Tables

UInt64s = npt.NDArray[np.uint64]
_HAPPENED = ("occurred_at", "decided_at")
# Two sums of 64 bits each: what a table holds is told apart up to chance, and not against somebody who forges it.
_SALTS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F))
_NOTHING = np.uint64(0x165667B19E3779F9)


def data_summary(tables: Tables) -> dict[str, Any]:
    """Rows, first and last moment and fingerprint of each table, and a SHA-256 over them all.

    Notes
    -----
    The fingerprint covers every value of every column of every row as it was read (identical rows once, times in UTC,
    money in cents), ids and texts by their bytes, and which values stand in one row. It covers neither the order of
    rows and columns nor how files were cut, named or compressed. It tells other data, and it is no proof against
    somebody who looks for data with the same one: row hashes are added up.
    """
    found: dict[str, Any] = {
        name: {"rows": tables.rows(name), **_span(tables, name), "fingerprint": _table(tables, name)}
        for name in sorted(tables.columns)
    }
    told = ";".join(f"{name}={one['rows']}:{one['fingerprint']}" for name, one in found.items())
    return {"tables": found, "sha256": hashlib.sha256(told.encode()).hexdigest()}


def _span(tables: Tables, name: str) -> dict[str, str]:
    column = next((one for one in _HAPPENED if one in tables.columns[name]), None)
    if column is None:
        return {}
    moments = tables.ints(name, column)
    known = moments[moments != MISSING]
    return {"first": rfc3339(int(known.min())), "last": rfc3339(int(known.max()))} if len(known) else {}


def _table(tables: Tables, name: str) -> str:
    """128 bits in hexadecimal: sums over rows of a hash of the row's values and the names of their columns."""
    rows = np.zeros(tables.rows(name), dtype=np.uint64)
    for column, data in sorted(tables.columns[name].items()):
        named = np.uint64(int.from_bytes(hashlib.sha256(column.encode()).digest()[:8], "big"))
        rows = _mixed(rows ^ _mixed(_values(data) ^ named))
    # A sum does not depend on the order of rows, and modulo 2^64 not on where parts were cut.
    return "".join(f"{int(_mixed(rows ^ salt).sum(dtype=np.uint64)):016x}" for salt in _SALTS)


def _values(data: ColumnData) -> UInt64s:
    """(n,) a hash of each value, the same on every machine."""
    if isinstance(data, Coded):
        texts = np.array([*data.values, ""], dtype=object)
        hashed = hash_array(texts, categorize=False).astype(np.uint64)
        hashed[-1] = _NOTHING
        return np.asarray(hashed[np.where(data.codes < 0, len(data.values), data.codes)])
    if data.dtype.kind == "f":
        # Zero has two signs and no value many bit patterns; each is one value here.
        data = np.where(np.isnan(data), np.nan, data + 0.0)
    return np.ascontiguousarray(data).view(np.uint64)


def _mixed(state: UInt64s) -> UInt64s:
    """splitmix64 (Steele, Lea and Flood 2014, OOPSLA)."""
    with np.errstate(over="ignore"):
        state = state + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(state ^ (state >> np.uint64(31)))
