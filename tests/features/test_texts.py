from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as hs

from domain.coded import Coded, coded
from features.texts import coded_from

texts = hs.lists(hs.one_of(hs.none(), hs.sampled_from(["a", "b", "ç", "", "dd"])), max_size=12)


def arrow(values) -> Coded:
    return coded_from(pa.array(values, type=pa.string()).dictionary_encode())


@given(values=texts)
def test_a_column_from_arrow_is_the_column_of_its_texts(values):
    assert arrow(values).decode() == values
    assert list(arrow(values).values) == list(coded(values).values)


@given(left=texts, right=texts)
def test_places_among_others_are_the_same_in_arrow_and_out_of_it(left, right):
    expected = coded(left).among(coded(right), unknown=-2).tolist()
    assert arrow(left).among(arrow(right), unknown=-2).tolist() == expected
    assert arrow(left).among(coded(right), unknown=-2).tolist() == expected


def test_one_text_can_be_read_without_reading_all():
    values = arrow(["x", "y"]).values
    assert (values[1], len(values), "y" in values, list(values[0:1])) == ("y", 2, True, ["x"])
