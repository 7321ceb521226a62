from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisioning.models import PaymentModel, monotone
from domain.errors import BundleError


@given(p=arrays(np.float64, (5, 4), elements=st.floats(0, 1)), explained=st.integers(0, 3))
def test_horizons_rise_and_the_explained_one_is_untouched(p: np.ndarray, explained: int) -> None:
    fitted = monotone(p, explained)
    assert (np.diff(fitted, axis=1) >= 0).all()
    assert (fitted[:, explained] == p[:, explained]).all()


def test_the_explained_horizon_is_its_own_booster_and_calibrator(world: Any) -> None:
    payment = world.payment
    expected = payment.calibrators[30].apply(payment.margins(world.values))
    assert payment.predict(world.values)[:, 1].tolist() == expected.tolist()


def test_one_row_is_predicted_as_within_many(world: Any) -> None:
    assert world.payment.predict(world.values[:1]).tolist() == world.payment.predict(world.values)[:1].tolist()


def test_no_rows_are_no_probabilities(world: Any) -> None:
    assert world.payment.predict(world.values[:0]).shape == (0, 4)
    assert world.payment.contributions(world.values[:0]).shape == (0, world.values.shape[1] + 1)


def test_a_horizon_without_booster_is_refused() -> None:
    with pytest.raises(BundleError, match="one booster and calibrator"):
        PaymentModel((7, 30), 30, {7: None}, {})
