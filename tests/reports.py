"""Data-quality reports of one directory in one piece and by parts, as texts that can be compared."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import defects_of_money_and_time  # noqa: F401  (registers its defects)
from defects import World
from soak_gates import BEFORE, NOW

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
MOST_HELD = 20_000
"""Bytes in memory: most of what is put aside goes to disk."""


@cache
def _asked() -> dict[str, Any]:
    channels = tuple(load_section(CONFIGS / "actions.yaml", ActionsConfig).channels)
    attributes = load_section(CONFIGS / "features.yaml", FeaturesConfig).attributes
    return {"attributes": attributes, "now": NOW, "channels": channels}


def small_world(folder: Path, *, accounts: int) -> World:
    """A simulated portfolio."""
    catalogue = ActionCatalogue(load_section(CONFIGS / "actions.yaml", ActionsConfig))
    simulate(accounts=accounts, seed=5, out=folder, catalogue=catalogue)
    return World(folder)


@cache
def declared_of(world: World) -> Declared:
    """The expectations of the configuration, compared with the portfolio as it was a month before its end."""
    expected = load_declared(CONFIGS)
    before = whole(world.folder, declared=expected, until=BEFORE).profile
    return replace(expected, before=before, against="the last training")


def whole(folder: Path, **asked: Any) -> Report:
    """The report in one piece."""
    return validate(folder, **_asked(), **asked)


def by_parts(folder: Path, scratch: Path, parts: int, *, rows_at_once: int, **asked: Any) -> Report:
    """The report by parts, tables in pieces of so many rows."""
    scratch.mkdir()
    return validate_by_parts(folder, scratch, sizes=Sizes(parts, rows_at_once, MOST_HELD), **_asked(), **asked)


def told(report: Report) -> tuple[str, str, str]:
    """Everything that a report says, to the byte."""
    profile = None if report.profile is None else report.profile.to_json()
    return json.dumps(report.to_json(), indent=1), report.text(), json.dumps(profile, indent=1)
