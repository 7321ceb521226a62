"""Verdicts of one policy against others on logs of known truth, and what promotion makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.config import GatesConfig
from training.ope.estimators import Estimate, Log, Target
from training.ope.opponents import OPPONENTS, Comparison, compare, doubted
from training.promotion import policy_gates

VERDICTS = ("better", "worse", "not_established", "no_support")


def constant(action: np.ndarray, wanted: int, *, channel: bool = False) -> Target:
    chosen = (action == wanted).astype(float)
    flat = np.zeros(len(action))
    return Target(chosen, flat, flat, channel_weight=2.0 * chosen if channel else None)


@pytest.fixture
def log() -> tuple[Log, np.ndarray]:
    """Two actions at even odds; the second brings 5 more."""
    rng = np.random.default_rng(0)
    action = rng.integers(0, 2, size=2_000)
    return Log(np.full(2_000, 0.5), 5.0 * action + rng.normal(size=2_000), np.arange(2_000) // 2), action


@pytest.mark.parametrize(("model", "other", "verdict"), [(1, 0, "better"), (0, 1, "worse"), (1, 1, "not_established")])
def test_the_verdict_is_who_earns_more(log: Any, model: int, other: int, verdict: str) -> None:
    rows, action = log
    found = compare(rows, {"model": constant(action, model), "champion": constant(action, other)})
    assert [one.verdict for one in found] == [verdict]


def test_an_opponent_without_support_is_no_loss_and_no_win(log: Any) -> None:
    rows, action = log
    found = compare(rows, {"model": constant(action, 1), "constant": constant(action, 7)})
    assert (found[0].verdict, found[0].uplift) == ("no_support", None)


def test_the_channel_marginal_is_told_where_both_policies_know_their_channels(log: Any) -> None:
    rows, action = log
    targets = {"model": constant(action, 1, channel=True), "champion": constant(action, 0, channel=True)}
    uplift = compare(rows, {**targets, "ladder": constant(action, 0)})
    assert [one.mdr_uplift is not None for one in uplift] == [True, False]


def test_opponents_that_were_not_valued_are_not_compared(log: Any) -> None:
    rows, action = log
    targets = {name: constant(action, 0) for name in ("random", "wait", "ladder", "model")}
    assert [one.opponent for one in compare(rows, targets)] == ["ladder", "random"]


def test_a_bound_that_nobody_can_give_is_null_and_no_number() -> None:
    told = Comparison("ladder", "not_established", Estimate(1.0, se=np.inf)).as_json()
    assert told["uplift"] == {"value": 1.0, "low": None, "high": None}


@pytest.mark.parametrize(
    ("verdict", "seen", "told"),
    [("better", 0, "better"), ("better", 9, "not_established"), ("worse", 9, "worse"), ("no_support", 9, "no_support")],
)
def test_no_gain_is_established_on_decisions_that_the_version_has_learned_from(
    verdict: Any, seen: int, told: str
) -> None:
    assert doubted(Comparison("ladder", verdict), seen).verdict == told


@pytest.mark.parametrize("opponent", ["champion", "ladder"])
def test_by_default_an_established_loss_to_champion_or_ladder_stops_a_version(opponent: str) -> None:
    gates = policy_gates([Comparison(opponent, "worse")], GatesConfig())
    assert not gates[0].met


@given(opponent=st.sampled_from(OPPONENTS), verdict=st.sampled_from(("better", "not_established", "no_support")))
def test_by_default_what_is_not_established_stops_nothing(opponent: str, verdict: Any) -> None:
    assert policy_gates([Comparison(opponent, verdict)], GatesConfig())[0].met


@given(opponent=st.sampled_from(OPPONENTS), verdict=st.sampled_from(VERDICTS))
def test_whoever_must_be_beaten_must_have_been(opponent: str, verdict: Any) -> None:
    gates = GatesConfig(better_than=(opponent,))
    assert policy_gates([Comparison(opponent, verdict)], gates)[0].met == (verdict == "better")
