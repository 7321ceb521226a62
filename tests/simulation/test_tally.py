"""What is still unpaid of the bills of the start, by hand: one account with one bill of 1,000.00."""

from __future__ import annotations

import numpy as np
import pytest

from simulation.agreements import AGREEMENT, SETTLEMENT
from simulation.books import BILL, PARKED
from simulation.states import MAX_OPEN, STATE
from simulation.tally import unpaid

SERIAL = 4
START = np.full((1, MAX_OPEN), -1)
START[0, 0] = SERIAL
OWED = np.zeros((1, MAX_OPEN), dtype=np.int64)
OWED[0, 0] = 100_000


def after(*, serial=SERIAL, cents=100_000, role=BILL, **more):
    state = np.zeros(1, dtype=STATE)
    state["n_open"], state["serial"][0, 0], state["principal"][0, 0], state["role"][0, 0] = 1, serial, cents, role
    for name, value in more.items():
        state[name] = value
    return int(unpaid(state, START, OWED)[0])


def test_a_bill_that_is_gone_is_paid():
    assert after(serial=SERIAL + 1) == 0


def test_a_bill_paid_in_part_is_owed_in_part():
    assert after(cents=40_000) == 40_000


def test_charges_that_came_later_are_not_owed_of_the_start():
    assert after(cents=103_000) == 100_000


@pytest.mark.parametrize(("paid", "left"), [(0, 100_000), (25_000, 75_000), (100_000, 0)])
def test_under_a_running_agreement_the_bill_is_owed_as_far_as_the_agreement_is_unpaid(paid, left):
    agreement = {"promise": 1, "promise_kind": AGREEMENT, "promise_cents": 100_000, "promise_paid": paid}
    assert after(role=PARKED, **agreement) == left


def test_a_settlement_that_is_not_paid_yet_takes_nothing_off():
    assert after(promise=1, promise_kind=SETTLEMENT, promise_cents=75_000) == 100_000


def test_a_place_beyond_the_open_debts_is_no_debt():
    assert after(n_open=0) == 0
