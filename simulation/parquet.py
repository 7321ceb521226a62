"""The simulated rows as Parquet: one file per canonical table, one row group per block of accounts.

The same rows always make the same bytes: no index, no creation time, fixed compression.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from domain.actions import ActionCatalogue
from domain.clock import to_us
from simulation import assumptions
from simulation.arrow import Ints
from simulation.canonical import BUILDERS, Setting, as_known
from simulation.journal import COLUMNS
from simulation.portfolio import Portfolio


def open_parquet(path: Path, schema: pa.Schema) -> Any:
    """A Parquet file to write to; only texts that recur are kept as dictionaries, which halves the time."""
    texts = [field.name for field in schema if pa.types.is_string(field.type) or pa.types.is_dictionary(field.type)]
    recurring = [name for name in texts if name in ("account_id", "debtor_id") or not name.endswith("_id")]
    lists = [f"{field.name}.list.element" for field in schema if pa.types.is_list(field.type)]
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=1, use_dictionary=recurring + lists)


class TableWriter:
    """The open Parquet files of one data directory; a context manager."""

    def __init__(self, out: Path, *, folk: Portfolio, catalogue: ActionCatalogue) -> None:
        self._out, self._setting = out, Setting(folk, catalogue)
        self._files: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._out.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for file in self._files.values():
            file.close()

    def write(self, table: str, data: pa.Table) -> None:
        """Append a row group to a table, opening its file first."""
        if table not in self._files:
            self._files[table] = open_parquet(self._out / f"{table}.parquet", data.schema)
        self._files[table].write_table(data, row_group_size=max(len(data), 1))

    def write_journal(self, journal: Ints) -> None:
        """Append the rows of a journal, each to its table; what was not known by the end is left out."""
        end_us = to_us(assumptions.END)
        for number, (name, columns) in enumerate(COLUMNS.items()):
            block = journal[journal[:, 0] == number]
            rows = {column: block[:, place + 1] for place, column in enumerate(columns)}
            self.write(name, BUILDERS[name](as_known(name, rows, until_us=end_us), self._setting))
