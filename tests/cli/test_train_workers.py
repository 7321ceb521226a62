"""``acerto train`` with boosters grown by several processes, and ``acerto reproduce`` of such a run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mlflow import MlflowClient

from cli.sharding import Means
from cli.training_output import say_workers
from cli.training_runs import as_many
from domain.errors import WorkerError
from training.growing.growers import Workers

UNTIL = "2025-10-01T00:00:00Z"


@pytest.fixture(scope="module")
def trained(small_place, acerto_in) -> Path:
    """A folder with a version whose boosters two processes have grown."""
    settings = {"distributed": {"above_rows": 1}, "response": {"learner": "hurdle"}}
    folder = small_place("workers", rows=3000, rounds=10, horizons=[30], **settings)
    assert acerto_in(folder, "train", "--data", "data", "--until", UNTIL, "--workers", 2, "--shards", 2) == 0
    return folder


def record(trained: Path) -> dict[str, object]:
    return json.loads((trained / "mlruns/bundles/1/evaluation/run.json").read_text(encoding="utf-8"))


def test_how_many_workers_grew_it_stands_in_record_bundle_and_run_and_their_addresses_nowhere(trained):
    bundle = trained / "mlruns/bundles/1"
    assert record(trained)["workers"] == 2
    assert json.loads((bundle / "settings.json").read_text(encoding="utf-8"))["workers"] == 2
    client = MlflowClient(f"sqlite:///{trained}/mlruns/mlflow.db")
    (run,) = client.search_runs([one.experiment_id for one in client.search_experiments()])
    assert run.data.params["workers"] == "2"
    assert not any(b"127.0.0.1" in path.read_bytes() for path in bundle.rglob("*") if path.is_file())


def test_as_many_workers_reproduce_it(acerto, trained):
    done = acerto("reproduce", "1", "--data", "data", "--workers", 2, "--json", folder=trained)
    told = json.loads(done.out)
    assert (done.code, told["same"], told["differences"]) == (0, True, [])


@pytest.mark.parametrize(("options", "found"), [((), "no workers"), (("--workers", 3), "3 workers")])
def test_another_number_of_workers_is_refused_with_the_one_that_is_needed(acerto, trained, options, found):
    done = acerto("reproduce", "1", "--data", "data", *options, folder=trained)
    assert done.code == 1
    assert found in done.err and "give --workers 2" in " ".join(done.err.split())


def test_workers_are_refused_for_a_run_of_one_process(acerto, project):
    done = acerto("reproduce", "1", "--data", "data", "--workers", 2, folder=project)
    assert done.code == 1 and "leave it out" in " ".join(done.err.split())


def test_a_run_of_a_cluster_of_one_worker_needs_no_option_to_be_done_again():
    assert as_many(1, Means(None, 1, None, None)) == Workers(count=1)
    with pytest.raises(WorkerError, match="give --workers 1, or --cluster with 1 worker or more"):
        as_many(1, Means(None, 2, None, None))


@pytest.mark.parametrize(
    ("grown_on", "given", "told"),
    [
        (2, Workers(count=2), "grown by 2 workers"),
        (None, Workers(count=2), "grown by one process"),
        (None, None, ""),
    ],
)
def test_who_grew_the_boosters_is_told_where_workers_were_given(capsys, grown_on, given, told):
    say_workers(grown_on, given=given)
    said = capsys.readouterr().err
    assert told in said and bool(said) == bool(told)


@pytest.mark.parametrize("command", [("train",), ("reproduce", "1")])
def test_a_cluster_that_does_not_answer_is_told_before_any_table_is_read(acerto, project, monkeypatch, command):
    monkeypatch.setattr("features.cluster.CONNECT_SECONDS", 0.2)
    done = acerto(*command, "--data", "no-such-folder", "--cluster", "tcp://127.0.0.1:9", folder=project)
    assert done.code == 1 and "no Dask scheduler at tcp://127.0.0.1:9" in done.err
