"""A small version, trained again from its own record."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

UNTIL = "2025-10-01T00:00:00Z"


@pytest.fixture(scope="module")
def trained(small_place, acerto_in) -> Path:
    """A folder with a registry of its own, whose configurations were changed after the training."""
    folder = small_place("reproduce", rows=3000, rounds=10, horizons=[7, 30])
    assert acerto_in(folder, "train", "--data", "data", "--until", UNTIL) == 0
    path = folder / "configs/training.yaml"
    training = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({**training, "posting_lag_days": 5}), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def other_data(trained) -> Path:
    """The same tables without the first payment."""
    folder = trained / "other"
    shutil.copytree(trained / "data", folder)
    payments = pd.read_parquet(folder / "payments.parquet").sort_values("occurred_at", kind="stable")
    payments.iloc[1:].to_parquet(folder / "payments.parquet")
    return folder


def test_a_version_is_reproduced_from_its_record_whatever_the_configurations_are_now(acerto, trained):
    done = acerto("reproduce", "1", "--data", "data", "--json", folder=trained)
    told = json.loads(done.out)
    assert (done.code, told["same"]) == (0, True)
    assert [(one["kind"], one["name"]) for one in told["differences"]] == [("configs", "training.yaml")]


def test_other_data_are_named_by_their_table_with_exit_code_1_for_another_model(acerto, trained, other_data):
    done = acerto("reproduce", "1", "--data", other_data, folder=trained)
    assert re.search(r"data +\S +payments", done.out)
    assert done.code == (0 if "the same model" in done.out else 1)


def test_a_run_that_registered_nothing_is_refused(acerto, trained):
    done = acerto("reproduce", "0" * 32, "--data", "data", folder=trained)
    assert done.code == 1 and "acerto models" in done.err
