"""Whether discounts teach waiting, asked by a command and told in the report, on a simulator in which they do not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def told(acerto: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(acerto("discounts", "--data", "data", "--json").out)
    return found


def test_where_nobody_waits_it_is_not_said_that_they_do(told: dict[str, Any]) -> None:
    assert {one["verdict"] for one in told["effects"].values()} <= {"no", "not_established"}


def test_every_effect_without_an_answer_says_why(told: dict[str, Any]) -> None:
    open_ = [one for one in told["effects"].values() if one["verdict"] == "not_established"]
    assert all(one["reasons"] for one in open_)


def test_people_get_the_effects_and_the_table(acerto: Any) -> None:
    found = acerto("discounts", "--data", "data")
    assert found.code == 0
    assert "repeat_non_payers" in found.out
    assert "after_discount" in found.out


def test_without_decisions_it_is_said_that_nothing_is_available(acerto: Any, project: Path, tmp_path: Path) -> None:
    data = Path(shutil.copytree(project / "data", tmp_path / "data"))
    (data / "decisions.parquet").unlink()
    found = acerto("discounts", "--data", data)
    assert found.code == 0
    assert "not available" in found.err


def test_training_keeps_the_answer_of_the_command_and_the_report_tells_it(
    acerto: Any, project: Path, told: dict[str, Any]
) -> None:
    for locale, title in (("pt-BR", "Desconto ensina a esperar?"), ("en", "Do discounts teach waiting?")):
        assert acerto("report", "--out", "r", "--model", "1", "--locale", locale).code == 0
        assert f"<h2>{title}</h2>" in (project / "r/report.html").read_text(encoding="utf-8")
        assert json.loads((project / "r/report.json").read_text(encoding="utf-8"))["discount_learning"] == told
