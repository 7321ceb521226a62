"""The feature matrix as a table for people and other tools: one row per account and moment, categories as names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from domain.clock import Int64s
from features.schema import FeatureSchema

if TYPE_CHECKING:
    import pandas as pd

ROWS_AT_ONCE = 65_536
"""Rows of a matrix that are held and written together; a fixed number, so that equal matrices are equal files."""
ROWS_OF_A_PART = 2_048
"""Rows written together in a part, so that a range of accounts is read without the rest of it."""
_MOMENT = pa.timestamp("us", tz="UTC")


def matrix_schema(schema: FeatureSchema) -> pa.Schema:
    """``account_id``, ``as_of`` and one column per feature: text for categories, else float64."""
    features = [(name, pa.string() if name in schema.categories else pa.float64()) for name in schema.names]
    return pa.schema([("account_id", pa.string()), ("as_of", _MOMENT), *features])


def matrix_table(
    schema: FeatureSchema, account_ids: Sequence[str], values: npt.NDArray[np.float64], *, as_of_us: Int64s
) -> pa.Table:
    """Rows of a matrix in the form of ``matrix_schema``; a missing value is null, not NaN.

    ``account_ids`` and ``as_of_us`` (µs UTC) have one entry for each of the (n, k) ``values``.
    """
    columns = [pa.array(account_ids, type=pa.string()), pa.array(as_of_us).cast(_MOMENT)]
    for position, name in enumerate(schema.names):
        column = values[:, position]
        missing = np.isnan(column)
        if name in schema.categories:
            codes = pa.array(np.where(missing, 0, column).astype(np.int32), mask=missing)
            names = pa.array(schema.categories[name], type=pa.string())
            columns.append(pa.DictionaryArray.from_arrays(codes, names).cast(pa.string()))
        else:
            columns.append(pa.array(column, mask=missing))
    return pa.Table.from_arrays(columns, schema=matrix_schema(schema))


def matrix_frame(
    schema: FeatureSchema, account_ids: Sequence[str], values: npt.NDArray[np.float64], *, as_of_us: Int64s
) -> pd.DataFrame:
    """The same for pandas: rows named by account and moment, missing numbers NaN, categories of pandas' own type.

    The values of a category are those of the schema, whether rows have them or not, and in its order.
    """
    import pandas as pd  # noqa: PLC0415  (a second that only those pay who want a frame)

    found: pd.DataFrame = matrix_table(schema, account_ids, values, as_of_us=as_of_us).to_pandas()
    kinds = {name: pd.CategoricalDtype(list(known)) for name, known in schema.categories.items() if name in found}
    return found.astype(kinds).set_index(["account_id", "as_of"])


def write_matrix(
    path: Path, tables: Iterable[pa.Table], *, schema: FeatureSchema, rows_at_once: int = ROWS_AT_ONCE
) -> int:
    """Writes a matrix, table after table, as Parquet or CSV by the suffix of the path; the number of rows.

    ``rows_at_once`` are those of a row group. The file appears when it is complete, and not before.
    """
    rows, waiting = 0, matrix_schema(schema).empty_table()
    with whole(path) as partial, _writer(partial, matrix_schema(schema)) as writer:
        for table in tables:
            rows += table.num_rows
            waiting = pa.concat_tables([waiting, table])
            while waiting.num_rows >= rows_at_once:
                writer.write_table(waiting.slice(0, rows_at_once).combine_chunks())
                waiting = waiting.slice(rows_at_once)
        if waiting.num_rows or not rows:
            writer.write_table(waiting.combine_chunks())
    return rows


def _writer(path: Path, schema: pa.Schema) -> pa_csv.CSVWriter | pa_parquet.ParquetWriter:
    return pa_csv.CSVWriter(path, schema) if path.suffix == ".csv" else pa_parquet.ParquetWriter(path, schema)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A name beside the path, which takes its place at the end, or vanishes."""
    # A name of its own, because a worker that was given up may still be writing the same part.
    partial = path.with_name(f".{path.stem}.{uuid4().hex}{path.suffix}")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
