"""Validation in pieces and parts: the report of one piece, to the byte, of sound data and of planted defects."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from defects import DEFECTS, Defect, World
from reports import by_parts, declared_of, small_world, told, whole
from soak_gates import plant

from domain.errors import DataError


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return small_world(tmp_path_factory.mktemp("world") / "data", accounts=60)


@pytest.mark.parametrize("parts", [1, 2, 7])
@pytest.mark.parametrize("until", [None, datetime(2025, 10, 17, 3, tzinfo=UTC)])
def test_sound_data_give_the_same_report(world: World, tmp_path: Path, parts: int, until: datetime | None) -> None:
    declared = declared_of(world)
    expected = told(whole(world.folder, declared=declared, until=until))
    found = by_parts(world.folder, tmp_path / "s", parts, rows_at_once=500, declared=declared, until=until)
    assert told(found) == expected


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda one: one.name)
def test_a_planted_defect_gives_the_same_report(world: World, tmp_path: Path, defect: Defect) -> None:
    folder, declared = tmp_path / "data", declared_of(world)
    folder.mkdir()
    plant(defect, world, folder, np.random.default_rng([7, DEFECTS.index(defect)]))
    expected = told(whole(folder, declared=declared))
    for parts in (1, 2, 7):
        assert told(by_parts(folder, tmp_path / str(parts), parts, rows_at_once=1500, declared=declared)) == expected


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found no such directory"):
        by_parts(tmp_path / "nowhere", tmp_path / "s", 2, rows_at_once=10)


def test_nothing_is_left_where_rows_were_put_aside(world: World, tmp_path: Path) -> None:
    by_parts(world.folder, tmp_path / "s", 3, rows_at_once=500, declared=declared_of(world))
    assert list((tmp_path / "s").iterdir()) == []
