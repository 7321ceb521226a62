"""Values of steps as files and back: the same types and bits, and no pickle."""

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.calibration import Calibrator
from training.caching.packing import read_value, write_value
from training.payment import Fitted
from training.splits import Split

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)
DTYPES = (np.float64, np.float32, np.int64, np.int32, np.bool_, np.uint8)


def again(folder, value):
    write_value(folder, value)
    return read_value(folder)


def same(one, other):
    """Equal in type and bits; numbers that are none are equal."""
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float):
        return type(other) is float and ((np.isnan(one) and np.isnan(other)) or one.hex() == other.hex())
    return type(one) is type(other) and one == other


@given(value=PLAIN)
def test_plain_values_come_back_as_they_were(tmp_path_factory, value):
    assert same(value, again(tmp_path_factory.mktemp("value"), value))


@given(data=st.binary(max_size=64), kind=st.sampled_from(DTYPES), fortran=st.booleans())
def test_arrays_come_back_to_the_bit(tmp_path_factory, data, kind, fortran):
    width = np.dtype(kind).itemsize
    array = np.frombuffer(data[: len(data) // (2 * width) * 2 * width], dtype=np.uint8).view(kind).reshape(-1, 2)
    array = np.asfortranarray(array) if fortran else array
    found = again(tmp_path_factory.mktemp("array"), {"a": array, "b": [array]})
    for one in (found["a"], found["b"][0]):
        assert (one.dtype, one.shape) == (array.dtype, array.shape)
        assert one.tobytes() == array.tobytes()


def test_numpy_numbers_keep_their_type(tmp_path):
    found = again(tmp_path, (np.float64(0.1), np.int32(3), np.bool_(True)))
    assert [type(one) for one in found] == [np.float64, np.int32, np.bool_]


def test_a_fit_comes_back_as_the_same_trees_and_records(tmp_path):
    rng = np.random.default_rng(0)
    values, label = rng.normal(size=(400, 3)), (rng.random(400) < 0.4).astype(float)
    settings = {"objective": "binary", "verbosity": -1, "num_threads": 1, "num_leaves": 4}
    booster = lgb.train(settings, lgb.Dataset(values, label), 4)
    calibrator = Calibrator.isotonic([-1.0, 0.5, 2.0], [0.1, 0.4, 0.9])
    found = again(tmp_path, Fitted((booster, calibrator), (booster, Calibrator.platt(1.1, 0.2)), rounds=4))
    assert isinstance(found, Fitted) and found.rounds == 4
    assert found.evaluated[0].model_to_string() == booster.model_to_string()
    assert found.evaluated[1].to_json() == calibrator.to_json()
    assert (found.shipped[0].predict(values) == booster.predict(values)).all()


@pytest.mark.parametrize("value", [object(), {1, 2}, np.array([None]), Split])
def test_what_is_not_listed_is_refused(tmp_path, value):
    with pytest.raises(TypeError, match="found a"):
        write_value(tmp_path, value)


def test_no_array_is_read_by_pickle(tmp_path):
    write_value(tmp_path, np.zeros(2))
    with (tmp_path / "arrays.npz").open("wb") as file:
        np.savez(file, a0=np.array([{"harm": 1}], dtype=object))
    with pytest.raises(ValueError, match="allow_pickle"):
        read_value(tmp_path)
