"""The file of decisions: one row per account in the order of ids, written a bounded number of rows at a time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from decisioning.batch.layout import Layout
from decisioning.records import decision_row
from domain.clock import rfc3339
from domain.decisions import Decision
from features.frame import whole

ROWS_AT_ONCE = 16_384
"""Rows that are written together; a fixed number, so that equal decisions are equal files."""


def table_of(decisions: Sequence[Decision], layout: Layout) -> pa.Table:
    """The rows of some decisions."""
    rows = [decision_row(decision, candidates=layout.candidates) for decision in decisions]
    return pa.Table.from_pylist(rows, schema=layout.schema)


def write_decisions(path: Path, tables: Iterable[pa.Table], layout: Layout) -> int:
    """Writes rows as they come, as Parquet or CSV by the suffix of the path; the number of rows.

    The file appears when it is complete, and not before. Equal rows are equal bytes, however they are cut into tables.
    In CSV lists are JSON text and moments RFC 3339.
    """
    rows, waiting = 0, layout.schema.empty_table()
    with whole(path) as partial, partial.open("wb") as stream:
        writer = (_Csv if path.suffix == ".csv" else _Parquet)(stream, layout)
        for table in tables:
            rows += table.num_rows
            waiting = pa.concat_tables([waiting, table])
            while waiting.num_rows >= ROWS_AT_ONCE:
                writer.write(waiting.slice(0, ROWS_AT_ONCE).combine_chunks())
                waiting = waiting.slice(ROWS_AT_ONCE)
        if waiting.num_rows or not rows:
            writer.write(waiting.combine_chunks())
        writer.close()
    return rows


class _Writer(Protocol):
    def write(self, table: pa.Table) -> None:
        """Writes the next rows."""

    def close(self) -> None:
        """Ends the file."""


class _Parquet:
    def __init__(self, stream: IO[bytes], layout: Layout) -> None:
        self._writer = pa_parquet.ParquetWriter(stream, layout.schema)

    def write(self, table: pa.Table) -> None:
        self._writer.write_table(table)

    def close(self) -> None:
        self._writer.close()


class _Csv:
    def __init__(self, stream: IO[bytes], layout: Layout) -> None:
        self._stream, self._layout, self._header = stream, layout, True

    def write(self, table: pa.Table) -> None:
        frame = pd.DataFrame(table.to_pylist(), columns=table.column_names)
        for name in self._layout.nested:
            frame[name] = [json.dumps(value, ensure_ascii=False, default=_moment) for value in frame[name]]
        for name in self._layout.moments:
            frame[name] = [value.isoformat().replace("+00:00", "Z") for value in frame[name]]
        frame.to_csv(self._stream, index=False, header=self._header)
        self._header = False

    def close(self) -> None:
        """There is nothing behind the last row."""


def _moment(value: Any) -> str:
    return rfc3339(value)
