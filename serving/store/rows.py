"""One row of a canonical table as the store keeps it: complete, in one spelling, and known by its identity.

The content holds in-memory kinds (cents, microseconds, days), every default of the contract filled in, and nothing that
is missing. So rows of a file and rows of a request are the same row where they say the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5, sha256
from typing import Any

import numpy as np

from domain.clock import MISSING
from domain.coded import Coded, coded
from domain.tables import COPIED_DEFAULTS, TABLES, VALUE_DEFAULTS, Column, ColumnData, TableData, Tables

Values = Mapping[str, Any]
HASHED_IDS = frozenset({"consents", "holds"})
"""Tables whose rows may come without an id, which is then a hash of the row."""
_TEXTS = ("id", "text", "code", "list")
_FLOATS = ("number", "cost")


@dataclass(frozen=True, slots=True)
class StoredRow:
    """A row and its identity; ``debtor_id`` is known of rows of ``accounts`` alone."""

    table: str
    row_id: str
    account_id: str
    debtor_id: str | None
    identity: bytes
    content: str


def stored_row(table: str, values: Values) -> StoredRow:
    """A row from its values in the in-memory kinds, ``None`` or no key where there is none.

    Its id may be missing only in ``HASHED_IDS``.
    """
    known = _complete(table, values)
    row_id = known[TABLES[table].id_column]
    # An account without recorded_at was always known, and its row has no time.
    named = f"{table}\0{len(row_id)}\0{row_id}\0{known.get('recorded_at', '')}"
    return StoredRow(
        table, row_id, known["account_id"], known.get("debtor_id") if table == "accounts" else None,
        sha256(named.encode()).digest(), canonical(known),
    )  # fmt: skip


def canonical(values: Values) -> str:
    """JSON in ASCII that is the same for the same values."""
    return json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _complete(table: str, values: Values) -> dict[str, Any]:
    known = {name: value for name, value in values.items() if value is not None}
    spec = TABLES[table]
    if table in HASHED_IDS and spec.id_column not in known:
        known[spec.id_column] = _hash_of(table, known)
    for name, value in _DEFAULTS[table].items():
        known.setdefault(name, value)
    for name, other in _COPIED[table].items():
        known.setdefault(name, known[other])
    happened = known.get("occurred_at", known.get("decided_at"))
    if happened is not None:
        known.setdefault("recorded_at", happened)
    return known


_DEFAULTS = {table: {name: value for (of, name), value in VALUE_DEFAULTS.items() if of == table} for table in TABLES}
_COPIED = {table: {name: other for (of, name), other in COPIED_DEFAULTS.items() if of == table} for table in TABLES}


def _hash_of(table: str, known: Values) -> str:
    """The id that reading a file gives the same row (``features/reading.py``); a test holds the two to each other."""
    spec = TABLES[table]
    others = (str(known.get(column.name, "")) for column in spec.columns if column.name != spec.id_column)
    return md5("\x1f".join(others).encode(), usedforsecurity=False).hexdigest()


def values_of(tables: Tables, table: str) -> Iterator[dict[str, Any]]:
    """The rows of a table in memory, one by one, ``None`` where a value is missing."""
    data = tables.columns[table]
    columns = [_plain(column) for column in data.values()]
    for row in zip(*columns, strict=True):
        yield dict(zip(data, row, strict=True))


def _plain(data: ColumnData) -> list[Any]:
    if isinstance(data, Coded):
        return list(data.decode())
    if data.dtype.kind == "f":
        return [None if value != value else value for value in data.tolist()]  # noqa: PLR0124 (NaN alone differs)
    return [None if value == MISSING else value for value in data.tolist()]


def table_of(table: str, rows: Sequence[Values], columns: Sequence[Column]) -> TableData:
    """Stored rows as the columns of a table in memory."""
    assert TABLES[table].column("account_id") in columns
    return {column.name: _column(column, [row.get(column.name) for row in rows]) for column in columns}


def _column(column: Column, values: Sequence[Any]) -> ColumnData:
    if column.kind in _TEXTS:
        return coded(values)
    if column.kind in _FLOATS:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return np.array([MISSING if value is None else value for value in values], dtype=np.int64)
