"""The short form of ``benchmarks/soak_gates.py``: every defect once on one small portfolio that no threshold saw."""

from __future__ import annotations

from pathlib import Path

import pytest
from defects import DEFECTS
from soak_gates import Judge, caught, stopping

from domain.actions import ActionCatalogue, ActionsConfig
from domain.config import load_section
from simulation.world import simulate

SEED, ACCOUNTS = 77, 300
CONFIGS = Path("configs")


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    folder = tmp_path_factory.mktemp("clean") / "data"
    catalogue = ActionCatalogue(load_section(CONFIGS / "actions.yaml", ActionsConfig))
    simulate(accounts=ACCOUNTS, seed=SEED, out=folder, catalogue=catalogue)
    return Judge(folder, CONFIGS)


@pytest.mark.parametrize("defect", [one for one in DEFECTS if not one.leak], ids=lambda one: one.name)
def test_a_planted_defect_is_caught_by_what_must_catch_it(judge: Judge, defect: object, tmp_path: Path) -> None:
    found, _ = judge.judged(defect, tmp_path, SEED)  # type: ignore[arg-type]
    assert caught(defect, found)  # type: ignore[arg-type]


def test_sound_data_are_not_stopped(judge: Judge) -> None:
    assert stopping(judge.validated(judge.world.folder, judge.compared)) == []


def test_at_least_forty_kinds_of_defect_are_planted() -> None:
    assert len({defect.name for defect in DEFECTS}) == len(DEFECTS) >= 40
