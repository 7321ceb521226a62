from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics import METRICS, cluster_weights, interval
from training.reporting.calibration_tests import brier_parts
from training.reporting.certainty import UNSAID, of_light, without_interval
from training.reporting.intervals import Scored, mean_figure, rate_of, share_of
from training.reporting.lights import Figure, judge
from training.reporting.parts import Column, table
from training.reporting.policy import ReportPolicy
from training.reporting.resampling import brier_parts_of, ece_of
from training.reporting.words import every_text

World = Callable[..., Scored]


def test_a_number_that_nobody_gave_a_reason_for_is_found() -> None:
    assert without_interval(table("any", (Column("new_metric"),), [(0.5,)])) == {"new_metric": UNSAID}


def test_a_figure_with_an_interval_needs_no_reason() -> None:
    assert without_interval(table("any", (Column("new_metric"),), [(Figure(0.5, 0.4, 0.6, 10),)])) == {}


def test_a_figure_that_is_not_known_needs_no_reason() -> None:
    assert without_interval(table("any", (Column("new_metric"),), [(Figure(None, n=3),), (None,)])) == {}


def test_a_figure_of_too_few_rows_says_so() -> None:
    assert without_interval(table("any", (Column("rate"),), [(Figure(0.5, n=1),)])) == {"rate": "too_few"}


def test_counts_and_words_need_no_interval() -> None:
    columns = (Column("rows", "count"), Column("verdict", "word"), Column("rejected", "bool"))
    assert without_interval(table("any", columns, [(3, "better", True)])) == {}


def test_the_same_column_may_have_an_interval_in_one_table_and_a_reason_in_another() -> None:
    found = [without_interval(table(name, (Column("auc"),), [(0.5,)])) for name in ("heads", "by_month")]
    assert found == [{"auc": "kept_without"}, {"auc": UNSAID}]


def test_a_light_without_sampling_error_says_that_it_was_counted(policy: ReportPolicy) -> None:
    assert of_light(judge("DATA_CRITICAL", Figure(0), policy)) == "counted"


def test_every_reason_has_words() -> None:
    from training.reporting.certainty import _REASONS

    assert not [one for one in (*_REASONS, "too_few", UNSAID) if f"certain.{one}" not in every_text()]


@given(seed=st.integers(0, 10_000), per_debtor=st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_calibration_error_and_briers_parts_are_those_without_intervals(
    world: World, seed: int, per_debtor: int
) -> None:
    rows = world(400, seed=seed, per_debtor=per_debtor)
    parts, found = brier_parts(rows.paid, rows.p, 10), brier_parts_of(rows, 10)
    expected = METRICS["ece"](rows.paid, rows.p, np.ones(len(rows)))
    assert ece_of(rows).value == pytest.approx(expected, abs=1e-12)
    assert {name: one.value for name, one in found.items()} == pytest.approx(
        {name: getattr(parts, name) for name in found}, abs=1e-12
    )


def test_drawing_blocks_is_as_wide_as_drawing_debtors(world: World) -> None:
    rows = world(8_000, per_debtor=2)
    weights = cluster_weights(rows.debtor.astype(np.int32), replications=400, rng=np.random.default_rng(1))
    low, high = interval(METRICS["ece"](rows.paid, rows.p, weights))
    found = ece_of(rows)
    # The width of a percentile interval of 200 draws is itself known to about 15 %.
    assert found.high - found.low == pytest.approx(high - low, rel=0.3)


def test_the_same_rows_have_the_same_interval_at_every_report(world: World) -> None:
    assert ece_of(world()) == ece_of(world())


def test_a_share_of_all_rows_is_their_mean(world: World) -> None:
    rows = world(600, per_debtor=3)
    found, mean = share_of(rows.paid, np.ones(len(rows)), rows.debtor), mean_figure(rows.paid, rows.debtor)
    assert (found.value, found.low, found.high) == pytest.approx((mean.value, mean.low, mean.high), abs=1e-12)


def test_a_share_of_nothing_is_not_known() -> None:
    assert share_of(np.zeros(3), np.zeros(3), np.arange(3)).value is None


@given(payers=st.integers(0, 50), rows=st.integers(1, 50))
def test_a_rate_lies_in_its_interval_and_that_within_0_and_1(payers: int, rows: int) -> None:
    value = min(payers, rows) / rows
    found = rate_of(value, rows)
    assert found.low is not None and found.high is not None
    assert -1e-12 <= found.low <= value + 1e-12 and value - 1e-12 <= found.high <= 1.0 + 1e-12


def test_rows_of_few_debtors_widen_the_interval_of_a_rate() -> None:
    alone, together = rate_of(0.3, 1_000), rate_of(0.3, 1_000, 100)
    assert (together.low or 0.0) < (alone.low or 0.0)
