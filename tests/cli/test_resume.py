"""A training that was killed, and goes on where it was: the same model, and no step done twice."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TRAIN = ("train", "--data", "data", "--against", "none")


@pytest.fixture(scope="module")
def place(small_place) -> Path:
    """A folder to train in."""
    return small_place("resume", rows=2000, rounds=8, horizons=[7, 30], response={"learner": "hurdle"})


@pytest.fixture(scope="module")
def whole(place, acerto_in) -> dict[str, object]:
    """The record of a run that nobody killed and that had no cache."""
    assert acerto_in(place, *TRAIN, "--no-cache") == 0
    return json.loads((place / "mlruns/bundles/1/manifest.json").read_text(encoding="utf-8"))


def killed(place: Path, where: str) -> int:
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(ROOT / "tests/killed_training.py"), where, *TRAIN, "--cache", f"cache-{where}"]
    return subprocess.run(command, cwd=place, env=environment, check=False, capture_output=True).returncode


@pytest.mark.parametrize(
    ("where", "done"),
    [
        ("response", {"features", "payment 7d", "payment 30d"}),
        ("writing", {"features", "payment 7d", "payment 30d"}),
        ("evaluation", {"features", "payment 7d", "payment 30d", "logged decisions", "contacts", "response hurdle"}),
    ],
)
def test_a_killed_training_goes_on_where_it_was(place, whole, acerto, where, done, monkeypatch):
    assert killed(place, where) == -signal.SIGKILL

    from training import dataset
    from training.runs import learning

    counted = {"payment_rows": 0, "fit_horizon": 0}

    def count(name, compute):
        def wrapped(*arguments, **named):
            counted[name] += 1
            return compute(*arguments, **named)

        return wrapped

    for name in counted:
        monkeypatch.setattr(learning, name, count(name, getattr(learning, name)))
    result = acerto(*TRAIN, "--cache", f"cache-{where}", "--json", folder=place)
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert counted == {"payment_rows": 0, "fit_horizon": 0}
    assert {name for name, one in told["steps"].items() if one["cached"]} >= done
    assert told["model_hash"] == whole["model_hash"]
    assert dataset.payment_rows is not learning.payment_rows


def test_a_training_says_what_came_from_an_earlier_run(place, acerto, whole):
    first = acerto(*TRAIN, folder=place)
    second = acerto(*TRAIN, folder=place)
    assert "came from an earlier run" not in first.err
    assert re.search(r"\d+ of \d+ steps came from an earlier run: features, payment 7d", second.err)
    assert whole["model_hash"] in second.err
    assert (place / "mlruns/cache").is_dir()


def test_cache_and_no_cache_together_are_a_wrong_use(place, acerto):
    done = acerto(*TRAIN, "--cache", "somewhere", "--no-cache", folder=place)
    assert done.code == 2 and not (place / "somewhere").exists()


def test_without_a_cache_nothing_is_kept(place, acerto, tmp_path):
    assert acerto(*TRAIN, "--no-cache", "--json", folder=place).code == 0
    told = json.loads(acerto(*TRAIN, "--cache", tmp_path / "c", "--json", folder=place).out)
    assert all(one == {"key": one["key"], "cached": 0, "computed": 1} for one in told["steps"].values())
