from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics import METRICS
from training.reporting.intervals import Scored
from training.reporting.paired import FILE, paired_differences, paired_file

World = Callable[..., Scored]
IDENTITY = {"champion": "7", "model_hash": "ab", "horizon_days": 30}


@given(seed=st.integers(0, 1_000), per_debtor=st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_a_difference_is_that_of_two_metrics_on_the_same_rows(world: World, seed: int, per_debtor: int) -> None:
    rows, other, flat = world(300, seed=seed, per_debtor=per_debtor), world(300, seed=seed + 1).p, np.ones(300)
    expected = {
        name: float(metric(rows.paid, rows.p, flat) - metric(rows.paid, other, flat))
        for name, metric in METRICS.items()
    }
    found = {name: one.value for name, one in paired_differences(rows, other).items()}
    assert found == pytest.approx(expected, abs=1e-9)


def test_a_model_differs_from_itself_by_nothing_and_surely(world: World) -> None:
    rows = world(500)
    found = paired_differences(rows, rows.p)
    assert {(one.value, one.low, one.high) for one in found.values()} == {(0.0, 0.0, 0.0)}


def test_the_same_rows_give_the_same_intervals(world: World) -> None:
    rows, other = world(500), world(500, seed=3).p
    assert paired_differences(rows, other) == paired_differences(rows, other)


def test_pairing_is_surer_than_two_metrics_apart(world: World) -> None:
    rows = world(2_000)
    other = np.clip(rows.p + 0.01 * np.sin(np.arange(len(rows))), 0.0, 1.0)
    paired = paired_differences(rows, other)["brier"]
    errors = (rows.p - rows.paid) ** 2
    apart = 2 * 1.96 * errors.std() / np.sqrt(len(rows)) * np.sqrt(2)
    assert (paired.high or 0.0) - (paired.low or 0.0) < 0.2 * apart


def told(rows: Scored, unseen: np.ndarray) -> dict:
    found: dict = json.loads(paired_file(rows, rows.p[::-1].copy(), unseen=unseen, identity=IDENTITY)[FILE])
    return found


def test_rows_that_the_champion_cannot_have_learned_from_are_preferred(world: World) -> None:
    found = told(world(1_000), np.arange(1_000) >= 600)
    assert (found["rows_of"], found["rows"], found["model_hash"]) == ("unseen", 400, "ab")


def test_where_those_are_few_all_rows_are_taken_and_it_is_said(world: World) -> None:
    assert told(world(1_000), np.arange(1_000) >= 900)["rows_of"] == "all"


def test_rows_of_one_class_are_compared_by_nothing(world: World) -> None:
    rows = world(300)
    unpaid = Scored(np.zeros(300), rows.p, rows.debtor)
    assert paired_file(unpaid, rows.p, unseen=np.ones(300, bool), identity=IDENTITY) == {}
