from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from domain.config import parse_section
from domain.errors import ConfigError
from training.reporting.policy import Move, ReportPolicy, Scenario
from training.reporting.stress import moved_values, with_odds

P = st.floats(0.001, 0.999)


def scenario(**given: Any) -> Scenario:
    return Scenario(name="any", title=("a", "b"), source=("a", "b"), **given)


def evidence(values: list[list[float]], names: tuple[str, ...], units: tuple[str, ...], categorical: Any = ()) -> Any:
    schema = SimpleNamespace(features=[SimpleNamespace(unit=unit) for unit in units], categorical=categorical)
    sample = SimpleNamespace(values=np.array(values))
    return SimpleNamespace(sample=sample, names=names, bundle=SimpleNamespace(schema=schema))


@given(p=P, odds=st.floats(0.1, 10.0))
def test_odds_are_multiplied_by_the_factor(p: float, odds: float) -> None:
    (found,) = with_odds(np.array([p]), odds)
    assert found / (1.0 - found) == pytest.approx(odds * p / (1.0 - p), rel=1e-9)


@given(ps=st.lists(P, min_size=2, max_size=20), odds=st.floats(0.1, 10.0))
def test_odds_change_no_order(ps: list[float], odds: float) -> None:
    found = with_odds(np.sort(ps), odds)
    # Each is rounded four times; probabilities that are nearer to each other than that may change places.
    assert (np.diff(found) >= -4 * np.finfo(np.float64).eps * found[1:]).all()


def test_features_are_moved_by_name_and_by_pattern() -> None:
    found = evidence([[10.0, 100.0, 7.0]], ("days_past_due", "payments_cents_sum_90d", "other"), ("days", "cents", "x"))
    moves = {"days_past_due": Move(add=30), "payments_cents_*": Move(times=0.8)}
    values, moved = moved_values(found, scenario(features=moves))
    assert (values.tolist(), moved) == ([[40.0, 80.0, 7.0]], ["days_past_due", "payments_cents_sum_90d"])


def test_what_is_missing_stays_missing_and_shares_stay_shares() -> None:
    found = evidence([[np.nan, 0.9]], ("income", "paid_share_90d"), ("cents", "share"))
    values, _ = moved_values(found, scenario(features={"*": Move(times=2.0)}))
    assert np.isnan(values[0, 0]) and values[0, 1] == 1.0


def test_a_count_does_not_fall_below_nothing_and_a_delay_may() -> None:
    found = evidence([[5.0, -5.0], [3.0, 2.0]], ("payments_count_30d", "days_past_due"), ("count", "days"))
    values, _ = moved_values(found, scenario(features={"*": Move(add=-10)}))
    assert values.tolist() == [[0.0, -15.0], [0.0, -8.0]]


def test_a_category_has_no_order_and_is_left_alone() -> None:
    found = evidence([[3.0]], ("product",), ("code",), categorical=(0,))
    values, moved = moved_values(found, scenario(features={"product": Move(add=1)}))
    assert (values.tolist(), moved) == ([[3.0]], [])


def test_the_sample_itself_is_not_changed() -> None:
    found = evidence([[3.0]], ("income",), ("cents",))
    moved_values(found, scenario(features={"income": Move(times=0.5)}))
    assert found.sample.values.tolist() == [[3.0]]


def test_two_scenarios_of_one_name_are_refused() -> None:
    raw = yaml.safe_load(Path("configs/report_policy.yaml").read_text(encoding="utf-8"))
    with pytest.raises(ConfigError, match="each once"):
        parse_section({**raw, "scenarios": raw["scenarios"] + raw["scenarios"][:1]}, ReportPolicy, source="policy")


def test_every_scenario_of_the_repository_says_where_its_numbers_come_from(policy: ReportPolicy) -> None:
    assert policy.scenarios and all(all(one.source) and all(one.title) for one in policy.scenarios)
