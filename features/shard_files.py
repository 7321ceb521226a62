"""Rows of a stream on their way into the files of their shards."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pa_parquet

SHARD = "shard"
"""The column that says where a row belongs; it is not written."""
ROWS_AT_ONCE = 1_000_000
"""Rows of a stream that are parted together, about 150 MB; those of a shard among them become one row group."""

OWNERS = ("account_id", "debtor_id")
NEAR_UNIQUE = ("_id", "_at", "amount")


def write_parted(batches: Iterable[pa.RecordBatch], schema: pa.Schema, paths: Sequence[Path]) -> npt.NDArray[np.int64]:
    """Writes each row to the file whose place among ``paths`` its column ``shard`` names; (n,) how many each got.

    Parameters
    ----------
    schema : of the batches, with the column ``shard`` (integers)
    """
    rows = np.zeros(len(paths), dtype=np.int64)
    kept = pa.schema([field for field in schema if field.name != SHARD])
    with ExitStack() as stack:
        writers = [stack.enter_context(_writer(path, kept)) for path in paths]
        for batch in batches:
            home = batch.column(SHARD).to_numpy().astype(np.uint16)
            order = np.argsort(home, kind="stable")
            bounds = np.searchsorted(home[order], np.arange(len(paths) + 1))
            sorted_by_shard = pa.Table.from_batches([batch.select(kept.names).take(pa.array(order))])
            counts = np.diff(bounds)
            for place in np.flatnonzero(counts).tolist():
                writers[place].write_table(sorted_by_shard.slice(bounds[place], counts[place]))
            rows += counts
    return rows


def repeating(schema: pa.Schema) -> list[str]:
    """The columns that are stored with a dictionary: ids of rows, moments and amounts hardly ever repeat."""
    return [field.name for field in schema if field.name in OWNERS or not field.name.endswith(NEAR_UNIQUE)]


def _writer(path: Path, schema: pa.Schema) -> pa_parquet.ParquetWriter:
    # Without Arrow's own schema, texts are read back as plain strings, whatever width their offsets had in the stream.
    return pa_parquet.ParquetWriter(
        path, schema, compression="lz4", use_dictionary=repeating(schema), write_statistics=False, store_schema=False
    )
