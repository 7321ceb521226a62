from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.clock import MISSING
from domain.money import from_cents, one_to_cents, to_cents

CENTS = st.integers(-(10**12), 10**12)


@given(cents=CENTS)
def test_cents_survive_the_edge(cents):
    assert one_to_cents(from_cents(cents)) == cents
    assert to_cents(np.array([from_cents(cents)]))[0] == cents


@given(thousandths=st.integers(-(10**9), 10**9))
def test_a_third_decimal_is_rounded_half_to_even_as_it_is_written(thousandths):
    written = Decimal(thousandths) / 1000
    expected = int((written * 100).quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
    assert one_to_cents(float(written)) == expected == to_cents(np.array([float(written)]))[0]


@pytest.mark.parametrize(("amount", "cents"), [(2.675, 268), (1.005, 100), (0.125, 12), (-0.125, -12), (1e9, 10**11)])
def test_well_known_traps_of_binary_fractions(amount, cents):
    assert one_to_cents(amount) == cents


def test_no_amount_is_missing():
    assert to_cents(np.array([np.nan, 1.0])).tolist() == [MISSING, 100]
