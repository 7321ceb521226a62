"""The direction check: what it says of a model whose every curve is known, and of boosters held to directions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.boosting import Columns, Recipe, fit_rounds, margins
from training.config import ModelConfig
from training.directions import CHECKED_ROWS, check_directions
from training.metrics import Floats

ROWS = np.column_stack([np.linspace(0.0, 1.0, 101), np.tile([0.0, 1.0], 51)[:101]])


def columns(*directions: int) -> Columns:
    return Columns(tuple(f"f{place}" for place in range(len(directions))), (), directions)


def rising(values: Floats) -> Floats:
    return np.asarray(0.2 + 0.5 * values[:, 0])


def crossed(values: Floats) -> Floats:
    """Rises with the first column where the second is 1, and falls by half as much elsewhere."""
    return np.asarray(0.5 + np.where(values[:, 1] > 0, 0.4, -0.2) * values[:, 0])


def test_a_model_that_rises_as_expected_has_nothing_against_it():
    found = check_directions(rising, ROWS, columns(1, 0))
    assert (found["features"], found["agree"], found["share_of_rows"], found["largest"]) == (1, 1, 0.0, 0.0)


def test_a_model_that_rises_where_it_should_fall_is_told_by_how_much():
    (one,) = check_directions(rising, ROWS, columns(-1, 0))["by_feature"]
    assert (one["share_of_rows"], one["effect"]) == (1.0, pytest.approx(0.5))
    assert (one["against"], one["largest"]) == (pytest.approx(0.5), pytest.approx(0.5))


def test_rows_that_run_against_are_counted_though_the_mean_does_not():
    found = check_directions(crossed, ROWS, columns(1, 0))
    assert found["agree"] == 1
    assert found["share_of_rows"] == pytest.approx(51 / 101)
    assert found["largest"] == pytest.approx(0.2)


def test_a_constant_column_and_one_without_direction_are_not_checked():
    values = np.column_stack([ROWS, np.full(101, 3.0)])
    assert check_directions(rising, values, columns(0, 0, 1))["features"] == 0


def test_missing_values_have_no_place_in_the_order():
    values = ROWS.copy()
    values[:50, 0] = np.nan
    (one,) = check_directions(rising, values, columns(1, 0))["by_feature"]
    assert one["effect"] == pytest.approx(0.25)


def test_the_worst_feature_stands_first():
    found = check_directions(lambda values: 0.3 + 0.3 * values[:, 0] - 0.1 * values[:, 1], ROWS, columns(-1, 1))
    assert [one["feature"] for one in found["by_feature"]] == ["f0", "f1"]


def test_no_more_rows_are_read_than_said():
    assert check_directions(rising, np.repeat(ROWS, 10, axis=0), columns(1, 0))["rows"] == CHECKED_ROWS


@given(st.sampled_from(["basic", "intermediate", "advanced"]), st.integers(0, 10_000))
def test_a_booster_held_to_a_direction_never_runs_against_it(method, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(300, 3))
    paid = (rng.random(300) < 0.5 - 0.3 * np.tanh(values[:, 0] + values[:, 1])).astype(np.float64)
    recipe = Recipe("binary", ModelConfig(threads=1, max_leaves=7, min_rows_per_leaf=10, monotone=method))
    booster = fit_rounds(recipe, columns(1, -1, 0), data=(values, paid), rounds=10)
    found = check_directions(lambda asked: margins(booster, asked, threads=1), values, columns(1, -1, 0))
    assert (found["agree"], found["largest"]) == (2, 0.0)


def test_without_the_option_a_booster_is_free_to_follow_the_data():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2_000, 1))
    paid = (values[:, 0] < 0).astype(np.float64)
    booster = fit_rounds(Recipe("binary", ModelConfig(threads=1)), columns(1), data=(values, paid), rounds=10)
    assert check_directions(lambda asked: margins(booster, asked, threads=1), values, columns(1))["agree"] == 0
