from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.config import Objective
from decisioning.response import Outcomes
from decisioning.valuation import amount_due_cents, amounts, present_value, recovered_cents, worth


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
    pairs = ([0.2, 0.3], [0.0, 0.004], [0.0, 0.02], [0.5, 0.6], [0.1, 0.15])
    found = worth(
        Outcomes(*(np.array([pair]) for pair in pairs)), amounts(np.array([153_000]), actions), actions,
        Objective(discount_weight=1.0),
    )  # fmt: skip
    # Waiting: 15,300 from those who pay, 12,240 later from the others. Who does not take the discount owes it all.
    offered = 0.3 * 0.6 * 137_700 + 0.7 * 0.15 * 153_000
    assert found.recovered_cents[0].tolist() == pytest.approx([15_300.0 + 12_240.0, offered])
    assert found.net_cents[0].tolist() == pytest.approx([27_540.0, offered - 35 - 100 - 20])
    assert found.objective_cents[0, 1] == pytest.approx(found.net_cents[0, 1] - 0.3 * 15_300)


def test_a_plan_is_discounted_to_its_middle() -> None:
    assert present_value([_offer(), _offer(instalments=3)], 0.01).tolist() == pytest.approx([1.0, 1 / 1.01])


_PROBABILITY = st.floats(0.0, 1.0)


def _recovered(p: float, share: float, late: float, *, instalments: int = 1) -> float:
    outcomes = Outcomes(*(np.array([[value]]) for value in (p, 0.0, 0.0, share, late)))
    asked = amounts(np.array([100_000]), [_offer(instalments=instalments)])
    return float(recovered_cents(outcomes, asked, present_value([_offer(instalments=instalments)], 0.01))[0, 0])


@given(low=_PROBABILITY, high=_PROBABILITY, late=_PROBABILITY, more=_PROBABILITY)
def test_a_likelier_payment_never_brings_less_where_payers_bring_at_least_what_comes_late(
    low: float, high: float, late: float, more: float
) -> None:
    share = late + more * (1.0 - late)
    low, high = min(low, high), max(low, high)
    assert _recovered(low, share, late) <= _recovered(high, share, late) + 1e-6


@given(p=_PROBABILITY, share=_PROBABILITY, instalments=st.integers(1, 24))
def test_where_nothing_comes_late_money_is_probability_times_share_of_the_offer(
    p: float, share: float, instalments: int
) -> None:
    found = _recovered(p, share, 0.0, instalments=instalments)
    assert found == pytest.approx(p * share * 100_000 * 1.01 ** (-(instalments - 1) / 2), abs=1e-6)


@given(p=_PROBABILITY, share=_PROBABILITY, late=_PROBABILITY)
def test_expected_money_lies_between_what_payers_and_what_the_others_bring(p: float, share: float, late: float) -> None:
    low, high = sorted((100_000 * share, 100_000 * late))
    assert low - 1e-6 <= _recovered(p, share, late) <= high + 1e-6
