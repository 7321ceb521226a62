"""Money completed by the survival curve of older rows: what is seen stays, what is young is filled in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from training.survival import completed

PAID_AFTER_PAID, PAID_AFTER_MISSED = 0.8, 0.2
MONTHS = 6


def _zeros(rows: int) -> np.ndarray:
    return np.zeros(rows, dtype=np.int64)


@st.composite
def histories(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Months of money that is never negative, for how many of them each row was followed, and groups."""
    rows, months = draw(st.integers(1, 80)), draw(st.integers(1, 5))
    money = st.sampled_from([0.0, 0.0, 0.25, 1.0, 3.5])
    monthly = draw(arrays.arrays(np.float64, (rows, months), elements=money))
    observed = draw(arrays.arrays(np.int64, rows, elements=st.integers(1, months)))
    return monthly, observed, draw(arrays.arrays(np.int64, rows, elements=st.integers(0, 2)))


def _seen(monthly: np.ndarray, observed: np.ndarray) -> np.ndarray:
    return np.where(np.arange(monthly.shape[1])[None, :] < observed[:, None], monthly, 0.0).sum(axis=1)


def test_a_plan_that_missed_goes_on_as_those_that_missed_and_one_that_paid_as_those_that_paid() -> None:
    # Two old plans missed the first month: one brought 1 in the second, one nothing. Both old ones that paid brought 2.
    monthly = np.array([[0.0, 1.0], [0.0, 0.0], [1.0, 2.0], [1.0, 2.0], [0.0, np.nan], [1.0, np.nan]])
    found = completed(monthly, np.array([2, 2, 2, 2, 1, 1]), _zeros(6))
    assert found.tolist() == [1.0, 0.0, 3.0, 3.0, 0.5, 3.0]


def test_a_payment_expected_next_month_changes_what_the_month_after_brings() -> None:
    # Followed for three months: after a missed month comes 1 for half of them; after it always 1 more, otherwise 0.
    monthly = np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [0.0, np.nan, np.nan]])
    found = completed(monthly, np.array([3, 3, 1]), _zeros(3))
    assert found[2] == 0.5 * (1.0 + 1.0) + 0.5 * 0.0


def test_a_month_never_observed_on_any_row_adds_nothing() -> None:
    found = completed(np.array([[2.0, np.nan], [1.0, np.nan]]), np.array([1, 1]), _zeros(2))
    assert found.tolist() == [2.0, 1.0]


@given(given_=histories())
def test_where_everything_was_observed_it_is_the_plain_sum(
    given_: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    monthly, _, group = given_
    everything = np.full(len(monthly), monthly.shape[1])
    assert completed(monthly, everything, group) == pytest.approx(monthly.sum(axis=1))


@given(given_=histories())
def test_it_is_never_below_what_was_seen(given_: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    monthly, observed, group = given_
    assert (completed(monthly, observed, group) >= _seen(monthly, observed) - 1e-12).all()


@given(given_=histories(), beyond=st.sampled_from([np.nan, 1e6, -5.0]))
def test_what_stands_beyond_the_months_observed_is_not_read(
    given_: tuple[np.ndarray, np.ndarray, np.ndarray], beyond: float
) -> None:
    monthly, observed, group = given_
    young = np.arange(monthly.shape[1])[None, :] >= observed[:, None]
    other = np.where(young, beyond, monthly)
    assert completed(other, observed, group).tolist() == completed(monthly, observed, group).tolist()


@given(given_=histories())
def test_the_order_of_the_rows_changes_nothing(given_: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    monthly, observed, group = given_
    back = completed(monthly[::-1], observed[::-1], group[::-1])[::-1]
    assert back == pytest.approx(completed(monthly, observed, group))


def _chain(rows: int, rng: np.random.Generator) -> np.ndarray:
    """Months of 1 or 0 by a Markov chain that starts with a payment in half of the rows."""
    paid = np.zeros((rows, MONTHS))
    paid[:, 0] = rng.random(rows) < 0.5
    for month in range(1, MONTHS):
        chance = np.where(paid[:, month - 1] > 0, PAID_AFTER_PAID, PAID_AFTER_MISSED)
        paid[:, month] = rng.random(rows) < chance
    return paid


def _expected_of_a_young_row(state: int) -> float:
    """The first month, and the expectation of the others, by the powers of the transition matrix."""
    step = np.array([[1 - PAID_AFTER_MISSED, PAID_AFTER_MISSED], [1 - PAID_AFTER_PAID, PAID_AFTER_PAID]])
    later = sum(float(np.linalg.matrix_power(step, month)[state, 1]) for month in range(1, MONTHS))
    return state + later


@pytest.mark.parametrize("state", [0, 1])
def test_young_rows_get_the_expectation_of_a_known_markov_chain_from_old_ones(state: int) -> None:
    rows = 8_000
    monthly = _chain(rows, np.random.default_rng(4))
    young = np.arange(rows) % 2 == 0
    found = completed(
        np.where(young[:, None] & (np.arange(MONTHS) > 0), np.nan, monthly), _followed(young), _zeros(rows)
    )
    asked = young & (monthly[:, 0] == state)
    # The fill is no better than a mean over the ~2,000 old rows of this state would be by its own months to come.
    old = ~young & (monthly[:, 0] == state)
    tolerance = 4.0 * monthly[old, 1:].sum(axis=1).std() / np.sqrt(old.sum())
    assert found[asked] == pytest.approx(_expected_of_a_young_row(state), abs=tolerance)


def _followed(young: np.ndarray) -> np.ndarray:
    return np.where(young, 1, MONTHS)


def _two_groups(old_rows_of_the_second: int) -> float:
    """What a young row of the second group gets, where its own old rows go on to bring 5, and the first's nothing."""
    old = np.array([[1.0, 0.0]] * 60 + [[1.0, 5.0]] * old_rows_of_the_second)
    monthly = np.vstack([old, [[1.0, np.nan]]])
    observed = np.array([2] * len(old) + [1])
    group = np.array([3] * 60 + [12] * (old_rows_of_the_second + 1))
    return float(completed(monthly, observed, group)[-1])


def test_a_group_with_enough_rows_has_a_curve_of_its_own() -> None:
    assert _two_groups(30) == 1.0 + 5.0


def test_a_group_with_too_few_rows_shares_the_curve_of_all() -> None:
    assert _two_groups(29) == pytest.approx(1.0 + 29 * 5.0 / 89)
