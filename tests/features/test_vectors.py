from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.vectors import Vector, sample_lines

VECTOR = Vector("a1", 1_772_452_800_123_456, "f" * 64, "7", frozenset({"debts"}), frozenset({"payments"}), 0, (1.0,))
finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(finite, max_size=20), st.integers(0, 4_000_000_000_000_000))
def test_a_vector_comes_back_from_its_line_to_the_bit(values: list[float], as_of_us: int) -> None:
    vector = replace(VECTOR, values=tuple(values), as_of_us=as_of_us)
    back = Vector.from_line(vector.to_line())
    assert back == vector
    assert [math.copysign(1, value) for value in back.values] == [math.copysign(1, value) for value in values]


def test_a_missing_value_is_null_and_comes_back_missing() -> None:
    line = replace(VECTOR, values=(math.nan, 2.0)).to_line()
    assert line.endswith('"values":[null,2.0]}')
    assert math.isnan(Vector.from_line(line).values[0])


@given(st.integers(0, len(VECTOR.to_line()) - 1))
def test_a_torn_line_is_never_read_as_a_vector(length: int) -> None:
    with pytest.raises(ValueError):
        Vector.from_line(VECTOR.to_line()[:length])


@pytest.mark.parametrize("line", ["[]", "1", '{"account_id": "a1"}'])
def test_another_line_is_no_vector(line: str) -> None:
    with pytest.raises(ValueError, match="no logged vector"):
        Vector.from_line(line)


@given(st.integers(0, 60), st.integers(1, 40), st.integers(0, 9))
def test_a_sample_is_as_large_as_it_can_be_and_stands_in_order(logged: int, size: int, seed: int) -> None:
    lines = [f"{number:03d}\n" for number in range(logged)]
    drawn, seen = sample_lines(lines, size, rng=np.random.default_rng(seed))
    assert (len(drawn), seen) == (min(size, logged), logged)
    assert drawn == sorted(set(drawn))


def test_every_line_has_the_same_chance_to_be_drawn() -> None:
    rng, runs = np.random.default_rng(2), 3_000
    lines = [str(number) for number in range(10)]
    counts = np.zeros(10)
    for _ in range(runs):
        for line in sample_lines(lines, 3, rng=rng)[0]:
            counts[int(line)] += 1
    # Within four standard errors of the three draws in ten.
    assert np.abs(counts / runs - 0.3).max() < 4 * math.sqrt(0.3 * 0.7 / runs)
