"""``acerto train`` with others: features computed shard by shard, boosters of very many rows grown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cli.output import OnStep
from cli.shard_folders import shard_folder
from cli.sharding import Means
from cli.tables import attributes_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from features.encoding import Encoded
    from features.schema import FeatureSchema
    from features.shard_rows import RowsTask
    from features.spine import Spine
    from training.dataset import Compute
    from training.growing.growers import Workers


def growers(means: Means) -> Workers | None:
    """Who may grow the boosters of very many rows; nobody where this process is all there is."""
    from training.growing.growers import Workers

    if means.cluster is not None:
        return Workers(address=means.cluster)
    return Workers(count=means.workers) if means.workers > 1 else None


def counted(workers: int | None) -> str:
    """Their number for people.

    >>> counted(1), counted(4)
    ('1 worker', '4 workers')
    """
    return "1 worker" if workers == 1 else f"{workers} workers"


def as_many(recorded: int | None, means: Means) -> Workers | None:
    """Workers for a run that is done again; ``recorded`` is how many grew its boosters, if any did.

    Raises
    ------
    WorkerError : other workers are given than it had, or none
    """
    from domain.errors import WorkerError
    from training.growing.growers import Workers

    # A cluster of one worker makes a run of one worker, and --workers 1 is what nobody has to give.
    given = growers(means) or (Workers(count=1) if recorded == 1 else None)
    if recorded is None and given is None:
        return None
    if recorded is None:
        raise WorkerError(
            "found --workers or --cluster for a run whose boosters were grown by one process, needed none: leave it out"
        )
    if given is None or given.count not in (None, recorded):
        found = "no workers" if given is None else counted(given.count)
        raise WorkerError(
            f"found {found} for a run whose boosters were grown on {recorded}, needed as many, since another number "
            f"grows another model: give --workers {recorded}, or --cluster with {counted(recorded)} or more"
        )
    return Workers(recorded, given.address)


@contextmanager
def computing(data: Path, means: Means, *, configs: Path, beside: Path, on_step: OnStep) -> Iterator[Compute]:
    """What computes the features of training rows: this process, or the shards of the data by ``means``.

    Parameters
    ----------
    beside : a directory in which shards are made for the run, where ``means`` keeps none; workers have to see it
    """
    from features.batch import compute_all

    if not means.asks_for_shards:
        yield compute_all
        return
    with shard_folder(means, beside=beside) as folder:
        yield _by_shards(data, means, folder, configs=configs, on_step=on_step)


def _by_shards(data: Path, means: Means, shard_dir: Path, *, configs: Path, on_step: OnStep) -> Compute:
    from features.shard_manifest import fingerprint_of
    from features.shards import prepare

    attributes = attributes_of(configs)
    fingerprint = fingerprint_of(data, attributes=attributes) if means.shard_dir is not None else ""
    on_step("part into shards", 0.01)
    manifest = prepare(data, shard_dir, attributes=attributes, fingerprint=fingerprint, n_shards=means.shards)
    return partial(_computed, means=means, shards=(shard_dir, manifest.n_shards))


def _computed(
    encoded: Encoded, spine: Spine, schema: FeatureSchema, *, means: Means, shards: tuple[Path, int]
) -> npt.NDArray[np.float64]:
    from features.shard_rows import rows_by_shards, run_rows

    def run(tasks: Sequence[RowsTask]) -> None:
        means.run(tasks, run_rows, on_share=lambda _: None)

    with TemporaryDirectory(prefix="_rows-", dir=shards[0]) as folder:
        return rows_by_shards(encoded, spine, schema, shards=shards, folder=Path(folder), run=run)
