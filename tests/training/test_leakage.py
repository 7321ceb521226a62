"""Suspects of leakage: the AUC of one feature, and who is told of."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from features.gates.config import Leakage
from training.leakage import single_auc, suspects


@dataclass
class Names:
    """What a schema tells of its features here."""

    names: tuple[str, ...]
    categories: dict[str, tuple[str, ...]] = field(default_factory=dict)


@st.composite
def columns(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    size = draw(st.integers(4, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.integers(0, draw(st.integers(1, 9)) + 1, size).astype(np.float64)
    values[rng.random(size) < draw(st.floats(0, 0.9))] = np.nan
    paid = (rng.random(size) < 0.5).astype(np.float64)
    paid[:2] = 0, 1
    return values, paid


@given(columns())
@settings(max_examples=60, deadline=None)
def test_the_auc_is_that_of_scikit_learn_with_missing_values_below_or_above_all_others(
    column: tuple[np.ndarray, np.ndarray],
) -> None:
    values, paid = column
    tried = [float(roc_auc_score(paid, np.nan_to_num(values, nan=filled))) for filled in (-1.0, 99.0)]
    assert single_auc(values, paid) == pytest.approx(max(max(auc, 1 - auc) for auc in tried))


def test_categories_have_no_order_of_their_own() -> None:
    values, paid = np.tile([0.0, 1.0, 2.0], 50), np.tile([1.0, 0.0, 1.0], 50)
    assert single_auc(values, paid, categorical=True) == 1.0


def test_a_feature_that_knows_the_answer_is_told_and_no_other() -> None:
    rng = np.random.default_rng(0)
    paid = (rng.random(500) < 0.4).astype(np.float64)
    values = np.column_stack([rng.random(500), paid + rng.normal(0, 0.1, 500), paid + rng.normal(0, 1, 500)])
    schema = Names(("noise", "leak", "signal"))
    found = suspects(values, paid, schema, Leakage(max_auc=0.92))  # type: ignore[arg-type]
    assert [breach.miss.column for breach in found] == ["leak"]


def test_too_few_payers_make_no_suspect() -> None:
    paid = np.array([1.0] * 10 + [0.0] * 500)
    assert not list(suspects(paid[:, None], paid, Names(("leak",)), Leakage(least_events=50)))  # type: ignore[arg-type]
