"""Origins that know nothing of what came after them, and figures on rows whose truth is made up."""

import json
from pathlib import Path

import numpy as np
import pytest

from domain.clock import US_PER_DAY
from domain.errors import NotEnoughDataError
from domain.tables import Tables
from training.backtesting.backtest import as_json, as_markdown, backtest, metrics_of
from training.backtesting.judging import by_segment, judged, taken, together
from training.backtesting.origins import Later, moments_of, origin_at, world_of
from training.runs.configs import Configs

SETTINGS = "model: {threads: 1, max_rounds: 8, max_leaves: 7}\nsampling: {max_rows: 3000}\n"


def silent(_step, _share):
    return None


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("configs")
    for name in ("actions.yaml", "features.yaml"):
        (folder / name).write_bytes((Path("configs") / name).read_bytes())
    (folder / "training.yaml").write_text(SETTINGS, encoding="utf-8")
    (folder / "decision.yaml").write_text("horizon_days: [7, 30]\n", encoding="utf-8")
    return Configs.load(folder)


@pytest.fixture(scope="module")
def found(portfolio, loaded):
    return backtest(portfolio, loaded, origins=2, window_days=30, on_step=silent)


def without_payments_from(tables, at_us):
    keep = np.flatnonzero(tables.ints("payments", "recorded_at") < at_us)
    cut = {
        name: data.take(keep) if hasattr(data, "take") and not isinstance(data, np.ndarray) else data[keep]
        for name, data in tables.columns["payments"].items()
    }
    return Tables({**tables.columns, "payments": cut})


def test_what_is_paid_after_an_origin_changes_what_came_and_nothing_of_the_model(portfolio, loaded):
    world = world_of(portfolio, loaded, window_days=30)
    at_us = moments_of(world, 1)[0]
    origin = origin_at(world, at_us)
    # The same end of the data, so that the same rows are asked about.
    poorer = world_of(without_payments_from(portfolio, at_us), loaded, window_days=30)
    other = origin_at(type(world)(poorer.tables, poorer.encoded, loaded, world.end_us, 30), at_us)
    texts = [one.fitted.shipped[0].model_to_string() for one in (origin, other)]
    assert texts[0] == texts[1]
    assert (origin.later.received_cents.sum() > 0, other.later.received_cents.sum()) == (True, 0)


def test_windows_follow_each_other_and_the_last_is_mature_when_the_data_end(portfolio, loaded):
    world = world_of(portfolio, loaded, window_days=20)
    moments = moments_of(world, 3)
    assert np.diff(moments).tolist() == [20 * US_PER_DAY] * 2
    assert moments[-1] + (20 + 30 + loaded.training.posting_lag_days) * US_PER_DAY == world.end_us


def test_every_origin_has_every_figure_with_its_interval(found):
    for one in found["origins"]:
        for name in ("auc", "log_loss", "slope", "expected_over_received"):
            assert one[name]["low"] <= one[name]["value"] <= one[name]["high"]
        # A redrawn sample is always less calibrated than the one at hand.
        assert 0 <= one["ece"]["value"] <= one["ece"]["high"]


def test_segments_part_the_rows_of_all_origins(found):
    assert sum(one["rows"] for one in found["segments"]) == sum(one["rows"] for one in found["origins"])


def test_the_learning_curve_grows_to_all_training_rows_and_is_judged_on_the_same_rows(found):
    curve = found["learning_curve"]
    counts = [one["training_rows"] for one in curve]
    assert counts == sorted(counts) and counts[0] < counts[-1]
    assert {one["rows"] for one in curve} == {found["origins"][-1]["rows"]}


def test_both_files_tell_every_origin(found):
    text = as_markdown(found).decode()
    assert all(one["origin"] in text for one in found["origins"])
    assert json.loads(as_json(found)) == found


def test_the_metrics_of_an_origin_have_their_bounds(found):
    metrics = metrics_of(found["origins"][0])
    assert metrics["auc_low"] <= metrics["auc"] <= metrics["auc_high"]


def test_an_origin_before_there_was_enough_is_told_and_the_others_are_made(portfolio, loaded):
    told = backtest(portfolio, loaded, origins=2, window_days=500, curve=False, on_step=silent)["origins"]
    assert "not_measured" in told[0] and "auc" in told[1]
    assert "not measured" in as_markdown({
        "horizon_days": 30, "window_days": 500, "currency": "BRL", "origins": told, "segments": [], "learning_curve": []
    }).decode()  # fmt: skip


def test_no_origin_at_all_is_refused_with_the_reason(portfolio, loaded):
    with pytest.raises(NotEnoughDataError, match="no origin of 1"):
        backtest(portfolio, loaded, origins=1, window_days=1_000, on_step=silent)


def rows(n=4_000, *, money=1.0):
    rng = np.random.default_rng(4)
    p = rng.uniform(0.05, 0.95, n)
    paid = (rng.random(n) < p).astype(float)
    return Later(p, paid, np.arange(n, dtype=np.int32), rng.uniform(-5, 400, n), 100.0 * p, 100.0 * money * paid)


def test_true_probabilities_have_slope_one_and_expect_what_came():
    told = judged(rows(), rng=np.random.default_rng(0))
    assert told["slope"]["low"] < 1 < told["slope"]["high"]
    assert told["expected_over_received"]["low"] < 1 < told["expected_over_received"]["high"]


def test_half_of_the_expected_money_is_a_ratio_of_two():
    told = judged(rows(money=0.5), rng=np.random.default_rng(0))
    assert told["expected_over_received"]["low"] < 2 < told["expected_over_received"]["high"]


def test_few_rows_have_counts_and_money_and_no_measures():
    told = judged(rows(10), rng=np.random.default_rng(0))
    assert told["rows"] == 10 and "auc" not in told and "expected" in told


def test_parts_together_are_the_whole():
    every = rows()
    low = every.days_past_due < 100
    whole = together([taken(every, low), taken(every, ~low)])
    assert sorted(whole.p_pay) == sorted(every.p_pay)
    assert sum(one["rows"] for one in by_segment([every], rng=np.random.default_rng(0))) == len(every.paid)
