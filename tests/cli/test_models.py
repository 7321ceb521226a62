"""The versions of a registry, and the history of who moved the champion."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml

from training import registry


@pytest.fixture(scope="module")
def moved(project, acerto_in, tmp_path_factory):
    """A registry with one bundle under two versions: refused, forced, forced again, and rolled back."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(project / "configs", folder / "configs")
    training = folder / "configs/training.yaml"
    settings = yaml.safe_load(training.read_text(encoding="utf-8")) | {"gates": {"max_ece": 1e-9}}
    training.write_text(yaml.safe_dump(settings), encoding="utf-8")
    for _ in range(2):
        registry.register(
            project / "mlruns/bundles/1", registry.RunRecord(None, {}, {}), registry.Tracking(root=folder / "mlruns")
        )
    assert acerto_in(folder, "promote", "--version", "1", "--by", "ana") == 1
    assert acerto_in(folder, "promote", "--version", "1", "--by", "ana", "--force", "--why", "the first") == 0
    assert acerto_in(folder, "promote", "--version", "2", "--force", "--why", "the second") == 0
    assert acerto_in(folder, "rollback", "--by", "bo", "--why", "complaints") == 0
    return folder


@pytest.fixture
def told(acerto, moved):
    found = acerto("models", "--json", folder=moved)
    assert found.code == 0
    return json.loads(found.out)


def test_every_version_is_listed_with_its_aliases_the_newest_first(told):
    assert [(one["version"], one["aliases"]) for one in told["versions"]] == [
        ("2", ["challenger"]),
        ("1", ["champion"]),
    ]


def test_refusals_forced_promotions_and_rollbacks_are_recorded_with_who_and_why(told):
    moves = sorted((move for one in told["versions"] for move in one["moves"]), key=lambda move: move["sequence"])
    assert [move["kind"] for move in moves] == ["refused", "forced", "forced", "rolled_back"]
    assert (moves[1]["by"], moves[1]["why"]) == ("ana", "the first")
    assert (moves[3]["by"], moves[3]["previous"], moves[3]["why"]) == (
        "bo",
        "2",
        "rolled back from version 2: complaints",
    )


def test_who_is_not_named_is_the_user_of_the_system(told):
    assert all(move["by"] for one in told["versions"] for move in one["moves"])


def test_each_version_has_the_verdict_of_each_gate(told):
    for one in told["versions"]:
        verdicts = {gate["gate"]: gate["met"] for gate in one["gates"]}
        assert verdicts["calibration error (ECE)"] is False
        assert verdicts["golden rows"] is True


@pytest.mark.parametrize("damage", [b"", b"{", b"{}"])
def test_a_version_with_a_damaged_evaluation_is_listed_as_damaged(acerto, project, tmp_path, damage):
    shutil.copytree(project / "configs", tmp_path / "configs")
    shutil.copytree(project / "mlruns/bundles/1", tmp_path / "mlruns/bundles/1")
    (tmp_path / "mlruns/bundles/1/evaluation/evaluation.json").write_bytes(damage)
    found = acerto("models", "--json", folder=tmp_path)
    assert [one["judged"] for one in json.loads(found.out)["versions"]] == ["damaged bundle"]


def test_the_tracking_store_names_the_last_line_too(acerto, moved):
    assert acerto("models", "--verify", folder=moved).code == 0


def test_an_alias_that_was_moved_by_hand_is_told_with_exit_code_1(acerto, moved):
    path = moved / "mlruns/aliases/champion.json"
    before = path.read_text(encoding="utf-8")
    path.write_text(json.dumps(json.loads(before) | {"version": "2"}), encoding="utf-8")
    try:
        found = acerto("models", folder=moved)
    finally:
        path.write_text(before, encoding="utf-8")
    assert found.code == 1 and "made version 1 champion, and the alias names 2" in found.out


def test_a_history_that_was_edited_is_told_with_exit_code_1(acerto, moved):
    path = moved / "mlruns/history.jsonl"
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace('"by":"ana"', '"by":"eva"'), encoding="utf-8")
    try:
        found = acerto("models", folder=moved)
    finally:
        path.write_text(before, encoding="utf-8")
    assert found.code == 1 and "does not hold" in found.out
