"""The same shards on Dask: the same file, whatever happens to the workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from canonical_files import write_files
from distributed import LocalCluster
from shard_workers import dies, dies_once
from strategies import AS_OF_US, random_rows

from domain.errors import DataError, WorkerError
from features import cluster as cluster_module
from features.cluster import on_cluster
from features.runners import in_sequence
from features.schema import schema_of
from features.shard_matrix import ShardTask, run_task
from features.shard_tables import shard_folder
from features.shards import prepare

N_SHARDS = 3


@pytest.fixture(scope="module")
def cluster():
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", "protocol": "tcp"}
    with LocalCluster(**options) as running:
        yield running.scheduler_address


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("portfolio")
    data = write_files(folder / "data", random_rows(3, accounts=9))
    return folder / "shards", prepare(data, folder / "shards", attributes={}, fingerprint="", n_shards=N_SHARDS)


@pytest.fixture
def tasks(shards, tmp_path):
    shard_dir, manifest = shards
    schema = schema_of(manifest.facts, attributes={}).to_json()
    return [
        ShardTask(str(shard_folder(shard_dir, shard)), str(tmp_path / f"{shard}.parquet"), schema, as_of_us=AS_OF_US)
        for shard in range(N_SHARDS)
    ]


def contents(tasks):
    return [Path(task.part).read_bytes() for task in tasks]


@pytest.mark.parametrize("run", [run_task, dies_once])
def test_a_cluster_gives_the_parts_of_one_process_even_if_workers_die_on_the_way(cluster, tasks, run):
    in_sequence(tasks, on_done=lambda _: None)
    alone = contents(tasks)
    for task in tasks:
        Path(task.part).unlink()
    on_cluster(tasks, address=cluster, on_done=lambda _: None, run=run)
    assert contents(tasks) == alone


def test_a_shard_that_kills_every_worker_is_named(cluster, tasks):
    with pytest.raises(WorkerError, match=r"1 of 1 shards not computed \(shard=00000\).*KilledWorker"):
        on_cluster(tasks[:1], address=cluster, on_done=lambda _: None, run=dies)


def test_a_refusal_of_a_worker_is_ours(cluster, tasks, tmp_path):
    gone = ShardTask(str(tmp_path / "gone"), tasks[0].part, tasks[0].schema, as_of_us=AS_OF_US)
    with pytest.raises(DataError, match="storage that every worker sees"):
        on_cluster([gone], address=cluster, on_done=lambda _: None)


def test_an_address_where_nobody_answers_is_named(tasks, monkeypatch):
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 0.2)
    with pytest.raises(WorkerError, match=r"no Dask scheduler at tcp://127\.0\.0\.1:9"):
        on_cluster(tasks, address="tcp://127.0.0.1:9", on_done=lambda _: None)


def test_a_cluster_without_workers_is_named_instead_of_waited_for(tasks, monkeypatch):
    monkeypatch.setattr(cluster_module, "PATIENCE_SECONDS", 0.2)
    with (
        LocalCluster(n_workers=0, dashboard_address=":0", protocol="tcp") as idle,
        pytest.raises(WorkerError, match="a cluster without workers"),
    ):
        on_cluster(tasks, address=idle.scheduler_address, on_done=lambda _: None)
