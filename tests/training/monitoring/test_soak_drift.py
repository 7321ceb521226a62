"""The short form of the bench of planted drift: a lender of 3,500 accounts, slices of its weeks, the kinds that so
few rows can show."""

from __future__ import annotations

import numpy as np
import pytest
from drift_plants import PLANTS, PSI, psi_of
from drift_world import clean, world
from soak_drift import Found, kept, plant, run

SEEN = (
    "income scaled", "income missing", "product unseen", "fewer pay than expected", "more pay than expected",
    "more waiting", "a refusal code appears", "half of the decisions", "budget overrun",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return world(tmp_path_factory.mktemp("lender"), accounts=3_500, seed=1)


@pytest.fixture(scope="module")
def before(whole):
    return Found.of(clean(whole, 5, share=1.0), whole.limits, whole)


@pytest.mark.parametrize("name", SEEN)
def test_what_is_planted_in_one_week_alarms_in_that_week(whole, before, name):
    assert plant(PLANTS[name], whole, before, 5).caught


def test_weeks_in_which_nothing_was_planted_are_silent(whole):
    tally = run(whole, seeds=(), quiet=(6,), plants=(), share=1.0)
    assert tally.alarms == [()]
    assert kept(tally)


def test_what_is_planted_has_the_psi_that_is_told(whole, before):
    planted = PLANTS["income scaled"].change(whole, before.watched, None)
    place, known = whole.bundle.schema.index["income"], whole.bundle.reference.features["income"]
    now, then = (one.rows[-1].values[:, place] for one in (planted.watched, before.watched))
    # It is set on the rows of all judged weeks; one week of them has its own noise on top, here a few hundred rows.
    assert psi_of(known, now, then) == pytest.approx(PSI, abs=0.1)


def test_what_a_plant_does_not_move_is_counted_once_and_the_same(whole, before):
    planted = PLANTS["income missing"].change(whole, before.watched, np.random.default_rng(3))
    again = Found.of(planted.watched, planted.limits, whole)
    after = before.after(planted.watched, planted.limits, whole)
    told = [sorted(map(_told, one.drifted)) for one in (again, after)]
    assert told[0] == told[1]


def _told(one):
    return one.code, one.week, one.about, one.value, one.p_value
