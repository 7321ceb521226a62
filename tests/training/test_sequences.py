"""Which decision came next: what a step counts for, and that it is looked at as it was known then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decisioning.config import Objective
from domain.actions import ActionCatalogue, ActionsConfig
from domain.clock import US_PER_DAY as DAY
from domain.config import load_section
from domain.tables import Tables
from features.batch import compute_many
from features.encoding import encode
from features.schema import fit_schema
from features.spine import Spine
from training import sequences as module
from training.dataset import Horizon
from training.receipts import contact_receipts
from training.sequences import STEP_DAYS, Following, Steps, sequences

TablesOf = Callable[..., Tables]
Row = dict[str, Any]
NOON = 19_000 * DAY + DAY // 2
END, LAG, RATE = 300, 3, 0.01
CATALOGUE = ActionCatalogue(load_section(Path("configs/actions.yaml"), ActionsConfig))
DEBT = {"debt_id": "d", "account_id": "a", "amount": 100_000, "due_on": 19_000, "occurred_at": NOON - 9 * DAY}


def decided(day: float, channel: str = "sms", **more: Any) -> Row:
    found = {"decision_id": f"q{day}", "account_id": "a", "channel": channel, "offer": "none"}
    moment = "any" if channel == "wait" else "morning"
    return {**found, "moment": moment, "decided_at": NOON + int(day * DAY), "action_prob": 0.5, **more}


def contact(day: float) -> Row:
    return {"contact_id": f"c{day}", "account_id": "a", "channel": "sms", "occurred_at": NOON + int(day * DAY)}


def promised(day: float) -> Row:
    return {"account_id": "a", "kind": "promise", "occurred_at": NOON + int(day * DAY)}


def paid(day: float, amount: int) -> Row:
    return {"account_id": "a", "debt_id": "d", "amount": amount, "occurred_at": NOON + int(day * DAY)}


class Told:
    """Tables, and the sequences after some days when the data end on day ``END``."""

    def __init__(self, tables_of: TablesOf, *days: float, **tables: list[Row]) -> None:
        rows: dict[str, Any] = {"accounts": [{"account_id": "a"}, {"account_id": "b"}], "debts": [DEBT]}
        rows |= {"payments": [], "contacts": [], "responses": [], "promises": [], "decisions": []}
        self.encoded = encode(tables_of(**(rows | tables)), attributes={})
        self.schema = fit_schema(self.encoded, attributes={})
        horizon, objective = Horizon(NOON + END * DAY, LAG), Objective(monthly_discount_rate=RATE)
        made = Following(self.encoded, self.schema, CATALOGUE, horizon, objective, seed=0)
        receipts = contact_receipts(self.encoded, np.zeros(0, dtype=np.int64))
        moments = np.array([NOON + int(day * DAY) for day in days], dtype=np.int64)
        spine = Spine(np.zeros(len(days), dtype=np.int32), moments)
        self.found = sequences(made, receipts, quiet=spine, deals=spine.take(np.zeros(0, dtype=np.int64)))

    @property
    def quiet(self) -> Steps:
        return self.found.quiet


def test_the_next_decision_is_the_first_one_after_the_moment(tables_of: TablesOf) -> None:
    told = Told(tables_of, 5, decisions=[decided(0), decided(20, "email"), decided(10, "letter", moment="afternoon")])
    assert told.found.turns.actions[told.found.turns.action[told.quiet.turn[0]]].channel == "letter"


def test_a_decision_taken_at_the_moment_is_its_own_and_not_the_next(tables_of: TablesOf) -> None:
    told = Told(tables_of, 10, decisions=[decided(0), decided(10), decided(20, "email")])
    actions = told.found.turns.action[[told.quiet.own[0], told.quiet.turn[0]]]
    assert [told.found.turns.actions[action].channel for action in actions] == ["sms", "email"]


def test_a_moment_without_a_decision_has_none_of_its_own(tables_of: TablesOf) -> None:
    assert Told(tables_of, 5, decisions=[decided(0), decided(10)]).quiet.own.tolist() == [-1]


@pytest.mark.parametrize(("days", "follows"), [(STEP_DAYS - 0.1, True), (STEP_DAYS + 0.1, False)])
def test_a_decision_follows_within_the_longest_step_alone(tables_of: TablesOf, days: float, follows: bool) -> None:
    told = Told(tables_of, 0, decisions=[decided(-1), decided(days)])
    assert (told.quiet.turn[0] >= 0) == follows


def test_the_decision_of_another_account_does_not_follow(tables_of: TablesOf) -> None:
    told = Told(tables_of, 0, decisions=[decided(-1), decided(10, account_id="b")])
    assert told.quiet.turn.tolist() == [-1]


def test_moments_before_the_log_began_are_not_learned_from(tables_of: TablesOf) -> None:
    told = Told(tables_of, -5, 5, decisions=[decided(0), decided(10)])
    assert told.quiet.usable.tolist() == [False, True]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(after=st.lists(st.integers(1, END - 1), max_size=4, unique=True), day=st.integers(1, END))
def test_whether_a_moment_is_learned_from_depends_on_when_it_was_and_not_on_what_came_next(
    tables_of: TablesOf, after: list[int], day: int
) -> None:
    told = Told(tables_of, day, decisions=[decided(0), *(decided(one) for one in after)])
    assert told.quiet.usable.tolist() == [day + STEP_DAYS + LAG <= END]


def test_a_step_counts_for_what_is_still_owed_at_its_end_as_present_value(tables_of: TablesOf) -> None:
    told = Told(tables_of, 0, decisions=[decided(-1), decided(30.4375)], payments=[paid(10, 40_000)])
    assert told.quiet.weight.tolist() == pytest.approx([0.6 / (1 + RATE)])


def test_a_bill_issued_in_between_adds_nothing_to_what_a_step_counts_for(tables_of: TablesOf) -> None:
    later = {**DEBT, "debt_id": "e", "occurred_at": NOON + 10 * DAY, "due_on": 19_020}
    told = Told(tables_of, 0, decisions=[decided(-1), decided(30.4375)], debts=[DEBT, later])
    assert told.quiet.weight.tolist() == pytest.approx([1 / (1 + RATE)])


@pytest.mark.parametrize(("day", "agreed"), [(-0.5, False), (5, True), (10.5, False)])
def test_a_deal_counts_where_it_was_made_between_the_moment_and_the_next_decision(
    tables_of: TablesOf, day: float, agreed: bool
) -> None:
    tables = {"contacts": [contact(day)], "promises": [promised(day + 0.1)]}
    told = Told(tables_of, 0, decisions=[decided(-1), decided(10)], **tables)
    assert told.quiet.agreed.tolist() == [agreed]


@pytest.mark.parametrize("late", ["occurred", "recorded"])
def test_a_turn_is_seen_as_it_was_known_when_it_was_taken(tables_of: TablesOf, late: str) -> None:
    payment = paid(10.5, 30_000) if late == "occurred" else {**paid(9, 30_000), "recorded_at": NOON + 11 * DAY}
    told = Told(tables_of, 0, decisions=[decided(-1), decided(10)], payments=[payment])
    plain = Told(tables_of, 0, decisions=[decided(-1), decided(10)])
    np.testing.assert_array_equal(told.found.turns.values, plain.found.turns.values)


def test_the_values_of_a_turn_are_those_of_its_own_moment(tables_of: TablesOf) -> None:
    told = Told(tables_of, 0, decisions=[decided(-1), decided(10)], payments=[paid(5, 30_000)])
    spine = Spine(np.zeros(1, dtype=np.int32), np.array([NOON + 10 * DAY]))
    np.testing.assert_array_equal(told.found.turns.values, compute_many(told.encoded, spine, told.schema))


def test_what_the_log_could_have_chosen_is_what_it_says_and_waiting(tables_of: TablesOf) -> None:
    lists = {"eligible": "sms/none/morning|email/none/morning"}
    turns = Told(tables_of, 0, decisions=[decided(-1, **lists), decided(10, **lists)]).found.turns
    names = {one.name for one, some in zip(turns.choices, turns.allowed[0], strict=True) if some}
    assert names == {"wait/none/any", "sms/none/morning", "email/none/morning"}


def test_what_needs_an_approval_is_no_choice(tables_of: TablesOf) -> None:
    turns = Told(tables_of, 0, decisions=[decided(-1), decided(10)]).found.turns
    assert not [one.name for one in turns.choices if one.gated]


def test_a_moment_before_an_action_no_longer_configured_is_not_learned_from(tables_of: TablesOf) -> None:
    told = Told(tables_of, 0, 12, decisions=[decided(-1), decided(10, "carrier_pigeon"), decided(20)])
    assert told.quiet.usable.tolist() == [False, True]


def test_of_the_moments_at_most_so_many_are_learned_from(tables_of: TablesOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_SOURCES", 3)
    told = Told(tables_of, *range(1, 20), decisions=[decided(0), decided(25)])
    assert told.quiet.usable.sum() == 3


def test_without_decisions_there_are_no_steps(tables_of: TablesOf) -> None:
    told = Told(tables_of, 0, 10)
    assert (len(told.found.turns), told.quiet.usable.any()) == (0, False)


def test_some_turns_are_the_rows_asked_for(tables_of: TablesOf) -> None:
    turns = Told(tables_of, 0, 15, decisions=[decided(-1), decided(10), decided(20)]).found.turns
    np.testing.assert_array_equal(replace(turns).take(slice(1, 2)).values, turns.values[1:2])
