from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as hs

from domain.bits import lowest, packed, words
from domain.compiled import compiled


@compiled
def lowest_of(word: int) -> int:
    return lowest(word)


def numbers_in(found: np.ndarray) -> list[int]:
    whole = sum(int(word) << 64 * place for place, word in enumerate(found.tolist()))
    return [number for number in range(whole.bit_length()) if whole >> number & 1]


@given(n=hs.integers(0, 200), seed=hs.integers(0, 1_000))
def test_a_packed_set_has_the_numbers_that_were_marked(n: int, seed: int) -> None:
    member = np.random.default_rng(seed).random((3, n)) < 0.3
    found = packed(member)
    assert found.shape == (3, words(n)) and found.dtype == np.uint64
    assert [numbers_in(row) for row in found] == [np.flatnonzero(row).tolist() for row in member]


def test_sets_of_transposed_and_sliced_marks_are_packed_alike() -> None:
    member = np.random.default_rng(0).random((70, 140)) < 0.5
    np.testing.assert_array_equal(packed(member.T[::3]), packed(np.ascontiguousarray(member.T[::3])))


@given(word=hs.integers(0, 2**64 - 1))
def test_the_lowest_number_of_a_word_is_its_lowest_bit_and_64_where_it_has_none(word: int) -> None:
    assert lowest_of(np.uint64(word)) == ((word & -word).bit_length() - 1 if word else 64)
