import numpy as np

from domain.clock import FOREVER
from training.reversals import apply_reversals


def undo(rows: list[tuple[int, int, int, int]]) -> tuple[list[int], list[int]]:
    account, at_us, amount, debt = (np.array(column) for column in zip(*rows, strict=True))
    left, reversed_us = apply_reversals(account.astype(np.int32), at_us, amount, debt=debt.astype(np.int32))
    return left.tolist(), reversed_us.tolist()


def test_a_reversal_undoes_the_latest_earlier_payment_of_its_amount_and_debt() -> None:
    _, reversed_us = undo([(0, 1, 100, 7), (0, 2, 100, 7), (0, 3, 50, 7), (0, 4, -100, 7)])
    assert reversed_us == [FOREVER, 4, FOREVER, FOREVER]


def test_a_partial_reversal_leaves_the_payment_standing_with_the_rest() -> None:
    left, reversed_us = undo([(0, 1, 100, 7), (0, 2, -30, 7)])
    assert (left[0], reversed_us[0]) == (70, FOREVER)


def test_a_reversal_without_debt_reaches_any_payment_of_the_account_and_no_other_account() -> None:
    _, reversed_us = undo([(0, 1, 100, 7), (1, 1, 100, 7), (0, 2, -100, -1)])
    assert reversed_us[:2] == [2, FOREVER]


def test_a_reversal_before_any_payment_is_ignored() -> None:
    left, reversed_us = undo([(0, 5, 100, 7), (0, 2, -100, 7)])
    assert (left[0], reversed_us[0]) == (100, FOREVER)


def test_one_large_reversal_undoes_several_payments_latest_first() -> None:
    left, reversed_us = undo([(0, 1, 100, 7), (0, 2, 100, 7), (0, 3, -150, 7)])
    assert (left[0], reversed_us[0], reversed_us[1]) == (50, FOREVER, 3)
