"""Canonical decisions as a log: what is rewarded, what was eligible, and policies of known value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from decisioning.config import Objective
from domain.actions import WAIT, ActionCatalogue, ActionsConfig
from domain.clock import US_PER_DAY, to_day, to_us
from domain.config import load_section
from domain.errors import DataError, NotEnoughDataError
from domain.tables import Tables
from features.encoding import encode
from training.dataset import Horizon
from training.ope import policies
from training.ope.decisions import usable
from training.ope.grid_outcome import GridOutcome
from training.ope.outcome import folds_of
from training.ope.rewards import Terms, rewards, value_days

NOON = to_us(datetime(2024, 1, 15, 12, tzinfo=UTC))
CATALOGUE = ActionCatalogue(load_section(Path("configs/actions.yaml"), ActionsConfig))
TERMS = Terms(value_days=90, event_days=30, objective=Objective(monthly_discount_rate=0.0))
ELIGIBLE = f"{WAIT}|sms/none/morning|agent_call/none/morning"
ONE_FOLD = np.zeros(4, dtype=np.int64)
DUE_ON = to_day(datetime(2024, 1, 5, tzinfo=UTC).date())


def rows_of(count: int, **decision: Any) -> dict[str, list[dict[str, Any]]]:
    """Debtors who owe 1,000.00 each, with one decision at noon."""
    rows: dict[str, list[dict[str, Any]]] = {"accounts": [], "debts": [], "payments": [], "decisions": []}
    for number in range(count):
        name = f"a{number:03d}"
        rows["accounts"].append({"account_id": name})
        debt = {"debt_id": f"{name}-1", "account_id": name, "amount": 100_000, "due_on": DUE_ON}
        rows["debts"].append({**debt, "occurred_at": NOON - 20 * US_PER_DAY})
        sms = {"channel": "sms", "offer": "none", "moment": "morning", "action_prob": 0.5, "eligible": ELIGIBLE}
        rows["decisions"].append(
            {"decision_id": f"x{number:03d}", "account_id": name, "decided_at": NOON, **sms, **decision}
        )
    return rows


def paid(number: int, day: float, amount: int) -> dict[str, Any]:
    name = f"a{number:03d}"
    at = NOON + int(day * US_PER_DAY)
    return {"account_id": name, "debt_id": f"{name}-1", "amount": amount, "occurred_at": at}


def read(tables_of: Callable[..., Tables], rows: dict[str, Any], *, days: int = 90, end: int = 400, **more: Any) -> Any:
    encoded = encode(tables_of(**rows), attributes={})
    horizon = Horizon(NOON + end * US_PER_DAY, 3)
    return encoded, usable(encoded, CATALOGUE, horizon, days=days, from_us=None, seed=0, **more)


def valued(tables_of: Callable[..., Tables], rows: dict[str, Any], terms: Terms = TERMS) -> list[float]:
    encoded, found = read(tables_of, rows)
    return rewards(
        encoded, found.spine, found.actions, found.action, rows=found.rows, terms=terms
    ).tolist()  # fmt: skip


def test_a_reward_is_the_money_of_the_window_less_the_attempt(tables_of):
    rows = rows_of(2)
    rows["payments"] = [paid(0, 0, 30_000), paid(0, 89, 10_000), paid(0, 90, 5_000), paid(1, -1, 7_000)]
    cost = CATALOGUE.config.channels["sms"].unit_cost
    assert valued(tables_of, rows) == pytest.approx([400.0 - cost, -cost])


def test_money_that_is_taken_back_is_no_reward(tables_of):
    rows = rows_of(1)
    rows["payments"] = [paid(0, 10, 30_000), paid(0, 20, -30_000)]
    assert valued(tables_of, rows)[0] < 0


def test_later_money_is_worth_less(tables_of):
    rows = rows_of(1)
    rows["payments"] = [paid(0, 30.4375, 10_100)]
    terms = Terms(90, 30, Objective(monthly_discount_rate=0.01))
    cost = CATALOGUE.config.channels["sms"].unit_cost
    assert valued(tables_of, rows, terms) == pytest.approx([100.0 - cost])


def test_an_attempt_costs_what_its_contacts_say(tables_of):
    rows = rows_of(2)
    rows["contacts"] = [
        {"account_id": "a000", "channel": "sms", "occurred_at": NOON + 1, "cost": 1.25, "decision_id": "x000"}
    ]
    # The second decision was not carried out, which is known because contacts do name decisions.
    assert valued(tables_of, rows) == [-1.25, 0.0]


def test_complaints_and_opt_outs_are_priced(tables_of):
    rows = rows_of(2)
    rows["responses"] = [
        {"account_id": "a000", "kind": "complained", "occurred_at": NOON + US_PER_DAY},
        {"account_id": "a001", "kind": "opted_out", "occurred_at": NOON + US_PER_DAY},
    ]
    cost = CATALOGUE.config.channels["sms"].unit_cost
    assert valued(tables_of, rows) == pytest.approx([-250.0 - cost, -10.0 - cost])


def test_debtors_in_the_hold_out_say_nothing_of_a_policy_and_are_counted(tables_of):
    rows = rows_of(3)
    rows["decisions"][1] |= {"arm": "holdout", "channel": "wait", "moment": "any", "action_prob": 1.0, "eligible": WAIT}
    _, found = read(tables_of, rows)
    assert (len(found), found.left_out["holdout"]) == (2, 1)


def test_no_more_decisions_are_valued_than_asked_for_and_the_rest_are_counted(tables_of):
    _, found = read(tables_of, rows_of(5), max_rows=3)
    assert (len(found), found.left_out["beyond_max_rows"]) == (3, 2)


def test_decisions_whose_window_is_not_over_are_left_out_and_counted(tables_of):
    rows = rows_of(3)
    rows["decisions"][2]["decided_at"] = NOON + 350 * US_PER_DAY
    _, found = read(tables_of, rows)
    assert (len(found), found.left_out["immature"]) == (2, 1)


def test_where_no_decision_is_mature_the_reasons_are_counted(tables_of):
    with pytest.raises(NotEnoughDataError, match="'immature': 2"):
        read(tables_of, rows_of(2), end=50)


def test_an_impossible_action_prob_is_refused(tables_of):
    with pytest.raises(DataError, match="1 of 2 rows with action_prob"):
        rows = rows_of(2)
        rows["decisions"][0]["action_prob"] = 1.5
        read(tables_of, rows)


def test_the_horizon_is_the_longest_that_three_in_ten_decisions_lived_through():
    moments = NOON + np.arange(100) * US_PER_DAY
    assert value_days(moments, Horizon(NOON + 220 * US_PER_DAY, 0), longest=365) == 180


def test_what_was_eligible_is_what_the_log_says(tables_of):
    _, found = read(tables_of, rows_of(1))
    names = np.array(CATALOGUE.names())[found.eligible[0]]
    assert set(names) == set(ELIGIBLE.split("|"))


def test_a_log_without_moments_stands_for_every_moment(tables_of):
    _, found = read(tables_of, rows_of(1, moment="any", eligible=f"{WAIT}|sms/none/any"))
    uniform = np.where(found.eligible, 1.0 / found.eligible.sum(), 0.0)
    assert found.of_logged(uniform) == pytest.approx([3 / 4])


def test_the_weight_of_a_channel_is_what_the_policy_gives_it_over_what_the_log_gave_it(tables_of):
    _, found = read(tables_of, rows_of(1, channel_prob=0.8))
    spread = np.zeros(found.eligible.shape)
    spread[0, [CATALOGUE.index[name] for name in ("sms/none/morning", "sms/disc10/evening", WAIT)]] = 0.1, 0.3, 0.6
    assert found.channel_weight(spread) == pytest.approx([0.5])


def test_a_log_that_tells_no_channel_has_no_channel_marginal(tables_of):
    _, found = read(tables_of, rows_of(1))
    assert found.channel_weight(np.ones(found.eligible.shape)) is None


def outcome_of(found: Any, q: float = 5.0) -> GridOutcome:
    return GridOutcome(np.full(len(found), q), np.full(found.eligible.shape, q))


def test_mass_outside_the_logged_eligible_actions_is_summed(tables_of):
    _, found = read(tables_of, rows_of(4))
    letter = CATALOGUE.index["letter/none/afternoon"]
    spread = np.zeros(found.eligible.shape)
    spread[:, 0], spread[:, letter] = 0.9, 0.1
    assert policies.spread(found, outcome_of(found), spread).unsupported == pytest.approx(0.1)


def test_waiting_has_no_mass_on_a_logged_contact(tables_of):
    _, found = read(tables_of, rows_of(4))
    assert policies.baselines(found, outcome_of(found), ONE_FOLD, cell=ONE_FOLD)["wait"].pi.tolist() == [0.0] * 4


def test_chance_gives_every_eligible_action_the_same(tables_of):
    _, found = read(tables_of, rows_of(4))
    assert policies.baselines(found, outcome_of(found), ONE_FOLD, cell=ONE_FOLD)["random"].pi == pytest.approx(
        [1 / 3] * 4
    )


def test_the_ladder_is_what_was_chosen_with_more_than_half_of_the_probability(tables_of):
    rows = rows_of(2, action_prob=0.9)
    rows["decisions"][1]["action_prob"] = 0.03
    _, found = read(tables_of, rows)
    assert policies.usual(found, outcome_of(found)).pi.tolist() == [1.0, 0.0]


def test_the_best_constant_action_waits_where_it_is_not_eligible(tables_of):
    rows = rows_of(40)
    for row in rows["decisions"][:10]:
        row |= {"eligible": WAIT, "channel": "wait", "moment": "any"}
    encoded, found = read(tables_of, rows)
    call = CATALOGUE.index["agent_call/none/morning"]
    q = np.zeros(found.eligible.shape)
    q[:, call] = 1.0
    fold = folds_of(encoded.debtor[found.spine.account].astype(np.int64))
    chosen = policies.best_constant(found, GridOutcome(np.zeros(40), q), fold)
    assert chosen.tolist() == np.where(found.eligible[:, call], call, 0).tolist()


def test_the_tuned_ladder_takes_the_best_action_of_each_cell(tables_of):
    _, found = read(tables_of, rows_of(4))
    sms, call = CATALOGUE.index["sms/none/morning"], CATALOGUE.index["agent_call/none/morning"]
    q = np.zeros(found.eligible.shape)
    q[:2, sms], q[2:, call] = 1.0, 1.0
    cell = np.array([0, 0, 1, 1])
    chosen = policies.best_by_cell(found, GridOutcome(np.zeros(4), q), ONE_FOLD, cell=cell)
    assert chosen.tolist() == [sms, sms, call, call]
