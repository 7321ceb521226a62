"""Policies side by side: differences are paired by debtor, and nothing is compared that both did alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from simulation.comparison import compare, net
from simulation.states import MAX_OPEN
from simulation.tally import Tally
from simulation.truth import Objective

SIZE = 40
DEBTOR = np.arange(SIZE) // 2
AMOUNTS = arrays.arrays(np.float64, SIZE, elements=st.floats(0, 1_000, width=32))
COUNTS = arrays.arrays(np.int64, SIZE, elements=st.integers(0, 3))


def tally(received, *, contact=0.0, complaints=0, opt_outs=0, unpaid=50):
    none = np.zeros(SIZE, dtype=np.int64)
    cents = np.zeros((SIZE, MAX_OPEN), dtype=np.int64)
    cents[:, 0] = 100
    return Tally(
        received=np.broadcast_to(received, SIZE).astype(float), contact_cost=np.full(SIZE, contact),
        benefit_cost=np.zeros(SIZE), forgiven=np.zeros(SIZE), attempts=none, decisions=none,
        complaints=none + complaints, opt_outs=none + opt_outs, start=np.zeros_like(cents), start_cents=cents,
        unpaid_cents=none + unpaid,
    )  # fmt: skip


@given(received=AMOUNTS, complaints=COUNTS, opt_outs=COUNTS)
def test_net_money_is_what_was_received_less_every_cost(received, complaints, opt_outs):
    found = net(tally(received, contact=2.0, complaints=complaints, opt_outs=opt_outs), Objective())
    assert found == pytest.approx(received - 2.0 - 250.0 * complaints - 10.0 * opt_outs)


@settings(max_examples=10)
@given(received=AMOUNTS)
def test_a_policy_differs_from_itself_by_nothing(received):
    one = compare({"a": tally(received)}, reference="a", debtor=DEBTOR)["a"]
    for found in (one.net_difference, one.unpaid_share_difference, one.contact_cost_difference):
        assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


@settings(max_examples=10)
@given(received=AMOUNTS)
def test_luck_that_is_shared_is_in_no_interval(received):
    found = compare({"a": tally(received), "b": tally(received + 3.0)}, reference="a", debtor=DEBTOR)["b"]
    assert [found.net_difference.low, found.net_difference.high] == pytest.approx([3.0, 3.0], abs=1e-3)


def test_accounts_of_a_debtor_are_drawn_together():
    gain = np.random.default_rng(0).normal(size=SIZE // 2).repeat(2) * 10.0
    policies = {"a": tally(0.0), "b": tally(gain)}
    apart = compare(policies, reference="a", debtor=np.arange(SIZE))["b"].net_difference
    together = compare(policies, reference="a", debtor=DEBTOR)["b"].net_difference
    # Two accounts that gain alike say no more than one: the interval is √2 times as wide.
    assert (together.high - together.low) / (apart.high - apart.low) == pytest.approx(2**0.5, rel=0.15)


def test_the_unpaid_share_is_by_amount():
    found = compare({"a": tally(0.0, unpaid=25)}, reference="a", debtor=DEBTOR)["a"]
    assert found.unpaid_share == 0.25


def test_the_same_policies_give_the_same_intervals():
    gain = np.arange(SIZE, dtype=float)
    twice = [compare({"a": tally(0.0), "b": tally(gain)}, reference="a", debtor=DEBTOR) for _ in range(2)]
    assert twice[0] == twice[1]
