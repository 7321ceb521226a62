from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.reporting.noise import first_kept, scaled

SCHEMA: Any = SimpleNamespace(
    categorical=(1,), features=[SimpleNamespace(words=None)] * 3 + [SimpleNamespace(words="x")]
)


@given(seed=st.integers(0, 1_000), noise=st.floats(0.001, 0.2), value=st.floats(-1e6, 1e6))
def test_each_value_moves_by_no_more_than_its_share(seed: int, noise: float, value: float) -> None:
    values = np.full((5, 4), value)
    moved = scaled(values, SCHEMA, np.random.default_rng(seed), noise=noise)
    assert (np.abs(moved - values) <= noise * abs(value) * (1 + 1e-12)).all()


def test_categories_and_words_do_not_move() -> None:
    moved = scaled(np.full((50, 4), 7.0), SCHEMA, np.random.default_rng(0), noise=0.01)
    assert (moved[:, [1, 3]] == 7.0).all() and not (moved[:, [0, 2]] == 7.0).any()


def test_gaps_stay_gaps() -> None:
    assert np.isnan(scaled(np.full((2, 4), np.nan), SCHEMA, np.random.default_rng(0), noise=0.01)).all()


def test_only_the_first_reason_counts() -> None:
    assert first_kept([("A", "B"), ("A", "B"), ()], [("A", "C"), ("B", "A"), ()]).tolist() == [1.0, 0.0, 1.0]
