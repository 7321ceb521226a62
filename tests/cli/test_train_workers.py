"""``acerto train`` with boosters grown by several processes, and ``acerto reproduce`` of such a run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from mlflow import MlflowClient

UNTIL = "2025-10-01T00:00:00Z"


@pytest.fixture(scope="module")
def trained(project, acerto_in, tmp_path_factory) -> Path:
    """A folder with a version whose boosters two processes have grown."""
    folder = tmp_path_factory.mktemp("workers")
    shutil.copytree(project / "configs", folder / "configs")
    path = folder / "configs/training.yaml"
    training = yaml.safe_load(path.read_text(encoding="utf-8"))
    training |= {"seeds": 0, "distributed": {"above_rows": 1}, "response": {"learner": "hurdle"}}
    training["sampling"] |= {"max_rows": 3000}
    training["model"] |= {"max_rounds": 10}
    path.write_text(yaml.safe_dump(training), encoding="utf-8")
    (folder / "configs/decision.yaml").write_text("horizon_days: [30]\n", encoding="utf-8")
    (folder / "data").symlink_to(project / "data")
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
