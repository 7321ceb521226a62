from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.engine import decide, rehearse
from decisioning.response import Outcomes
from decisioning.targeting import NO_CONTACT, LeftAlone, by_self_cure, targeting
from domain.actions import WAIT, Action
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


@dataclass(frozen=True)
class Told:
    """A response model that is told: ``waits`` and ``contacted`` (n,) are the probabilities of paying in full."""

    waits: np.ndarray
    contacted: np.ndarray

    def outcomes(self, _values: Any, _schema: Any, actions: Sequence[Action], **_: Any) -> Outcomes:
        waiting = np.array([action.is_wait for action in actions])
        p_pay = np.where(waiting, self.waits[:, None], self.contacted[:, None])
        none = np.zeros_like(p_pay)
        return Outcomes(p_pay, p_complaint=none, p_opt_out=none, share=none + 1.0, late=none)


@pytest.fixture
def worked(bundle: Any, desk: Any) -> list[dict[str, Any]]:
    """Three accounts that owe 1,000.00: one pays anyway, one pays when asked, one does not pay whatever is done."""
    values = np.zeros((3, len(bundle.schema.names)))
    for name in ("balance_cents", "overdue_cents"):
        values[:, bundle.schema.index[name]] = 100_000
    told = Told(np.array([0.95, 0.25, 0.01]), np.array([0.95, 0.50, 0.01]))
    return by_self_cure(rehearse(values, replace(bundle, response=told), desk=desk))


def test_who_will_not_pay_and_who_pays_anyway_are_left_alone_and_only_who_can_be_moved_is_contacted(
    worked: list[dict[str, Any]],
) -> None:
    found = [(row["p_pay_low"], row["mostly"], row["left_alone"]) for row in worked]
    assert found == [(0.0, "leave_alone", 1.0), (0.1, "contact", 0.0), (0.6, "leave_alone", 1.0)]


def test_the_worth_of_waiting_is_what_comes_in_by_itself(worked: list[dict[str, Any]]) -> None:
    assert [row["waiting_value"] for row in worked] == [10.0, 250.0, 950.0]


def test_a_contact_gains_what_it_moves_less_what_it_costs(worked: list[dict[str, Any]], desk: Any) -> None:
    cheapest = min(action.unit_cost for action in desk.catalogue.actions if not action.is_wait and not action.gated)
    gains = [row["gain"] for row in worked]
    assert gains == [0.0, pytest.approx(250.0 - cheapest, abs=0.005), 0.0]


@st.composite
def left_alone(draw: st.DrawFn) -> LeftAlone:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(0, 40))
    waiting = rng.normal(size=n) * 1e5
    return LeftAlone(rng.random(n), waiting, waiting + rng.random(n) * 1e4, rng.integers(0, 2, n))


@given(found=left_alone())
def test_every_account_stands_in_the_band_of_its_self_cure(found: LeftAlone) -> None:
    for row in by_self_cure(found):
        inside = (found.p_pay >= row["p_pay_low"]) & (found.p_pay < row["p_pay_high"])
        assert row["accounts"] == inside.sum()
    assert sum(row["accounts"] for row in by_self_cure(found)) == len(found.p_pay)


@given(found=left_alone())
def test_the_gains_of_the_bands_add_up_to_what_the_choices_add(found: LeftAlone) -> None:
    total = sum(row["accounts"] * row["gain"] for row in by_self_cure(found))
    # Each band's gain per account is rounded to a cent.
    assert total == pytest.approx((found.chosen_cents - found.waiting_cents).sum() / 100.0, abs=0.005 * 40 + 1e-6)


def test_a_rehearsal_keeps_the_rules_that_features_can_tell(bundle: Any, desk: Any) -> None:
    nothing_owed = np.zeros((1, len(bundle.schema.names)))
    eager = replace(bundle, response=Told(np.array([0.0]), np.array([1.0])))
    assert not rehearse(nothing_owed, eager, desk=desk).contacted.any()


def test_rehearsing_page_by_page_is_rehearsing_at_once(bundle: Any, desk: Any, world: Any) -> None:
    rows = np.abs(np.nan_to_num(world.values)) * 1e5
    whole = rehearse(rows, bundle, desk=desk)
    parts = LeftAlone.together([rehearse(rows[:7], bundle, desk=desk), rehearse(rows[7:], bundle, desk=desk)])
    assert np.array_equal(whole.chosen_cents, parts.chosen_cents)
    assert np.array_equal(whole.contacted, parts.contacted)
