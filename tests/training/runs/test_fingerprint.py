"""What the fingerprint of the data tells apart, and what it does not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.coded import Coded, coded
from domain.tables import Tables
from training.runs.fingerprint import data_summary

ROWS = st.lists(
    st.tuples(st.one_of(st.none(), st.text(max_size=4)), st.integers(-5, 5), st.floats(allow_infinity=False)),
    min_size=1,
    max_size=12,
)


def table(rows):
    texts, numbers, shares = zip(*rows, strict=True)
    return Tables({"payments": {
        "payment_id": coded(texts), "occurred_at": np.array(numbers, dtype=np.int64), "share": np.array(shares),
    }})  # fmt: skip


def fingerprint(tables):
    return data_summary(tables)["sha256"]


@given(rows=ROWS, seed=st.integers(0, 99))
def test_the_order_of_rows_and_of_codes_changes_nothing(rows, seed):
    shuffled = [rows[place] for place in np.random.default_rng(seed).permutation(len(rows))]
    assert fingerprint(table(rows)) == fingerprint(table(shuffled))


@given(rows=ROWS, place=st.integers(0, 11), new=st.integers(6, 9))
def test_one_other_number_in_one_row_is_other_data(rows, place, new):
    place %= len(rows)
    changed = [(one[0], new, one[2]) if number == place else one for number, one in enumerate(rows)]
    assert fingerprint(table(rows)) != fingerprint(table(changed))


@given(rows=ROWS, place=st.integers(0, 11))
def test_one_other_id_in_one_row_is_other_data(rows, place):
    place %= len(rows)
    changed = [("longer than four", *one[1:]) if number == place else one for number, one in enumerate(rows)]
    assert fingerprint(table(rows)) != fingerprint(table(changed))


def test_values_that_change_rows_are_other_data():
    assert fingerprint(table([("a", 1, 0.0), ("b", 2, 0.0)])) != fingerprint(table([("a", 2, 0.0), ("b", 1, 0.0)]))


def test_a_missing_text_is_not_an_empty_one():
    assert fingerprint(table([("", 1, 0.0)])) != fingerprint(table([(None, 1, 0.0)]))


def test_the_sign_of_zero_and_the_bits_of_a_missing_number_are_no_data():
    other = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)[0]
    assert fingerprint(table([("a", 1, 0.0), ("b", 1, np.nan)])) == fingerprint(
        table([("a", 1, -0.0), ("b", 1, other)])
    )


def test_values_that_no_row_has_are_no_data():
    one = Tables({"accounts": {"account_id": Coded(np.array([0], dtype=np.int32), ("a",))}})
    other = Tables({"accounts": {"account_id": Coded(np.array([1], dtype=np.int32), ("gone", "a"))}})
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize("column", ["payment_id", "occurred_at", "share"])
def test_the_name_of_a_column_is_part_of_the_data(column):
    found = table([("a", 1, 0.5)])
    renamed = {("renamed" if name == column else name): data for name, data in found.columns["payments"].items()}
    assert fingerprint(found) != fingerprint(Tables({"payments": renamed}))


def test_the_fingerprint_is_the_same_on_every_machine():
    assert (
        data_summary(table([("a", 1, 0.5), (None, -3, np.nan)]))["tables"]["payments"]["fingerprint"]
        == "b0ed08bd55467632c167061603547254"
    )
