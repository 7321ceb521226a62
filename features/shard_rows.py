"""Feature rows at chosen moments, computed where their shards are and put back into the order they were asked for.

The ingredients of a schema come along, for whoever fits it: the columns are those of ``features.batch.compute_all``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from features.batch import compute_all
from features.encoding import Encoded, encode
from features.frame import whole
from features.schema import FeatureSchema
from features.shard_reading import read_shard
from features.shard_tables import shard_folder
from features.spine import Spine

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RowsTask:
    """Rows of one shard, in plain values: ``rows`` is Parquet of (account_id, as_of in µs), ``schema`` as JSON."""

    shard: str
    part: str
    rows: str
    schema: Mapping[str, Any]


RunTasks = Callable[[Sequence[RowsTask]], None]
"""Does all tasks, here or elsewhere, by :func:`run_rows`."""


def run_rows(task: RowsTask) -> int:
    """Computes the rows of a shard and writes them in their order; how many there are.

    Raises
    ------
    DataError : the shard is not there or damaged
    FeatureSchemaMismatchError : this build computes other features than the one that asks
    """
    schema = FeatureSchema.from_json(task.schema)
    encoded = encode(read_shard(Path(task.shard)), attributes=schema.attributes)
    asked = pa_parquet.read_table(task.rows, partitioning=None)
    index = encoded.account_index()
    account = np.array([index[name] for name in asked.column("account_id").to_pylist()], dtype=np.int32)
    values = compute_all(encoded, Spine(account, asked.column("as_of").to_numpy()), schema)
    with whole(Path(task.part)) as partial, partial.open("wb") as stream:
        np.save(stream, values)
    return len(values)


def rows_by_shards(
    encoded: Encoded, spine: Spine, schema: FeatureSchema, *, shards: tuple[Path, int], folder: Path, run: RunTasks
) -> Floats:
    """What ``compute_all`` gives for a spine, to the bit, from the shards of the same tables.

    Parameters
    ----------
    shards : the directory of shards, and how many there are
    folder : where rows and parts are put down
    """
    shard_dir, n_shards = shards
    home = homes(encoded, n_shards)[encoded.debtor[spine.account]]
    tasks: dict[int, RowsTask] = {}
    for shard in np.unique(home).tolist():
        rows, part = folder / f"{shard:05d}.parquet", folder / f"{shard:05d}.npy"
        own = np.flatnonzero(home == shard)
        names = pa.array([encoded.account_ids[place] for place in spine.account[own].tolist()], type=pa.string())
        pa_parquet.write_table(pa.table({"account_id": names, "as_of": spine.as_of_us[own]}), rows)
        tasks[shard] = RowsTask(str(shard_folder(shard_dir, shard)), str(part), str(rows), schema.to_json())
    run([*tasks.values()])
    values = np.empty((len(spine), len(schema.computed)))
    for shard, task in tasks.items():
        values[home == shard] = np.load(task.part, allow_pickle=False)
    return values


def homes(encoded: Encoded, n_shards: int) -> Int64s:
    """(debtors,) the shard of each debtor, as ``shard_tables.bucket_sql`` says."""
    digests = (md5(name.encode(), usedforsecurity=False).hexdigest()[:15] for name in encoded.debtor_ids)
    return np.array([int(digest, 16) % n_shards for digest in digests], dtype=np.int64)
