from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from domain.config import parse_section
from domain.errors import ConfigError
from training.reporting.lights import WORSE, Figure, judge
from training.reporting.policy import OpenFinding, ReportOwner, ReportPolicy, load_owner

CODES = sorted(WORSE)
ENOUGH = {"n": 10_000, "debtors": 10_000}


def raw() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(Path("configs/report_policy.yaml").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("code", CODES)
def test_at_its_red_limit_every_light_is_red(policy: ReportPolicy, code: str) -> None:
    assert judge(code, Figure(policy.limits[code].red), policy).colour == "red"


@pytest.mark.parametrize("code", CODES)
def test_on_the_better_side_of_amber_every_light_is_green(policy: ReportPolicy, code: str) -> None:
    better = -1.0 if WORSE[code] == "more" else 1.0
    assert judge(code, Figure(policy.limits[code].amber + better), policy).colour == "green"


def test_a_figure_whose_interval_reaches_green_is_not_red(policy: ReportPolicy) -> None:
    found = Figure(0.2, 0.01, 0.4, method="clustered", **ENOUGH)
    assert judge("CALIBRATION_MEAN", found, policy).colour == "amber"


def test_a_figure_whose_whole_interval_is_beyond_amber_is_red(policy: ReportPolicy) -> None:
    found = Figure(0.2, 0.15, 0.25, method="clustered", **ENOUGH)
    assert judge("CALIBRATION_MEAN", found, policy).colour == "red"


def test_too_few_debtors_make_no_verdict(policy: ReportPolicy) -> None:
    found = Figure(0.2, 0.15, 0.25, n=10_000, debtors=policy.min_debtors - 1, method="clustered")
    assert (judge("CALIBRATION_MEAN", found, policy).colour, judge("CALIBRATION_MEAN", found, policy).reason) == (
        "not_available", "too_few",
    )  # fmt: skip


def test_without_a_figure_a_light_says_why(policy: ReportPolicy) -> None:
    assert judge("CHALLENGER_AUC", None, policy, reason="no_champion").reason == "no_champion"


@given(value=st.floats(-2, 2), worse=st.floats(0, 2))
def test_a_worse_figure_never_has_a_better_light(policy: ReportPolicy, value: float, worse: float) -> None:
    order = ("green", "amber", "red")
    for code in CODES:
        sign = 1.0 if WORSE[code] == "more" else -1.0
        before, after = (judge(code, Figure(one), policy).colour for one in (value, value + sign * worse))
        assert order.index(after) >= order.index(before)


def test_a_policy_that_forgets_a_light_is_refused() -> None:
    broken = raw()
    del broken["limits"]["SPLIT_LEAK"]
    with pytest.raises(ConfigError, match="SPLIT_LEAK"):
        parse_section(broken, ReportPolicy, source="report_policy.yaml")


def test_a_policy_with_red_on_the_better_side_is_refused() -> None:
    broken = raw()
    broken["limits"]["SPLIT_LEAK"] = {"amber": 0.9, "red": 0.8}
    with pytest.raises(ConfigError, match="better side"):
        parse_section(broken, ReportPolicy, source="report_policy.yaml")


def test_an_unknown_key_of_the_policy_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="min_rows"):
        parse_section({**raw(), "min_row": 3}, ReportPolicy, source="report_policy.yaml")


def test_without_a_file_of_the_owner_nothing_is_given(tmp_path: Path) -> None:
    assert load_owner(tmp_path) == ReportOwner()


def test_findings_of_an_unknown_severity_are_refused() -> None:
    with pytest.raises(ConfigError, match="severity"):
        parse_section({"findings": [{"id": "F-1", "severity": "grave", "text": "x"}]}, ReportOwner, source="owner")


def test_a_light_in_json_tells_its_limits(policy: ReportPolicy) -> None:
    told = replace(judge("DATA_CRITICAL", Figure(0), policy), about="x").as_json()
    assert (told["light"], told["amber"], told["worse"], told["about"]) == ("green", 1, "more", "x")


def test_an_open_finding_may_have_no_date() -> None:
    assert OpenFinding(id="F-1", severity="low", text="x").due_on is None
