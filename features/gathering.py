"""The parts of a matrix as one file, sorted by account and moment, whatever the shards were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

from features.frame import ROWS_AT_ONCE, matrix_schema, write_matrix
from features.out_of_core import limited, parquet_sql
from features.quoting import text_sql
from features.schema import FeatureSchema


def gather(parts: Sequence[Path], out: Path, *, schema: FeatureSchema, spill: Path) -> int:
    """Puts the parts together in one Parquet or CSV file; the number of rows.

    Equal matrices are equal files, byte for byte, and equal to what is written without shards. Only the ids are sorted
    as a whole; the rows, hundreds of columns wide, come range by range.
    """
    with limited(spill) as connection:
        ranges = _ranges(connection, parts)
        tables = (rows.cast(matrix_schema(schema)) for rows in ranges)
        return write_matrix(out, tables, schema=schema)


def _ranges(connection: Any, parts: Sequence[Path]) -> Iterator[pa.Table]:
    """The rows in order, about ``ROWS_AT_ONCE`` at a time; an account is never cut."""
    source = parquet_sql(parts)
    numbered = f"SELECT account_id, row_number() OVER (ORDER BY account_id) - 1 AS place FROM {source}"
    starts = f"SELECT DISTINCT account_id FROM ({numbered}) WHERE place % {ROWS_AT_ONCE} = 0 ORDER BY 1"
    bounds = [text_sql(row[0]) for row in connection.execute(starts).fetchall()]
    for low, high in pairwise([*bounds, None]):
        below = "" if high is None else f" AND account_id < {high}"
        rows = f"SELECT * FROM {source} WHERE account_id >= {low}{below} ORDER BY account_id, as_of"
        yield connection.sql(rows).to_arrow_table()
