"""A backtest of two origins on the small project."""

from __future__ import annotations

import json

import pytest

from training.registry import Tracking
from training.tracking import client_of


@pytest.fixture(scope="module")
def made(project, acerto_in, tmp_path_factory):
    folder = tmp_path_factory.mktemp("backtest")
    (folder / "configs").symlink_to(project / "configs")
    (folder / "data").symlink_to(project / "data")
    assert acerto_in(folder, "backtest", "--data", "data", "--origins", 2, "--no-curve") == 0
    return folder


def test_both_files_are_written(made):
    told = json.loads((made / "backtest/backtest.json").read_text(encoding="utf-8"))
    assert len(told["origins"]) == 2
    assert "## By origin" in (made / "backtest/backtest.md").read_text(encoding="utf-8")


def test_each_origin_is_a_child_run_and_no_version_is_registered(made):
    with client_of(Tracking(root=made / "mlruns")) as client:
        runs = client.search_runs([client.get_experiment_by_name("acerto").experiment_id])
        assert client.search_model_versions("name='acerto'") == []
    (parent,) = [run for run in runs if run.info.run_name == "backtest"]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(children) == 2
    assert all("auc" in run.data.metrics for run in children)
