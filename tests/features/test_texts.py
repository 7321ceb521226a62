from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as hs

from domain.coded import Coded, coded
from features.texts import coded_from, coded_texts

ids = hs.sampled_from(["a", "b", "ç", "", "dd", "D-000017", "D-0000170", "D-0000171", "E-0000170", "D-000017000000017"])
texts = hs.lists(hs.one_of(hs.none(), ids), max_size=12)
wide = hs.sampled_from([pa.string(), pa.large_string()])


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


@pytest.fixture(params=["hashes as they are", "hashes all alike"])
def hashes(request, monkeypatch):
    if request.param == "hashes all alike":
        monkeypatch.setattr("features.distinct.hashes_of", lambda texts: np.ones(len(texts), dtype=np.uint64))


@pytest.mark.usefixtures("hashes")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=texts, kind=wide, skipped=hs.integers(0, 3))
def test_texts_told_apart_by_hashes_are_those_of_the_dictionary_be_the_hashes_alike(values, kind, skipped):
    array = pa.array(values, type=kind).slice(skipped)
    found, expected = coded_texts(array), coded_from(array.dictionary_encode())
    assert found.codes.tolist() == expected.codes.tolist()
    assert list(found.values) == list(expected.values)


@pytest.mark.usefixtures("hashes")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(left=texts, right=texts)
def test_places_among_others_are_found_be_the_hashes_alike(left, right):
    expected = coded(left).among(coded(right), unknown=-2).tolist()
    found = coded_texts(pa.array(left, pa.string())).among(coded_texts(pa.array(right, pa.large_string())), unknown=-2)
    assert found.tolist() == expected


def test_one_text_can_be_read_without_reading_all():
    values = arrow(["x", "y"]).values
    assert (values[1], len(values), "y" in values, list(values[0:1])) == ("y", 2, True, ["x"])
