"""A fingerprint of the data a model was trained on, the same in whatever order rows and files came."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from domain.clock import MISSING, rfc3339
from domain.coded import Coded
from domain.tables import Tables
from training.splits import hash_share

_MOST_VALUES = 1_000
_HAPPENED = ("occurred_at", "decided_at")


def data_summary(tables: Tables) -> dict[str, Any]:
    """Rows, first and last moment of each table, and a SHA-256 over their contents.

    Notes
    -----
    Numbers, moments and coded texts enter the hash; columns with over 1,000 distinct texts (ids) enter by their count.
    """
    digest = hashlib.sha256()
    rows: dict[str, Any] = {}
    for name in sorted(tables.columns):
        rows[name] = {"rows": tables.rows(name), **_span(tables, name)}
        for column in sorted(tables.columns[name]):
            digest.update(f"{name}.{column}={_content(tables, name, column)};".encode())
    return {"tables": rows, "sha256": digest.hexdigest()}


def _span(tables: Tables, name: str) -> dict[str, str]:
    column = next((one for one in _HAPPENED if one in tables.columns[name]), None)
    if column is None:
        return {}
    moments = tables.ints(name, column)
    known = moments[moments != MISSING]
    return {"first": rfc3339(int(known.min())), "last": rfc3339(int(known.max()))} if len(known) else {}


def _content(tables: Tables, name: str, column: str) -> str:
    data = tables.columns[name][column]
    if isinstance(data, Coded):
        if len(data.values) > _MOST_VALUES:
            return str(len(data.values))
        counts = np.bincount(data.codes[data.codes >= 0], minlength=len(data.values))
        return repr(sorted(zip(data.values, counts.tolist(), strict=True)))
    bits = np.ascontiguousarray(data).view(np.int64)
    # A sum of hashes does not depend on the order of rows, and a sum of integers not on rounding.
    return str(int(np.rint(hash_share(bits, seed=1) * 2.0**40).astype(np.int64).sum()))
