from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.reporting.twins import twins
from training.splits import Split

NUMBERS = st.sampled_from([0.0, 1.0, 2.5, float("nan"), float("inf")])


@given(st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=40), st.integers(0, 3))
def test_twins_are_the_pairs_that_a_comparison_of_all_rows_finds(rows, left):
    values = np.array(rows)
    place = np.arange(len(rows))
    test, train = place[place % 4 > left], place[place % 4 < left]
    nothing = np.zeros(0, dtype=np.int64)
    found = twins(values, Split(train, nothing, test, 0, 0, dropped=0))

    def same(one: int, other: int) -> bool:
        return np.array_equal(values[one], values[other], equal_nan=True)

    assert found == {
        "rows": len(test),
        "in_test": sum(any(same(one, other) for other in test if other != one) for one in test),
        "in_train": sum(any(same(one, other) for other in train) for one in test),
    }
