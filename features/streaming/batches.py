"""A table of any size as pieces of a bounded number of rows, each like a table of its own, ids left as they came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.clock import MISSING
from domain.coded import Coded
from domain.tables import Column, ColumnData, TableData
from features.hashing import NOTHING, Hashes, hashes_of
from features.reading import LoadedTable, TypedQuery, in_memory, loaded_from, only
from features.reading_files import unreadable
from features.texts import Texts


@dataclass(frozen=True, slots=True)
class Piece:
    """Some rows of a table; ``arrow`` has them as they came.

    Ids in ``table`` are not told apart: each row has a code of its own, so that nothing is looked up for them.
    """

    table: LoadedTable
    arrow: Any

    def hashes(self, column: str) -> Hashes:
        """(n,) numbers of a column of ids or texts."""
        values = self.table.data[column]
        assert isinstance(values, Coded)
        known = self.table.spec.column(column)
        if known is not None and known.kind == "id":
            return hashes_of(self.arrow.column(column))
        texts = values.values.array if isinstance(values.values, Texts) else pa.array(values.values, pa.large_string())
        whole = np.append(hashes_of(texts.cast(pa.large_string())), NOTHING)
        return np.asarray(whole[np.maximum(values.codes, -1)])

    def only(self, rows: npt.NDArray[np.int64], *, first_row: int = 0) -> Piece:
        """Some of the rows; problems stay those of the files."""
        if len(rows) == self.table.rows:
            return Piece(replace(self.table, first_row=first_row), self.arrow)
        table = only(self.table, rows)
        return Piece(replace(table, first_row=first_row), self.arrow.take(pa.array(rows)))


def pieces_of(connection: Any, query: TypedQuery, *, rows_at_once: int) -> Iterator[Piece]:
    """A table in the order of its rows; at least one piece, if need be without rows.

    Raises
    ------
    DataError : a file cannot be read at all
    """
    first = 0
    for batch in _batches(connection, query, rows_at_once):
        yield Piece(loaded_from(batch, _data(batch, query.columns), query=query, first_row=first), batch)
        first += len(batch)


def ids_of(connection: Any, query: TypedQuery, *, rows_at_once: int) -> Iterator[Any]:
    """The ids of a table's rows in their order, as Arrow arrays.

    Raises
    ------
    DataError : a file cannot be read at all
    """
    for batch in _batches(connection, query, rows_at_once, f'"{query.spec.id_column}"'):
        yield batch.column(0)


def _batches(connection: Any, query: TypedQuery, rows: int, columns: str = "*") -> Iterator[Any]:
    try:
        reader = connection.sql(f"SELECT {columns} FROM ({query.sql})").to_arrow_reader(rows)
        empty = pa.RecordBatch.from_pylist([], schema=reader.schema)
        for batch in reader:
            empty = None
            yield batch
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise unreadable(query.files, error) from error
    if empty is not None:
        yield empty


def _data(batch: Any, columns: Sequence[Column]) -> TableData:
    return {column.name: _column(batch.column(column.name), column) for column in columns}


def _column(values: Any, column: Column) -> ColumnData:
    if column.kind in ("moment", "day", "integer") and column.name != "recorded_at":
        # Not copied: nothing is ever filled in there.
        return np.asarray(values.fill_null(MISSING).to_numpy(zero_copy_only=False))
    if column.kind in ("number", "cost"):
        return np.asarray(values.fill_null(float("nan")).to_numpy(zero_copy_only=False))
    if column.kind != "id":
        return in_memory(values, column)
    codes = np.arange(len(values), dtype=np.int32)
    if values.null_count:
        codes[values.is_null().to_numpy(zero_copy_only=False)] = -1
    return Coded(codes, Texts(values))
