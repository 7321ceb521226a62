"""Two versions trained at two moments, the second held against the first on decisions that neither has seen."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

FIRST, SECOND = "2025-07-01T00:00:00Z", "2025-10-01T00:00:00Z"


@pytest.fixture(scope="module")
def versions(project, acerto_in, tmp_path_factory) -> Path:
    """A folder with a registry of its own: version 1 is champion, version 2 was trained three months later."""
    folder = tmp_path_factory.mktemp("champion")
    shutil.copytree(project / "configs", folder / "configs")
    training = yaml.safe_load((folder / "configs/training.yaml").read_text(encoding="utf-8"))
    training["model"] |= {"max_rounds": 20}
    (folder / "configs/training.yaml").write_text(yaml.safe_dump(training), encoding="utf-8")
    (folder / "data").symlink_to(project / "data")
    assert acerto_in(folder, "train", "--data", "data", "--until", FIRST) == 0
    assert acerto_in(folder, "promote", "--force", "--why", "the first") == 0
    assert acerto_in(folder, "train", "--data", "data", "--until", SECOND) == 0
    return folder


@pytest.fixture
def compared(acerto, versions):
    """What a promotion of the second version told; the first stays champion for the next test."""
    asked = ("promote", "--version", "2", "--data", "data", "--force", "--why", "a test", "--json")
    result = acerto(*asked, folder=versions)
    assert result.code == 0
    assert acerto("rollback", folder=versions).code == 0
    return json.loads(result.out)["compared"]


def test_the_second_version_is_held_against_the_champion_with_figures(compared):
    found = compared["opponents"]["champion"]
    assert compared["champion"] == "1"
    assert found["verdict"] in {"better", "worse", "not_established"}
    assert found["uplift"]["low"] < found["uplift"]["value"] < found["uplift"]["high"]
    assert found["mdr_uplift"]["low"] < found["mdr_uplift"]["value"] < found["mdr_uplift"]["high"]


def test_it_is_held_on_decisions_that_neither_version_has_seen(compared, versions):
    decided = pd.read_parquet(versions / "data/decisions.parquet")["decided_at"]
    assert compared["seen_in_training"] == 0
    assert 0 < compared["decisions"] < (decided >= SECOND).sum()


def test_the_verdicts_stand_in_the_record_and_in_the_report(acerto, compared, versions):
    assert acerto("report", "--model", "2", "--out", "report", folder=versions).code == 0
    told = json.loads((versions / "report/report.json").read_text(encoding="utf-8"))
    assert told["opponents"]["opponents"] == compared["opponents"]


def test_an_older_version_too_is_held_against_the_champion_where_neither_has_seen_the_decisions(
    acerto, compared, versions
):
    assert acerto("promote", "--version", "2", "--force", "--why", "a test", folder=versions).code == 0
    asked = ("promote", "--version", "1", "--data", "data", "--force", "--why", "a test", "--json")
    told = json.loads(acerto(*asked, folder=versions).out)["compared"]
    assert (told["champion"], told["decisions"]) == ("2", compared["decisions"])


def test_fewer_decisions_are_compared_where_fewer_are_asked_for(acerto, versions):
    asked = ("promote", "--version", "1", "--data", "data", "--max-decisions", 50, "--force", "--why", "a test")
    told = json.loads(acerto(*asked, "--json", folder=versions).out)["compared"]
    assert told["decisions"] == 50
