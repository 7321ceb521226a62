"""The parts of a matrix as one file, sorted by account and moment, whatever the shards were."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from features.frame import ROWS_AT_ONCE, matrix_schema, write_matrix
from features.out_of_core import limited, parquet_sql
from features.schema import FeatureSchema


def gather(parts: Sequence[Path], out: Path, *, schema: FeatureSchema, spill: Path) -> int:
    """Sorts the parts into one Parquet or CSV file, out of core; the number of rows.

    Equal matrices are equal files, byte for byte, and equal to what is written without shards.
    """
    with limited(spill) as connection:
        rows = connection.sql(f"SELECT * FROM {parquet_sql(parts)} ORDER BY account_id, as_of")
        batches = rows.to_arrow_reader(ROWS_AT_ONCE)
        tables = (pa.Table.from_batches([batch]).cast(matrix_schema(schema)) for batch in batches)
        return write_matrix(out, tables, schema=schema)
