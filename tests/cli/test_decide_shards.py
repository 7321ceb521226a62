"""``acerto decide`` by shards, workers and a cluster: the files of one piece, and what is left where workers die."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pa_parquet
import pytest
import shard_workers
import yaml
from distributed import LocalCluster

from decisioning.batch import deciding

AS_OF = "2026-03-02T11:00:00Z"
LIMITS = {
    "capacities": {
        "letter": {"per_day": 5},
        "agent_call": {"minutes_per_day": 16, "minutes_per_contact": 4, "min_per_day": 2},
    },
    "budgets": {"contact_cost": {"per_day": 20.0}, "discount": {"per_day": 300.0}},
    "segments": {"late": {"min_days_past_due": 90, "per_day": 12}},
    "arms": {"holdout": 0.05, "random": 0.1},
}
BESIDE = ("", ".allocation.json", ".funnel.json")


@pytest.fixture(scope="module")
def limited(project: Path) -> Path:
    """The project, with capacities, budgets, a segment and control arms in ``scarce/``."""
    shutil.copytree(project / "configs", project / "scarce", dirs_exist_ok=True)
    path = project / "scarce/decision.yaml"
    decision = yaml.safe_load(path.read_text(encoding="utf-8")) | LIMITS
    path.write_text(yaml.safe_dump(decision, sort_keys=False), encoding="utf-8")
    return project


def written(folder: Path, name: str) -> list[bytes]:
    """The bytes of the decisions and of what stands beside them."""
    paths = [folder / f"{name}{suffix}" for suffix in BESIDE]
    return [path.read_bytes() for path in paths if path.is_file()]


def deciding_by(configs: str, out: object) -> tuple[object, ...]:
    return ("decide", "--data", "data", "--as-of", AS_OF, "--configs", configs, "--out", out)


@pytest.fixture(scope="module")
def at_once(limited, acerto_in):
    """The files of one piece under limits."""
    assert acerto_in(limited, *deciding_by("scarce", "at_once.parquet")) == 0
    return written(limited, "at_once.parquet")


@pytest.mark.parametrize("means", [("--shards", 1), ("--shards", 2), ("--shards", 7), ("--workers", 2, "--shards", 3)])
def test_limits_are_kept_over_all_shards_and_the_files_are_those_of_one_piece(acerto, limited, at_once, means):
    assert acerto(*deciding_by("scarce", "sharded.parquet"), *means).code == 0
    assert written(limited, "sharded.parquet") == at_once
    assert len(at_once) == 3


@pytest.mark.parametrize(
    "name, options", [("free.parquet", ()), ("free.csv", ("--log-probs",)), ("full.parquet", ("--candidates",))]
)
def test_every_way_of_asking_gives_the_file_of_one_piece(acerto, limited, name, options):
    configs = "configs" if name.startswith("free") else "scarce"
    assert acerto(*deciding_by(configs, f"one-{name}"), *options).code == 0
    assert acerto(*deciding_by(configs, f"two-{name}"), *options, "--shards", 3).code == 0
    assert written(limited, f"two-{name}")[:1] == written(limited, f"one-{name}")[:1]


def test_machines_are_told_the_same(acerto, limited):
    asked = (*deciding_by("scarce", "told.parquet"), "--json")
    told = [json.loads(acerto(*asked, *means).out) for means in ((), ("--shards", 4))]
    assert told[0] == told[1]


def test_a_cluster_gives_the_same_files(acerto, limited, at_once):
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        options = ("--shards", 3, "--cluster", cluster.scheduler_address)
        assert acerto(*deciding_by("scarce", "clustered.parquet"), *options).code == 0
    assert written(limited, "clustered.parquet") == at_once


def test_listed_accounts_are_decided_on_wherever_they_lie(acerto, limited, tmp_path):
    ids = sorted(pd.read_parquet(limited / "data/accounts.parquet")["account_id"].unique())[:60:3]
    pd.DataFrame({"account_id": ids}).to_csv(tmp_path / "listed.csv", index=False)
    asked = ("--accounts", tmp_path / "listed.csv")
    assert acerto(*deciding_by("scarce", tmp_path / "a.parquet"), *asked).code == 0
    assert acerto(*deciding_by("scarce", tmp_path / "b.parquet"), *asked, "--shards", 3).code == 0
    assert written(tmp_path, "a.parquet") == written(tmp_path, "b.parquet")
    assert pa_parquet.read_table(tmp_path / "b.parquet").column("account_id").to_pylist() == ids


@pytest.mark.parametrize("means", [(), ("--shards", 2)])
def test_a_listed_account_that_is_not_there_ends_in_the_same_message(acerto, limited, tmp_path, means):
    (tmp_path / "listed.csv").write_text("account_id\nnobody\n", encoding="utf-8")
    found = acerto(*deciding_by("scarce", tmp_path / "x.parquet"), "--accounts", tmp_path / "listed.csv", *means)
    assert (found.code, "found 1 listed accounts that the data do not hold, such as ['nobody']" in found.err) == (
        1,
        True,
    )


@pytest.mark.parametrize("means", [(), ("--shards", 2)])
def test_a_moment_before_all_history_ends_in_the_same_message(acerto, limited, tmp_path, means):
    asked = ("decide", "--data", "data", "--as-of", "1999-01-01T00:00:00Z", "--out", tmp_path / "x.parquet", *means)
    found = acerto(*asked)
    assert (found.code, "before all history" in found.err) == (1, True)


def test_what_is_decided_is_kept_where_workers_die_and_the_same_command_goes_on(
    acerto, limited, at_once, tmp_path, monkeypatch
):
    asked = (*deciding_by("scarce", "resumed.parquet"), "--shards", 4, "--shard-dir", tmp_path / "shards")
    with monkeypatch.context() as patched:
        patched.setattr(deciding, "decide_shard", shard_workers.dies_deciding_some)
        died = acerto(*asked, "--workers", 2)
    assert died.code == 1
    assert "shards not computed (shard=00001, shard=00003)" in died.err
    assert "the same command goes on with it" in died.err
    assert not (limited / "resumed.parquet").exists()
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "shards").glob("_decide-*/*.rows")}
    assert sorted(path.stem for path in kept) == ["00000", "00002"]
    with monkeypatch.context() as patched:
        patched.setattr(deciding, "decide_shard", shard_workers.decides_what_was_left)
        assert acerto(*asked).code == 0
    assert written(limited, "resumed.parquet") == at_once
    assert [path.name for path in (tmp_path / "shards").iterdir() if path.name.startswith("_decide")] == []


def test_without_a_place_for_shards_the_way_out_is_told(acerto, limited, monkeypatch):
    monkeypatch.setattr(deciding, "decide_shard", shard_workers.dies_deciding_some)
    died = acerto(*deciding_by("scarce", "died.parquet"), "--shards", 4, "--workers", 2)
    assert (died.code, "with --shard-dir DIR what is decided would be kept" in died.err) == (1, True)


def test_a_worker_that_dies_once_is_replaced(acerto, limited, at_once, monkeypatch):
    monkeypatch.setattr(deciding, "decide_shard", shard_workers.dies_deciding_once)
    assert acerto(*deciding_by("scarce", "replaced.parquet"), "--shards", 3, "--workers", 2).code == 0
    assert written(limited, "replaced.parquet") == at_once


def test_what_was_decided_by_another_policy_is_not_taken(acerto, limited, at_once, tmp_path, monkeypatch):
    options = ("--shards", 4, "--shard-dir", tmp_path / "shards")
    with monkeypatch.context() as patched:
        patched.setattr(deciding, "decide_shard", shard_workers.dies_deciding_some)
        assert acerto(*deciding_by("scarce", "other.parquet"), *options, "--workers", 2).code == 1
    assert acerto(*deciding_by("configs", "other.parquet"), *options).code == 0
    assert acerto(*deciding_by("configs", "plain.parquet")).code == 0
    assert written(limited, "other.parquet") == written(limited, "plain.parquet")


def test_one_of_workers_and_cluster_is_asked_for(acerto, limited):
    asked = (*deciding_by("scarce", "x.parquet"), "--workers", 2, "--cluster", "tcp://127.0.0.1:1")
    assert acerto(*asked).code == 2
