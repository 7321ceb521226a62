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
"""Rows that are held until they are written, about 150 MB; those of a shard among them become one row group."""
ROWS_SORTED = 131_072
"""Rows of a stream that are sorted by shard together: a column of them fits the cache of a processor."""
_OWNERS = ("account_id", "debtor_id")
_UNLIKE = ("_id", "_at", "amount")
"""How the names of columns end in which a value hardly ever comes twice, those of owners aside."""


def write_parted(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, paths: Sequence[Path], *, first: int = 0
) -> npt.NDArray[np.int64]:
    """Writes each row to the file of the shard that its column ``shard`` names; (n,) how many each got.

    Parameters
    ----------
    schema : of the batches, with the column ``shard`` (integers)
    first : the shard of the first of ``paths``; rows of shards that have none are left out
    """
    rows = np.zeros(len(paths), dtype=np.int64)
    kept = pa.schema([field for field in schema if field.name != SHARD])
    shards = np.arange(first, first + len(paths) + 1)
    held: list[tuple[pa.RecordBatch, npt.NDArray[np.int64]]] = []
    with ExitStack() as stack:
        writers = [stack.enter_context(_writer(path, kept)) for path in paths]
        for batch in batches:
            home = batch.column(SHARD).to_numpy().astype(np.uint16)
            order = np.argsort(home, kind="stable")
            bounds = np.searchsorted(home[order], shards)
            own = order[bounds[0] : bounds[-1]]
            held.append((batch.select(kept.names).take(pa.array(own)), bounds - bounds[0]))
            rows += np.diff(bounds)
            if sum(len(part) for part, _ in held) >= ROWS_AT_ONCE:
                _write(held, writers, kept)
                held = []
        _write(held, writers, kept)
    return rows


def _write(
    held: Sequence[tuple[pa.RecordBatch, npt.NDArray[np.int64]]],
    writers: Sequence[pa_parquet.ParquetWriter],
    schema: pa.Schema,
) -> None:
    for place, writer in enumerate(writers):
        pieces = [part.slice(bounds[place], bounds[place + 1] - bounds[place]) for part, bounds in held]
        table = pa.Table.from_batches([piece for piece in pieces if len(piece)], schema)
        if len(table):
            writer.write_table(table)


def repeating(schema: pa.Schema) -> list[str]:
    """The columns that are stored with a dictionary; it saves nothing where hardly a value comes twice."""
    return [field.name for field in schema if field.name in _OWNERS or not field.name.endswith(_UNLIKE)]


def _writer(path: Path, schema: pa.Schema) -> pa_parquet.ParquetWriter:
    # Without Arrow's own schema, texts are read back as plain strings, whatever width their offsets had in the stream.
    return pa_parquet.ParquetWriter(
        path, schema, compression="lz4", use_dictionary=repeating(schema), write_statistics=False, store_schema=False
    )
