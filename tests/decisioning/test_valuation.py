from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.config import Objective
from decisioning.response import Outcomes
from decisioning.valuation import amount_due_cents, amounts, present_value, worth


def _offer(pct: float = 0.0, instalments: int = 1, unit_cost: float = 0.0, offer_cost: float = 0.0) -> Any:
    return SimpleNamespace(discount_pct=pct, instalments=instalments, unit_cost=unit_cost, offer_cost=offer_cost)


@given(due=st.integers(1_000, 10**10), low=st.floats(0, 98), more=st.floats(1, 50))
def test_a_larger_discount_asks_for_less(due: int, low: float, more: float) -> None:
    found = amounts(np.array([due]), [_offer(low), _offer(min(low + more, 99.9))])
    assert found.offer_cents[0, 1] < found.offer_cents[0, 0] <= due


@given(due=st.integers(0, 10**10), pct=st.floats(0, 99))
def test_offer_and_discount_add_up_to_what_is_due(due: int, pct: float) -> None:
    found = amounts(np.array([due]), [_offer(pct)])
    assert found.offer_cents[0, 0] + found.discount_cents[0, 0] == due


@pytest.mark.parametrize(
    ("balance", "overdue", "due"),
    [(1000, 400, 400), (1000, 0, 1000), (300, 400, 300), (-50, 0, 0), (0, 0, 0)],
    ids=["overdue", "reminder", "credit", "owing nothing and in credit", "owing nothing"],
)
def test_a_decision_is_about_what_is_overdue_or_else_about_the_balance(balance: int, overdue: int, due: int) -> None:
    states = SimpleNamespace(balance_cents=np.array([balance]), overdue_cents=np.array([overdue]))
    assert amount_due_cents(states).tolist() == [due]


def test_net_value_by_hand() -> None:
    actions = [_offer(), _offer(pct=10, unit_cost=0.35)]
    outcomes = Outcomes(*(np.array([pair]) for pair in ([0.2, 0.3], [0.5, 0.6], [0.0, 0.004], [0.0, 0.02])))
    found = worth(outcomes, amounts(np.array([153_000]), actions), actions, Objective(discount_weight=1.0))
    assert found.net_cents[0].tolist() == pytest.approx([15_300.0, 0.3 * 0.6 * 137_700 - 35 - 100 - 20])
    assert found.objective_cents[0, 1] == pytest.approx(found.net_cents[0, 1] - 0.3 * 15_300)


def test_a_plan_is_discounted_to_its_middle() -> None:
    assert present_value([_offer(), _offer(instalments=3)], 0.01).tolist() == pytest.approx([1.0, 1 / 1.01])
