"""The feature matrix of one shard, from its folder to a part file: what every runner calls, and knows no runner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from domain.clock import Int64s
from domain.errors import DataError
from features.batch import compute_many
from features.encoding import Encoded, encode
from features.frame import ROWS_AT_ONCE, ROWS_OF_A_PART, matrix_table, write_matrix
from features.schema import FeatureSchema
from features.shard_reading import read_shard
from features.spine import Spine, every_account


@dataclass(frozen=True, slots=True)
class ShardTask:
    """One shard to compute, in plain values that any process or machine can be sent.

    ``spine`` is a folder of Parquet with (account_id, as_of in µs), or ``None`` for every account at ``as_of_us``;
    ``schema`` is ``FeatureSchema.to_json()``, so that a worker with another catalogue refuses instead of computing
    something else. ``part`` is the file to write.
    """

    shard: str
    part: str
    schema: Mapping[str, Any]
    as_of_us: int | None = None
    spine: str | None = None


def run_task(task: ShardTask) -> int:
    """Computes a shard and writes its part; the number of rows.

    Raises
    ------
    DataError : the shard is not there or damaged
    FeatureSchemaMismatchError : this build computes other features than the one that asks
    """
    return shard_matrix(
        Path(task.shard),
        Path(task.part),
        schema=FeatureSchema.from_json(task.schema),
        as_of_us=task.as_of_us,
        spine=None if task.spine is None else Path(task.spine),
    )


def shard_matrix(
    folder: Path, part: Path, *, schema: FeatureSchema, as_of_us: int | None = None, spine: Path | None = None
) -> int:
    """Writes the matrix of one shard, sorted by account and moment; the number of rows.

    Either ``as_of_us``, for every account, or ``spine``, Parquet with (account_id, as_of in µs), is needed.

    Raises
    ------
    DataError : the shard is not there or damaged
    """
    encoded = encode(read_shard(folder), attributes=schema.attributes)
    if spine is not None:
        table = pa_parquet.read_table(spine, partitioning=None)
        moments = table.column("as_of").to_numpy()
        rows = spine_rows(table.column("account_id").to_pylist(), moments, encoded=encoded)
    elif as_of_us is not None:
        rows = every_account(len(encoded.account_ids), as_of_us=as_of_us)
    else:
        raise DataError("found neither a moment nor a spine, needed one of them; give as_of_us or spine")
    return write_matrix(part, matrix_parts(encoded, rows, schema), schema=schema, rows_at_once=ROWS_OF_A_PART)


def matrix_parts(encoded: Encoded, spine: Spine, schema: FeatureSchema) -> Iterator[pa.Table]:
    """The matrix of a spine in its order, a bounded number of rows at a time."""
    for start in range(0, len(spine), ROWS_AT_ONCE):
        rows = spine.take(np.arange(start, min(start + ROWS_AT_ONCE, len(spine))))
        names = [encoded.account_ids[position] for position in rows.account]
        yield matrix_table(schema, names, compute_many(encoded, rows, schema), as_of_us=rows.as_of_us)


def spine_rows(account_ids: Sequence[str], as_of_us: Int64s, *, encoded: Encoded) -> Spine:
    """Rows asked for by account id, in the order of a matrix; the accounts must be there."""
    index = encoded.account_index()
    account = np.array([index[name] for name in account_ids], dtype=np.int32)
    return Spine(account, as_of_us).take(np.lexsort((as_of_us, account)))
