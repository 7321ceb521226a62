"""What was known of a table at a moment: the rows that were there, and the facts that joined a row later taken off."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING
from domain.coded import Coded
from domain.tables import ColumnData, TableData

_LATER: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "promises": ("resolved_at", ("outcome",)),
    "holds": ("released_at", ()),
}
"""Facts that join their row later: the moment from which they are known, and the columns that wait for it."""


def happened_in(table: str) -> str:
    """The column that tells when rows of a table happened; ``accounts`` has none."""
    return "decided_at" if table == "decisions" else "occurred_at"


def known_rows(table: str, data: TableData, *, until_us: int) -> npt.NDArray[np.bool_]:
    """(n,): the rows that had happened and were recorded before a moment."""
    known = np.asarray(data["recorded_at"]) < until_us
    happened = happened_in(table)
    return known & (np.asarray(data[happened]) < until_us) if happened in data else known


def without_later(table: str, data: TableData, *, until_us: int) -> TableData:
    """The table with outcomes and releases of that moment or later blanked, so that such a row reads as still open."""
    if table not in _LATER:
        return data
    moment, waiting = _LATER[table]
    later = np.asarray(data[moment]) >= until_us
    open_again: dict[str, ColumnData] = {moment: np.where(later, MISSING, np.asarray(data[moment])).astype(np.int64)}
    for column in waiting:
        values = data[column]
        assert isinstance(values, Coded)  # a column of codes
        open_again[column] = Coded(np.where(later, -1, values.codes).astype(np.int32), values.values)
    return {**data, **open_again}
