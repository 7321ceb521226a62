"""Searches of the report: what chance or a hair's breadth explains is no finding, what matters is."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from training.reporting.fairness import ratio_of, ratio_p_value
from training.reporting.intervals import Scored
from training.reporting.policy import ReportPolicy
from training.reporting.slices import Part, gap_p_value, worst_gap, worst_order
from training.reporting.stability import whole_months

World = Callable[..., Scored]


@pytest.fixture
def evidence(policy: ReportPolicy) -> Any:
    """Searches read nothing of the evidence but its policy."""
    return SimpleNamespace(policy=policy)


def biased(rows: Scored, by: float) -> Scored:
    return Scored(rows.paid, np.clip(rows.p + by, 0.001, 0.999), rows.debtor)


def many(world: World, number: int, rows: int = 400) -> list[Part]:
    return [Part.of(str(one), world(rows, seed=one)) for one in range(number)]


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25)
def test_among_a_hundred_sound_parts_no_gap_is_found(world: World, policy: ReportPolicy, seed: int) -> None:
    parts = [Part.of(str(one), world(250, seed=100 * seed + one)) for one in range(100)]
    found, about = worst_gap("SEGMENT_CALIBRATION", parts, SimpleNamespace(policy=policy))  # type: ignore[arg-type]
    assert found is not None and (found.value, about) == (0.0, None)


def test_a_part_that_is_far_off_is_found_among_a_hundred(world: World, evidence: Any) -> None:
    parts = [*many(world, 100), Part.of("off", biased(world(400, seed=999), 0.2))]
    assert worst_gap("SEGMENT_CALIBRATION", parts, evidence)[1] == "off"


def test_a_gap_below_half_the_amber_limit_is_none_however_many_rows_show_it(world: World, evidence: Any) -> None:
    part = Part.of("near", biased(world(100_000, seed=3), 0.02))
    assert worst_gap("SEGMENT_CALIBRATION", [part], evidence)[0].value == 0.0  # type: ignore[union-attr]


def test_a_few_rows_that_all_pay_are_not_certain() -> None:
    rows = Scored(np.ones(30), np.full(30, 0.9), np.arange(30))
    assert gap_p_value(rows, 0.0) > binom.pmf(30, 30, 0.9)


def test_the_test_of_a_gap_keeps_its_error_where_probabilities_are_right() -> None:
    rng, refused = np.random.default_rng(0), 0
    for _ in range(2_000):
        p = rng.beta(8, 1, size=300)
        refused += gap_p_value(Scored((rng.random(300) < p).astype(float), p, np.arange(300)), 0.0) < 0.05
    # 100 of 2,000 are due; half as many again are 5 standard errors above.
    assert refused <= 150


def test_poor_order_in_one_of_many_small_parts_is_taken_for_chance(world: World, evidence: Any) -> None:
    rng = np.random.default_rng(1)
    flat = Scored((rng.random(220) < 0.9).astype(float), rng.random(220), np.arange(220))
    assert worst_order([*many(world, 60), Part.of("flat", flat)], evidence)[1] is None


def test_a_large_part_without_any_order_is_found(world: World, evidence: Any) -> None:
    rng = np.random.default_rng(1)
    flat = Scored((rng.random(3_000) < 0.5).astype(float), rng.random(3_000), np.arange(3_000))
    assert worst_order([*many(world, 60), Part.of("flat", flat)], evidence)[1] == "flat"


def test_a_ratio_of_few_rows_that_chance_explains_is_no_difference() -> None:
    rng = np.random.default_rng(2)
    few, many_rows = (rng.random(size) < 0.1 for size in (60, 5_000))
    ratio = ratio_of(few.astype(float), np.arange(60), many_rows.astype(float), np.arange(5_000))
    assert ratio_p_value(ratio) > 0.01


def test_a_group_of_which_half_as_many_are_selected_is_a_difference() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.random(1_500) < 0.15, rng.random(5_000) < 0.3
    assert ratio_p_value(ratio_of(a.astype(float), np.arange(1_500), b.astype(float), np.arange(5_000))) < 1e-6


@given(st.lists(st.integers(0, 500), min_size=1, max_size=12).filter(any))
def test_every_month_with_rows_is_in_one_span(rows: list[int]) -> None:
    spans = whole_months(np.array(rows))
    assert sorted(month for span in spans for month in span) == [place for place, one in enumerate(rows) if one]


def test_the_first_days_of_a_month_are_no_month() -> None:
    assert whole_months(np.array([30, 400, 380, 20])) == [(0, 1), (2, 3)]
