"""Validation in pieces and parts: the report of one piece, to the byte, of sound data and of planted defects."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import defects_of_money_and_time  # noqa: F401  (registers its defects)
import numpy as np
import pytest
from defects import DEFECTS, Defect, World
from soak_gates import BEFORE, NOW, plant

from domain.actions import ActionCatalogue, ActionsConfig
from domain.config import load_section
from features.config import FeaturesConfig
from features.findings import Report
from features.gates.judging import Declared, load_declared
from features.streaming.checking import validate_by_parts
from features.streaming.scattered import Sizes
from features.validation import validate
from simulation.world import simulate

CONFIGS = Path("configs")
ATTRIBUTES = load_section(CONFIGS / "features.yaml", FeaturesConfig).attributes
CHANNELS = tuple(load_section(CONFIGS / "actions.yaml", ActionsConfig).channels)
SMALL = {"rows_at_once": 500, "most_held": 50_000}
"""So few that every table comes in several pieces, and most of what is put aside goes to disk."""
Validate = Callable[..., Report]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("world") / "data"
    catalogue = ActionCatalogue(load_section(CONFIGS / "actions.yaml", ActionsConfig))
    simulate(accounts=120, seed=5, out=folder, catalogue=catalogue)
    return World(folder)


@pytest.fixture(scope="module")
def declared(world: World) -> Declared:
    expected = load_declared(CONFIGS)
    before = whole(world.folder, declared=expected, until=BEFORE).profile
    return replace(expected, before=before, against="the last training")


def whole(folder: Path, **asked: object) -> Report:
    return validate(folder, attributes=ATTRIBUTES, now=NOW, channels=CHANNELS, **asked)  # type: ignore[arg-type]


def by_parts(folder: Path, scratch: Path, parts: int, **asked: object) -> Report:
    scratch.mkdir()
    sizes = Sizes(parts, **SMALL)
    return validate_by_parts(
        folder, scratch, sizes=sizes, attributes=ATTRIBUTES, now=NOW, channels=CHANNELS, **asked  # type: ignore[arg-type]
    )  # fmt: skip


def told(report: Report) -> tuple[str, str, str]:
    profile = None if report.profile is None else report.profile.to_json()
    return json.dumps(report.to_json(), indent=1), report.text(), json.dumps(profile, indent=1)


@pytest.mark.parametrize("parts", [1, 2, 7])
@pytest.mark.parametrize("until", [None, datetime(2025, 10, 17, 3, tzinfo=UTC)])
def test_sound_data_give_the_same_report(
    world: World, declared: Declared, tmp_path: Path, parts: int, until: datetime | None
) -> None:
    expected = told(whole(world.folder, declared=declared, until=until))
    assert told(by_parts(world.folder, tmp_path / "s", parts, declared=declared, until=until)) == expected


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda one: one.name)
def test_a_planted_defect_gives_the_same_report(
    world: World, declared: Declared, tmp_path: Path, defect: Defect
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    plant(defect, world, folder, np.random.default_rng([7, DEFECTS.index(defect)]))
    expected = told(whole(folder, declared=declared))
    for parts in (1, 2, 7):
        assert told(by_parts(folder, tmp_path / str(parts), parts, declared=declared)) == expected
