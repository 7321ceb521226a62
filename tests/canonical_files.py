"""Rows of in-memory values as the files that a user would bring: Parquet or CSV, whole or in parts, in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from domain.clock import MISSING, from_day, from_us
from domain.tables import TABLES

_TYPES = {
    "moment": pa.timestamp("us", tz="UTC"),
    "day": pa.date32(),
    "money": pa.decimal128(18, 2),
    "cost": pa.float64(),
    "number": pa.float64(),
    "integer": pa.int64(),
}


def write_files(
    folder: Path, rows: Mapping[str, Sequence[Mapping[str, Any]]], *, suffix: str = ".parquet", parts: int = 1
) -> Path:
    """One file per table, or a folder of ``parts`` files; the folder that holds them."""
    folder.mkdir(parents=True)
    for table, found in rows.items():
        whole = _arrow(table, found)
        if parts == 1:
            _write(whole, folder / f"{table}{suffix}")
            continue
        (folder / table).mkdir()
        for part, places in enumerate(np.array_split(np.arange(whole.num_rows), parts)):
            _write(whole.take(places), folder / table / f"part-{part}{suffix}")
    return folder


def _write(table: pa.Table, path: Path) -> None:
    if path.suffix == ".parquet":
        pq.write_table(table, path)
        return
    texts = [
        column.cast(pa.string()) if pa.types.is_decimal(column.type) or pa.types.is_date(column.type) else column
        for column in table.columns
    ]
    pacsv.write_csv(pa.table(texts, names=table.column_names), path)


def _arrow(table: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    columns = TABLES[table].columns
    return pa.table(
        {
            c.name: pa.array([_value(row.get(c.name), c.kind) for row in rows], _TYPES.get(c.kind, pa.string()))
            for c in columns
        }
    )


def _value(value: Any, kind: str) -> Any:
    if value is None or value == MISSING or (isinstance(value, float) and np.isnan(value)):
        return None
    if kind == "moment":
        return from_us(value)
    if kind == "day":
        return from_day(value)
    return Decimal(value) / 100 if kind == "money" else value
