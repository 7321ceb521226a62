"""The short form of benchmarks/soak_flaws.py: one lender, one sound model, and a few flaws."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flaw_plants import PLANTS
from soak_flaws import Caught, Sound, planted, report, sound
from soak_flaws import Tally as Found

from training.reporting.lights import WORSE
from training.reporting.policy import ReportPolicy

ACCOUNTS = 4_000
OWN = ("feature_of_the_future", "segment_without_outcomes", "days_from_the_wrong_origin")
CHEAP = sorted(name for name, one in PLANTS.items() if one.stage == "evidence")


@pytest.fixture(scope="module")
def twin(policy: ReportPolicy) -> Iterator[Sound]:
    with sound(7, accounts=ACCOUNTS, policy=policy) as found:
        yield found


def test_no_light_of_a_sound_model_is_red(twin: Sound) -> None:
    assert [code for code, light in twin.lights.items() if light.colour == "red"] == []


@pytest.mark.parametrize("name", [*OWN, *CHEAP])
def test_a_planted_flaw_turns_its_light(twin: Sound, policy: ReportPolicy, name: str) -> None:
    before = tuple(twin.lights[code] for code in PLANTS[name].lights)
    assert Caught(PLANTS[name], 7, before, planted(PLANTS[name], twin, policy=policy)).flagged


def test_there_are_at_least_twelve_kinds_and_each_says_what_it_plants() -> None:
    assert len(PLANTS) >= 12 and all(one.says for one in PLANTS.values())


@pytest.mark.parametrize("name", sorted(PLANTS))
def test_every_flaw_names_lights_that_exist(name: str) -> None:
    assert set(PLANTS[name].lights) <= WORSE.keys()


def test_a_light_that_was_not_green_before_catches_nothing(twin: Sound) -> None:
    one = PLANTS["rows_twice"]
    green, red = twin.lights["DATA_DUPLICATES"], twin.lights["DATA_DUPLICATES"]
    red = type(red)(red.code, "red", red.figure, red.limit)
    assert [Caught(one, 7, (before,), (red,)).flagged for before in (green, red)] == [True, False]


def test_the_table_has_a_row_for_each_flaw(twin: Sound) -> None:
    one = PLANTS["rows_twice"]
    light = (twin.lights["DATA_DUPLICATES"],)
    lines = report(Found([Caught(one, 7, light, light)], [twin.lights]))
    assert lines[2].startswith("| rows_twice | DATA_DUPLICATES | 0 of 1 [0.0%, 97.5%] |")


def test_the_kept_figures_are_of_every_flaw_that_is_planted() -> None:
    told = Path("benchmarks/soak_flaws.txt").read_text(encoding="utf-8")
    assert [name for name in PLANTS if f"| {name} " not in told] == []
