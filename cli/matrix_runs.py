"""The two ways from a data directory to the file of a feature matrix: in one piece, or shard by shard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cli.output import OnStep
from cli.shard_folders import shard_folder
from cli.sharding import Means
from domain.clock import to_us
from features.config import Attribute
from features.schema import FeatureSchema
from features.shard_matrix import ShardTask


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which matrix, and where to: every account at ``as_of``, or the rows of a ``spine`` file."""

    data: Path
    out: Path
    attributes: Mapping[str, Attribute]
    as_of: datetime | None
    spine: Path | None


@dataclass(frozen=True, slots=True)
class Done:
    """What was written; ``how`` tells of the shards, and is empty where there were none."""

    rows: int
    schema: FeatureSchema
    how: dict[str, Any]


def in_one_piece(wanted: Wanted, *, on_step: OnStep) -> Done:
    """Everything in memory: the quickest way for data that fit."""
    from features.encoding import encode
    from features.frame import write_matrix
    from features.schema import fit_schema
    from features.shard_matrix import matrix_parts
    from features.spine import every_account
    from features.spine_file import read_spine
    from features.tables import read_tables

    on_step("reading", 0.0)
    encoded = encode(read_tables(wanted.data, attributes=wanted.attributes), attributes=wanted.attributes)
    schema = fit_schema(encoded, attributes=wanted.attributes)
    if wanted.spine is not None:
        rows = read_spine(wanted.spine, encoded=encoded)
    else:
        assert wanted.as_of is not None  # the command asks for one of the two
        rows = every_account(len(encoded.account_ids), as_of_us=to_us(wanted.as_of))
    on_step("computing", 0.5)
    return Done(write_matrix(wanted.out, matrix_parts(encoded, rows, schema), schema=schema), schema, {})


def by_shards(wanted: Wanted, means: Means, *, on_step: OnStep) -> Done:
    """Parts the data by debtor, or takes shards that are there, computes each of them, and puts the parts together."""
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    with shard_folder(means, beside=wanted.out.parent) as folder:
        return _with_shards(wanted, means, folder, on_step=on_step)


def _with_shards(wanted: Wanted, means: Means, shard_dir: Path, *, on_step: OnStep) -> Done:
    from features.gathering import gather
    from features.schema import schema_of
    from features.shard_manifest import fingerprint_of, load
    from features.shard_matrix import run_task
    from features.shards import prepare

    kept = means.shard_dir is not None
    before = load(shard_dir)
    on_step("looking at the input", 0.0)
    fingerprint = fingerprint_of(wanted.data, attributes=wanted.attributes) if kept else ""
    manifest = prepare(
        wanted.data,
        shard_dir,
        attributes=wanted.attributes,
        fingerprint=fingerprint,
        n_shards=means.shards,
        on_step=lambda step, share: on_step(step, share * 0.5),
    )
    schema = schema_of(manifest.facts, attributes=wanted.attributes)
    with TemporaryDirectory(prefix="_matrix-", dir=shard_dir) as folder:
        tasks = _tasks(wanted, schema, shard_dir=shard_dir, n_shards=manifest.n_shards, folder=Path(folder))
        means.run(tasks, run_task, on_share=lambda share: on_step("computing shards", 0.5 + 0.4 * share))
        on_step("writing", 0.9)
        parts = [Path(task.part) for task in tasks]
        rows = gather(parts, wanted.out, schema=schema, spill=Path(folder) / "spill")
    how = {
        "shards": manifest.n_shards,
        "largest_shard_rows": max(manifest.rows),
        "input_rows": sum(manifest.rows),
        "shards_kept": manifest == before,
    }
    return Done(rows, schema, how)


def _tasks(
    wanted: Wanted, schema: FeatureSchema, *, shard_dir: Path, n_shards: int, folder: Path
) -> Sequence[ShardTask]:
    """One task for each shard that has rows in the matrix."""
    from features.out_of_core import limited
    from features.shard_tables import shard_folder
    from features.spine_file import part_spine

    spines: Mapping[int, Path | None] = dict.fromkeys(range(n_shards))
    if wanted.spine is not None:
        target = folder / "spine"
        with limited(folder / "spill") as connection:
            spines = part_spine(connection, wanted.spine, shard_dir=shard_dir, n_shards=n_shards, target=target)
    return [
        ShardTask(
            shard=str(shard_folder(shard_dir, shard)),
            part=str(folder / f"{shard:05d}.parquet"),
            schema=schema.to_json(),
            as_of_us=None if wanted.as_of is None else to_us(wanted.as_of),
            spine=None if spine is None else str(spine),
        )
        for shard, spine in spines.items()
    ]
