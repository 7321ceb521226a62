"""``acerto simulate --tie-reach`` and ``--hidden-ladder``: worlds that are harder to learn from."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.actions import ActionCatalogue, ActionsConfig
from domain.config import load_section
from simulation.world import simulate


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.*")}


def test_without_a_stress_the_command_writes_the_usual_world(acerto, project, tmp_path):
    assert acerto("simulate", "--accounts", 40, "--seed", 5, "--out", tmp_path / "command").code == 0
    catalogue = ActionCatalogue(load_section(project / "configs/actions.yaml", ActionsConfig))
    simulate(accounts=40, seed=5, out=tmp_path / "usual", catalogue=catalogue)
    assert bytes_of(tmp_path / "command") == bytes_of(tmp_path / "usual")


@pytest.mark.parametrize(
    ("options", "stress"),
    [
        (("--tie-reach", 0.8), {"tie_reach": 0.8, "hidden_ladder": False}),
        (("--tie-reach", 0), {"tie_reach": 0.0, "hidden_ladder": False}),
        (("--hidden-ladder",), {"tie_reach": None, "hidden_ladder": True}),
    ],
)
def test_each_stress_that_is_asked_for_is_played(acerto, tmp_path, options, stress):
    acerto("simulate", "--accounts", 40, "--seed", 5, "--out", tmp_path, *options)
    assert json.loads((tmp_path / "truth/meta.json").read_text(encoding="utf-8"))["stress"] == stress


@pytest.mark.parametrize("options", [("--tie-reach", 0), ("--tie-reach", 0.8), ("--hidden-ladder",)])
def test_a_stress_of_the_closed_loop_is_wrong_usage(acerto, tmp_path, options):
    result = acerto("simulate", "--accounts", 20, "--rounds", 2, "--out", tmp_path / "none", *options)
    assert (result.code, "found a stress with --rounds" in result.err) == (2, True)


@pytest.mark.parametrize("value", [-0.1, 1.2, "nan"])
def test_a_tie_that_is_no_correlation_from_0_to_1_is_refused(acerto, tmp_path, value):
    result = acerto("simulate", "--accounts", 20, "--out", tmp_path / "none", "--tie-reach", value)
    assert (result.code != 0, (tmp_path / "none").exists()) == (True, False)
