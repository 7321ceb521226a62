"""Policies against each other on one small world, judged by what they truly brought."""

from __future__ import annotations

from dataclasses import replace

import pytest

from simulation.comparison import compare
from simulation.policies import all_knowing, ladder, logging_ladder, wait
from simulation.rounds import Terms, begin, play_rounds
from simulation.tuned import Judged, best_constant, tuned_ladder

TERMS = Terms(value_weeks=13, runs=8)
OTHERS = ("ladder", "logging", "wait", "constant", "tuned_ladder")


def quiet(_what, _share):
    return None


@pytest.fixture(scope="module")
def played(tmp_path_factory, catalogue):
    """The debtors of a portfolio, and the tally of each policy on it."""
    folder = tmp_path_factory.mktemp("loop")
    start = begin(1_000, seed=21, catalogue=catalogue, out=folder / "start", on_step=quiet)
    others = begin(1_000, seed=22, catalogue=catalogue, out=folder / "others", on_step=quiet)
    judged = []

    def watched(due):
        judged.append(Judged.of(due))
        return ladder(due)

    play_rounds(others, watched, name="others", terms=replace(TERMS, rounds=3), out=folder / "tuning")
    together = Judged.together(judged)
    policies = {
        "ladder": ladder, "logging": logging_ladder, "wait": wait, "all_knowing": all_knowing,
        "constant": best_constant(together), "tuned_ladder": tuned_ladder(together, days=(1, 31, 91, 181)).choose,
    }  # fmt: skip
    tallies = {
        name: play_rounds(start, policy, name=name, terms=TERMS, out=folder / name) for name, policy in policies.items()
    }
    return start.world.folk.debtor, tallies


@pytest.mark.parametrize("name", OTHERS)
def test_no_policy_is_better_than_the_all_knowing_one_beyond_its_interval(played, name):
    debtor, tallies = played
    gain = compare(tallies, reference=name, debtor=debtor)["all_knowing"].net_difference
    assert gain.high > 0.0


@pytest.mark.parametrize("name", ["ladder", "wait"])
def test_knowing_all_is_clearly_better_than_what_looks_at_no_single_case(played, name):
    debtor, tallies = played
    assert compare(tallies, reference=name, debtor=debtor)["all_knowing"].net_difference.low > 0.0


def test_never_contacting_anybody_brings_less_money_than_the_ladder(played):
    debtor, tallies = played
    assert compare(tallies, reference="ladder", debtor=debtor)["wait"].received_difference.high < 0.0


def test_drift_makes_the_same_ladder_bring_less(tmp_path, catalogue):
    start = begin(600, seed=5, catalogue=catalogue, out=tmp_path / "start", on_step=quiet)
    still, moved = (
        play_rounds(start, ladder, name="ladder", terms=replace(TERMS, drift=drift), out=tmp_path / "ladder")
        for drift in (0.0, 2.0)
    )
    assert moved.received.sum() < still.received.sum()
