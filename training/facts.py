"""What is known when training starts: tables cut at ``--until``, and the end of the data, which decides maturity."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING
from domain.coded import Coded
from domain.errors import DataError
from domain.tables import ColumnData, TableData, Tables

_HAPPENED = {"decisions": "decided_at"}
_LATER: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "promises": ("resolved_at", ("outcome",)),
    "holds": ("released_at", ()),
}
"""Facts that join their row later: the moment from which they are known, and the columns that wait for it."""


def known_before(tables: Tables, *, until_us: int) -> Tables:
    """The tables as they stood at a moment: nothing that happened, or was recorded, at or after it.

    Outcomes of promises and releases of holds that lie later are blanked, so that the row reads as still open.
    """
    return Tables({name: _cut(name, tables, until_us) for name in tables.columns})


def _cut(name: str, tables: Tables, until_us: int) -> TableData:
    data = tables.columns[name]
    keep = tables.ints(name, "recorded_at") < until_us
    happened = _HAPPENED.get(name, "occurred_at")
    if happened in data:
        keep &= tables.ints(name, happened) < until_us
    rows = np.flatnonzero(keep)
    cut: dict[str, ColumnData] = {column: _rows_of(values, rows) for column, values in data.items()}
    if name in _LATER:
        moment, waiting = _LATER[name]
        _blank(cut, moment=moment, waiting=waiting, until_us=until_us)
    return cut


def _rows_of(values: ColumnData, rows: npt.NDArray[np.int64]) -> ColumnData:
    if not isinstance(values, Coded):
        return values[rows]
    # The vocabulary shrinks too: a category first seen later must not reach the feature schema.
    codes = values.codes[rows]
    used = np.unique(codes[codes >= 0])
    compact = np.searchsorted(used, codes).astype(np.int32)
    compact[codes < 0] = -1
    return Coded(compact, tuple(values.values[code] for code in used))


def _blank(cut: dict[str, ColumnData], *, moment: str, waiting: tuple[str, ...], until_us: int) -> None:
    known_at = cut[moment]
    assert not isinstance(known_at, Coded)  # a column of moments
    later = known_at >= until_us
    cut[moment] = np.where(later, MISSING, known_at).astype(np.int64)
    for column in waiting:
        values = cut[column]
        assert isinstance(values, Coded)  # a column of codes
        cut[column] = Coded(np.where(later, -1, values.codes).astype(np.int32), values.values)


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
