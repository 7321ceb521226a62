from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest

from domain.clock import US_PER_DAY, to_us
from simulation import assumptions
from simulation.draws import mixed
from simulation.futures import HORIZON_WEEKS, MEASURES, RECOVERED, value_actions
from simulation.ladder import playbook_of, spacing
from simulation.parts import entry
from simulation.portfolio import draw_portfolio
from simulation.states import STATE
from simulation.truth import Objective, first_page
from simulation.week import carry_out, close_week, known_standing, open_week, play_week
from simulation.world import play

ACTIONS = ("wait/none/any", "whatsapp/inst3/evening", "sms/disc25/morning", "email/none/morning")


@entry
def act_out(traits, states, tools, plan):
    """Money recovered when an action is really tried, draw by draw: (accounts,) means over runs."""
    accounts, action, runs, result = plan
    book, week, spare = tools[0][0], tools[1][0], tools[2]
    own = np.zeros(1, dtype=traits.dtype)
    me, it = own[0], spare[0]
    start = week.value_day
    for k in range(len(accounts)):
        for run in range(runs):
            own[0] = traits[accounts[k]]
            me.key, me.debtor_key = mixed(me.key, 77_000_000 + run), mixed(me.debtor_key, 77_000_000 + run)
            spare[0] = states[accounts[k]]
            it.recovered, it.first_paid_us, it.paid_week = 0.0, 1 << 62, -1
            week.day, week.end = start, start + 7
            open_week(me, it, book, week)
            known = known_standing(it, week)
            it.next_decision = start + spacing(known[0])
            if action > 0:
                carry_out(me, it, book, week, (action, -1, known[0], known[1]))
            close_week(me, it, book, week)
            for number in range(1, HORIZON_WEEKS):
                week.day, week.end = start + 7 * number, start + 7 * number + 7
                play_week(me, it, book, week)
            result[k] += it.recovered / runs
    week.day, week.end = start, start + 7


@pytest.fixture(scope="module")
def ended(tmp_path_factory, catalogue):
    folk = draw_portfolio(400, catalogue=catalogue, rng=np.random.default_rng(3))
    states = play(folk, out=tmp_path_factory.mktemp("ended"), catalogue=catalogue, tell=lambda _what, _share: None)
    overdue = np.flatnonzero(states["known"][:, 1] > 0)[:120]
    return folk.traits, states, overdue


@pytest.mark.parametrize("name", ACTIONS)
def test_trying_an_action_recovers_on_average_what_the_truth_says(ended, catalogue, name):
    traits, states, accounts = ended
    book, page = playbook_of(catalogue), first_page(Objective())
    truth = np.zeros((len(accounts), len(catalogue.actions), MEASURES))
    value_actions(traits, states, (book, page, np.zeros(3, dtype=STATE)), (accounts, truth, 60))
    tried = np.zeros(len(accounts))
    action = catalogue.index[name]
    act_out(traits, states, (book, page, np.zeros(3, dtype=STATE)), (accounts, action, 240, tried))
    difference = tried - truth[:, action, RECOVERED]
    # Both are means of independent futures, so the differences of accounts are independent with mean 0.
    assert abs(difference.mean()) < 4 * difference.std() / math.sqrt(len(accounts))


def test_every_owing_account_has_every_action_but_gated_ones(world, catalogue):
    actions = {a.name for a in catalogue.actions if not a.gated}
    owing = world.one("SELECT count(*) FROM @truth/accounts WHERE balance > 0")[0]
    rows = world.rows("SELECT account_id, count(DISTINCT action), count(*) FROM @truth/values GROUP BY 1")
    assert len(rows) == owing > 0
    assert {(found, n) for _, found, n in rows} == {(len(actions), len(actions))}


def test_net_value_is_recovered_less_every_cost(world):
    objective = Objective()
    worst = world.one(
        f"SELECT max(abs(expected_net_value - (expected_recovered - expected_cost - {objective.complaint_cost} * "
        f"p_complaint - {objective.opt_out_cost} * p_opt_out))) FROM @truth/values"
    )[0]
    assert worst < 0.001


def test_waiting_costs_nothing_and_probabilities_grow_with_the_horizon(world):
    assert world.one("SELECT max(expected_cost) FROM @truth/values WHERE action = 'wait/none/any'") == (0.0,)
    ordered = " AND ".join(
        f"{low} <= {high} + 1e-9"
        for low, high in pairwise(["0", "p_pay_7d", "p_pay_30d", "p_pay_60d", "p_pay_90d", "1"])
    )
    assert world.one(f"SELECT count(*) FROM @truth/values WHERE NOT ( {ordered} )") == (0,)


def test_the_best_action_of_each_account_is_worth_clearly_more_than_the_ladder(world):
    best, ladder = world.one(
        """SELECT sum(best), sum(ladder) FROM ( SELECT max(v.expected_net_value) AS best,
        max(v.expected_net_value) FILTER (v.action = a.ladder_action) AS ladder FROM @truth/values v
        JOIN @truth/accounts a USING (account_id) WHERE a.overdue > 0 GROUP BY v.account_id )"""
    )
    assert 1.01 < best / ladder < 1.5


def test_a_contact_is_worth_less_than_it_costs_where_debtors_pay_by_themselves(world):
    gain = world.one(
        """SELECT avg(c.expected_net_value - w.expected_net_value) FROM @truth/values c JOIN @truth/values w USING
        (account_id) JOIN @truth/accounts a USING (account_id) WHERE c.action = 'agent_call/none/morning'
        AND w.action = 'wait/none/any' AND w.p_pay_30d > 0.9"""
    )[0]
    assert gain < 0


def test_the_truth_names_its_seed_and_the_moment_it_holds_for(world):
    meta = json.loads((world.folder / "truth" / "meta.json").read_text(encoding="utf-8"))
    assert meta["seed"] == 7
    assert meta["as_of"] == "2026-03-02T12:00:00Z"
    assert to_us(assumptions.END) % US_PER_DAY == US_PER_DAY // 2
