from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.calibration import Calibrator
from domain.errors import BundleError

MARGINS = st.floats(-8, 8)
KNOTS = st.lists(st.tuples(MARGINS, st.floats(0, 1)), min_size=2, max_size=12, unique_by=lambda knot: round(knot[0], 3))


@st.composite
def calibrators(draw: st.DrawFn) -> Calibrator:
    if draw(st.booleans()):
        return Calibrator.platt(draw(st.floats(0.05, 2)), draw(st.floats(-3, 3)))
    knots = sorted(draw(KNOTS))
    return Calibrator.isotonic([x for x, _ in knots], sorted(y for _, y in knots))


@given(calibrator=calibrators())
def test_a_calibrator_strictly_increases_within_0_and_1(calibrator: Calibrator) -> None:
    p = calibrator.apply(np.linspace(-12, 12, 2001))
    assert (np.diff(p) > 0).all()
    assert p[0] > 0
    assert p[-1] < 1


@given(calibrator=calibrators(), margins=st.lists(MARGINS, min_size=1))
def test_json_brings_back_the_same_map(calibrator: Calibrator, margins: list[float]) -> None:
    read = Calibrator.from_json(json.loads(json.dumps(calibrator.to_json())))
    assert read == calibrator
    assert read.apply(np.array(margins)).tolist() == calibrator.apply(np.array(margins)).tolist()


@given(calibrator=calibrators(), margin=MARGINS)
def test_the_slope_is_the_derivative_to_the_right(calibrator: Calibrator, margin: float) -> None:
    if calibrator.kind == "isotonic" and np.abs(np.array(calibrator.x) - margin).min() < 1e-4:
        return
    step = 1e-6
    rise = np.diff(calibrator.apply(np.array([margin - step, margin + step])))[0] / (2 * step)
    assert calibrator.slope(np.array([margin]))[0] == pytest.approx(rise, rel=1e-3, abs=1e-6)


def test_isotonic_knots_that_already_rise_are_kept() -> None:
    calibrator = Calibrator.isotonic([-1.0, 0.0, 1.0], [0.1, 0.3, 0.8])
    assert calibrator.apply(np.array([-1.0, -0.5, 1.0])) == pytest.approx([0.1, 0.2, 0.8])


def test_a_falling_platt_map_is_refused() -> None:
    with pytest.raises(BundleError, match="a > 0"):
        Calibrator.platt(-1.0, 0.0)


@pytest.mark.parametrize("y", [[0.2, 0.2], [0.3, 0.2], [0.0, 0.5], [0.5, 1.0]])
def test_a_stored_isotonic_map_that_does_not_rise_within_0_and_1_is_refused(y: list[float]) -> None:
    with pytest.raises(BundleError, match="strictly increase"):
        Calibrator.from_json({"kind": "isotonic", "x": [0.0, 1.0], "y": y})
