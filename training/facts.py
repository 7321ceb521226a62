"""What is known when training starts: tables cut at ``--until``, and the end of the data, which decides maturity."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING
from domain.coded import Coded
from domain.errors import DataError
from domain.tables import ColumnData, TableData, Tables
from features.known import known_rows, without_later


def known_before(tables: Tables, *, until_us: int) -> Tables:
    """The tables as they stood at a moment: nothing that happened, or was recorded, at or after it.

    Outcomes of promises and releases of holds that lie later are blanked, so that the row reads as still open.
    """
    return Tables({name: _cut(name, tables, until_us) for name in tables.columns})


def _cut(name: str, tables: Tables, until_us: int) -> TableData:
    data = tables.columns[name]
    rows = np.flatnonzero(known_rows(name, data, until_us=until_us))
    cut = {column: _rows_of(values, rows) for column, values in data.items()}
    return without_later(name, cut, until_us=until_us)


def _rows_of(values: ColumnData, rows: npt.NDArray[np.int64]) -> ColumnData:
    if not isinstance(values, Coded):
        return values[rows]
    # The vocabulary shrinks too: a category first seen later must not reach the feature schema.
    codes = values.codes[rows]
    used = np.unique(codes[codes >= 0])
    compact = np.searchsorted(used, codes).astype(np.int32)
    compact[codes < 0] = -1
    return Coded(compact, tuple(values.values[code] for code in used))


def end_of_data(tables: Tables, *, until_us: int | None) -> int:
    """The moment up to which the data speak, exclusive: just after the last record, and never after ``until_us``.

    Raises
    ------
    DataError : no table but accounts has a row
    """
    last = max((int(moments.max()) for moments in _recorded(tables)), default=MISSING)
    if last == MISSING:
        raise DataError("found no dated row outside accounts, needed debts and payments; check --data and --until")
    return last + 1 if until_us is None else min(last + 1, until_us)


def _recorded(tables: Tables) -> list[npt.NDArray[np.int64]]:
    names = [name for name in tables.columns if name != "accounts" and tables.rows(name)]
    return [tables.ints(name, "recorded_at") for name in names]
