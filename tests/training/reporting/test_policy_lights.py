"""Lights of section 13 and 17 from figures that are written out."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.ope.estimators import Log, clustered_se
from training.ope.support import support
from training.reporting.behaviour import directions
from training.reporting.lights import Light, judge
from training.reporting.policy import ReportPolicy
from training.reporting.policy_value import policy_value


@pytest.fixture(scope="module")
def lights_of(policy: ReportPolicy) -> Callable[..., dict[str, Light]]:
    """Lights of a section that reads nothing but what is given."""

    def found(section: Callable[[Any], Any], **given: Any) -> dict[str, Light]:
        evidence = SimpleNamespace(
            policy=policy, judge=lambda code, figure, **told: judge(code, figure, policy, **told), **given
        )
        return {light.code: light for light in section(evidence).lights}

    return found


def compared(**policies: dict[str, Any]) -> dict[str, Any]:
    shared = {"ess": 900.0, "max_weight": 3.0, "unsupported_share": 0.0, "unsupported_share_is_estimated": False,
              "verdict": "better"}  # fmt: skip
    logged = {"value": 1.0, "low": 0.9, "high": 1.1}
    return {
        "decisions": 5_000, "horizon_days": 30, "seen_in_training": 0, "compared_at": "2026-03-01T00:00:00Z",
        "opponents": {"ladder": {"verdict": "better", "uplift": None, "mdr_uplift": None}},
        "evaluated": {
            "rows": 5_000, "debtors": 4_000, "logged": logged,
            "policies": {name: {**shared, **one} for name, one in policies.items()},
        },
    }  # fmt: skip


def weight(mean: float, se: float, **more: Any) -> dict[str, Any]:
    return {"mean_weight": mean, "mean_weight_se": se, **more}


@pytest.mark.parametrize("mean, se, colour", [(1.0, 0.01, "green"), (1.10, 0.06, "green"), (1.10, 0.01, "amber"),
                                              (0.70, 0.01, "red")])  # fmt: skip
def test_logged_probabilities_are_doubted_where_even_weights_do_not_average_one(
    lights_of: Callable[..., dict[str, Light]], mean: float, se: float, colour: str
) -> None:
    found = lights_of(policy_value, comparison=compared(model=weight(1.0, 0.01), random=weight(mean, se)))
    assert found["POLICY_PROBABILITIES"].colour == colour


@pytest.mark.parametrize("mean, se, colour", [(0.99, 0.01, "green"), (0.70, 0.2, "green"), (0.70, 0.01, "red"),
                                              (1.30, 0.01, "green")])  # fmt: skip
def test_mass_that_no_logged_row_stands_for_is_told_apart_from_effective_rows(
    lights_of: Callable[..., dict[str, Light]], mean: float, se: float, colour: str
) -> None:
    found = lights_of(policy_value, comparison=compared(model=weight(mean, se), random=weight(1.0, 0.01)))
    assert (found["POLICY_UNSEEN"].colour, found["POLICY_SUPPORT"].colour) == (colour, "green")


def test_a_comparison_of_before_weights_were_kept_makes_no_light_of_them(
    lights_of: Callable[..., dict[str, Light]],
) -> None:
    found = lights_of(policy_value, comparison=compared(model={"mean_weight": 0.7}, random={"mean_weight": 0.7}))
    assert (found["POLICY_UNSEEN"].reason, found["POLICY_PROBABILITIES"].reason) == ("old_comparison",) * 2


@given(seed=st.integers(0, 1_000), rows=st.integers(20, 200))
def test_the_error_of_the_mean_weight_counts_debtors(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    log = Log(rng.uniform(0.1, 1.0, rows), np.zeros(rows), rng.integers(0, rows // 2, rows))
    weights = rng.random(rows) / log.action_prob
    expected = clustered_se(weights - weights.mean(), log.cluster)
    assert support(log, weights, unsupported=0.0).mean_weight_se == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("against, colour", [(0.02, "green"), (0.12, "amber"), (0.25, "red")])
def test_one_feature_that_runs_far_against_its_direction_is_seen_among_forty(
    lights_of: Callable[..., dict[str, Light]], against: float, colour: str
) -> None:
    one = {"direction": 1, "effect": 0.1, "share_of_rows": 0.2, "largest": 0.1}
    told = [{**one, "feature": "days_past_due", "against": against}]
    told += [{**one, "feature": f"f{place}", "against": 0.0} for place in range(39)]
    found = {"rows": 300, "features": 40, "agree": 39, "share_of_rows": 0.2, "largest": 0.3, "by_feature": told}
    lights = lights_of(directions, explained={"directions": found}, evaluation={})
    assert (lights["DIRECTIONS_LARGEST"].colour, lights["DIRECTIONS_LARGEST"].about) == (colour, "days_past_due")
