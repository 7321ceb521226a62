"""The feature matrix as a table for people and other tools: one row per account, categories as their names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from features.schema import FeatureSchema


def matrix_table(
    schema: FeatureSchema, account_ids: Sequence[str], values: npt.NDArray[np.float64], *, as_of: datetime
) -> pa.Table:
    """``account_id``, ``as_of`` and one column per feature; a missing value is null, not NaN."""
    columns: dict[str, pa.Array] = {
        "account_id": pa.array(account_ids, type=pa.string()),
        "as_of": pa.array([as_of] * len(account_ids), type=pa.timestamp("us", tz="UTC")),
    }
    for position, name in enumerate(schema.names):
        column = values[:, position]
        missing = np.isnan(column)
        if name in schema.categories:
            codes = pa.array(np.where(missing, 0, column).astype(np.int32), mask=missing)
            columns[name] = pa.DictionaryArray.from_arrays(
                codes, pa.array(schema.categories[name], type=pa.string())
            ).cast(pa.string())
        else:
            columns[name] = pa.array(column, mask=missing)
    return pa.table(columns)


def write_matrix(
    path: Path, *, schema: FeatureSchema, account_ids: Sequence[str], values: npt.NDArray[np.float64], as_of: datetime
) -> None:
    """Writes the matrix as Parquet or CSV, by the suffix of the path."""
    table = matrix_table(schema, account_ids, values, as_of=as_of)
    if path.suffix == ".csv":
        pa_csv.write_csv(table, path)
    else:
        pa_parquet.write_table(table, path)
