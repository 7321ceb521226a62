"""Which weeks are held against which, and how payers are counted once they can be."""

from __future__ import annotations

import json
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest

from domain.clock import US_PER_DAY, parse_moment, to_us
from features.definitions import Calendar
from training.monitoring.behaviour import first_of_debtor
from training.monitoring.checks import Finding, judged
from training.monitoring.config import MonitoringConfig, load_monitoring
from training.monitoring.drift import calendar_held
from training.monitoring.gathering import _anchored
from training.monitoring.outcomes import Usual
from training.monitoring.watched import ScoredRows, Week, part_of_month

WEEK = 7 * US_PER_DAY
FIRST = Week(to_us(parse_moment("2026-02-02T00:00:00Z")))
BEFORE = tuple(Week(FIRST.start_us - back * WEEK) for back in range(13, 0, -1))


def bundle_until(folder, text):
    (folder / "evaluation").mkdir()
    (folder / "evaluation/evaluation.json").write_text(json.dumps({"data": {"end": text}}), encoding="utf-8")
    return SimpleNamespace(folder=folder)


@pytest.mark.parametrize("end", ["2025-12-31T22:00:00Z", "2025-12-29T00:00:00Z", "2025-03-02T00:00:00Z"])
def test_scores_are_held_against_the_last_whole_weeks_of_the_models_own_data(tmp_path, end):
    weeks = _anchored(bundle_until(tmp_path, end), BEFORE, FIRST)
    assert 0 <= to_us(parse_moment(end)) - weeks[-1].end_us < WEEK
    assert [b.start_us - a.start_us for a, b in pairwise(weeks)] == [WEEK] * 12
    assert (FIRST.start_us - weeks[0].start_us) % WEEK == 0


def test_a_model_that_knows_the_judged_weeks_is_held_against_those_before_them(tmp_path):
    assert _anchored(bundle_until(tmp_path, "2026-02-20T00:00:00Z"), BEFORE, FIRST) == BEFORE


def test_a_debtor_counts_once_a_week_by_the_first_row():
    at_us, debtor = np.array([5, 3, 4, 9]), np.array([1, 1, 2, 2])
    assert first_of_debtor(at_us, debtor, np.array([True, True, True, True])).tolist() == [1, 2]
    assert first_of_debtor(at_us, debtor, np.array([True, False, False, True])).tolist() == [0, 3]


def test_the_parts_of_a_month_begin_on_the_1st_8th_15th_and_22nd():
    days = [f"2026-02-{day:02d}T23:59:59Z" for day in (1, 7, 8, 14, 15, 21, 22, 28)]
    moments = np.array([to_us(parse_moment(one)) for one in days])
    assert part_of_month(moments).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


def finding(p_value, effect=1.0, code="SCORE_PSI", power=1.0, why=None):
    return Finding(code, "2026-02-02", "x", 1.0, 0.0, effect, 500, p_value, lambda _alpha: power, why)


@pytest.fixture(scope="module")
def config():
    from pathlib import Path

    return load_monitoring(Path(__file__).parents[3] / "configs")


def test_an_alert_is_both_large_and_more_than_chance(config):
    found = judged([finding(1e-9), finding(1e-9, effect=0.01), finding(0.5), finding(1e-9, effect=0.15)], config)
    assert [one.state for one in found] == ["red", "green", "green", "amber"]


def test_what_would_not_have_been_seen_is_not_green(config):
    found = judged([finding(0.5, power=0.3), finding(1e-9, power=0.3)], config)
    assert [one.state for one in found] == ["cannot_tell", "red"]


def test_what_is_not_judged_takes_no_part_of_the_error(config: MonitoringConfig):
    level = config.family_alpha
    alone = judged([finding(level * 0.9)], config)
    beside = judged([finding(level * 0.9), *(50 * [finding(0.9, why="not_mature")])], config)
    crowd = judged([finding(level * 0.9), *[finding(0.9)] * 50], config)
    assert [one[0].state for one in (alone, beside, crowd)] == ["red", "red", "green"]


def test_families_do_not_share_their_tests(config):
    other = [finding(0.9, code="FEATURE_PSI")] * 50
    assert judged([finding(config.family_alpha * 0.9), *other], config)[0].state == "red"


def weeks_of_payers(factor):
    """Twelve weeks in which payers come more and less often than expected, in turn."""
    rng, p = np.random.default_rng(3), np.full((400, 1), 0.3)
    nothing = np.zeros(400, dtype=np.int64)
    rows = [
        ScoredRows(
            debtor=nothing, values=p, p_pay=p, part=nothing, mature=np.array([True]), unseen={},
            paid=(rng.random((400, 1)) < 0.3 * (1.0 + factor * (-1) ** week)).astype(np.float64),
        )
        for week in range(12)
    ]  # fmt: skip
    return SimpleNamespace(rows_before=tuple(rows))


def test_weeks_that_are_paid_more_and_less_in_turn_widen_what_calibration_allows():
    assert Usual.of(weeks_of_payers(0.0), 0) == Usual(1.0, None)
    widened = Usual.of(weeks_of_payers(0.3), 0)
    assert widened.dispersion > 5.0 and widened.free == 11


def test_what_the_calendar_alone_does_to_a_score_is_no_shift_of_it():
    calendar, plain = (SimpleNamespace(rule=rule) for rule in (Calendar("day_of_month"), None))
    model = SimpleNamespace(predict=lambda values: values[:, :1] / 100.0 + values[:, 1:])
    bundle = SimpleNamespace(schema=SimpleNamespace(features=(calendar, plain)), payment=model)

    def rows(days, value):
        values = np.column_stack([days, np.full(len(days), value)])
        return ScoredRows(
            debtor=np.arange(len(days)), values=values, p_pay=model.predict(values), part=days // 8, paid=values,
            mature=np.array([True]), unseen={},
        )  # fmt: skip

    before, now = rows(np.array([1, 2, 9, 10]), 0.5), rows(np.array([3, 4, 11, 20]), 0.7)
    held = calendar_held(now, [before], bundle)[:, 0]
    assert set(np.round(held[:2], 9)) <= {0.71, 0.72} and round(float(held[2]), 9) in {0.79, 0.80}
    # A part of the month that no week before has stays as it is.
    assert held[3] == pytest.approx(0.90)
    assert calendar_held(now, [], bundle) is now.p_pay
