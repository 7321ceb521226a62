from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from decisioning.engine import decide
from decisioning.targeting import NO_CONTACT, targeting
from domain.actions import WAIT
from domain.clock import parse_moment
from domain.decisions import Decision

AS_OF = parse_moment("2026-03-02T12:30:00Z")


@pytest.fixture(scope="module")
def decided(encoded: Any, bundle: Any, desk: Any) -> list[Decision]:
    return decide(encoded, as_of=AS_OF, bundle=bundle, desk=desk)


def one(like: Decision, p_pay: float, *, chosen: str, added: int, second: int | None = None) -> Decision:
    """A decision with the chosen action's incremental cents, and a contact as runner-up where ``second`` is given."""
    picked = replace(like.chosen, action=chosen, incremental_net_cents=added, expected_cost_cents=50.0)
    other = None if second is None else replace(picked, action="sms/none/morning", incremental_net_cents=second)
    return replace(like, action=chosen, p_pay={30: p_pay}, chosen=picked, runner_up=other)


def test_every_account_stands_in_one_cell(decided: list[Decision]) -> None:
    assert sum(row["accounts"] for row in targeting(decided, horizon_days=30)) == len(decided)


def test_the_cells_add_up_to_what_the_decisions_add(decided: list[Decision]) -> None:
    total = sum(row["incremental_net_value"] for row in targeting(decided, horizon_days=30))
    assert total == pytest.approx(sum(found.chosen.incremental_net_cents for found in decided) / 100)


def test_who_waits_is_told_by_what_the_best_contact_could_have_added(decided: list[Decision]) -> None:
    payer = one(decided[0], 0.9, chosen=WAIT, added=0, second=-30)
    row = targeting([payer], horizon_days=30)[0]
    assert (row["p_pay"], row["contact_could_add"], row["contacted"]) == ("60% to 100%", "nothing", 0)


def test_an_explored_choice_moves_no_account_to_another_cell(decided: list[Decision]) -> None:
    explored = one(decided[0], 0.2, chosen="email/none/morning", added=-500, second=2_000)
    assert targeting([explored], horizon_days=30)[0]["contact_could_add"] == "10 to 100"


def test_an_account_that_no_contact_was_allowed_for_says_so(decided: list[Decision]) -> None:
    alone = one(decided[0], 0.2, chosen=WAIT, added=0)
    assert targeting([alone], horizon_days=30)[0]["contact_could_add"] == NO_CONTACT


def test_costs_and_contacts_are_of_what_was_chosen(decided: list[Decision]) -> None:
    called = one(decided[0], 0.2, chosen="sms/none/morning", added=300)
    row = targeting([called, called], horizon_days=30)[0]
    assert (row["contacted"], row["cost"], row["incremental_net_value"]) == (2, 1.0, 6.0)
