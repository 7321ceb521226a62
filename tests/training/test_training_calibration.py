import numpy as np
import numpy.typing as npt
import pytest

from training.calibration import fit_calibrator, fit_isotonic, fit_platt, log_loss
from training.metrics import Floats, ece


def drawn(rng: np.random.Generator, n: int, bend: float) -> tuple[Floats, Floats]:
    margin = rng.normal(-1.0, 1.5, n)
    truth = 1 / (1 + np.exp(-(0.5 * margin - 0.3 + bend * np.abs(margin))))
    return margin, (rng.random(n) < truth).astype(float)


def debtors(n: int) -> npt.NDArray[np.int32]:
    return (np.arange(n) // 3).astype(np.int32)


@pytest.mark.parametrize("bend", [0.0, 0.35])
def test_a_miscalibrated_score_is_calibrated_on_fresh_rows(bend: float) -> None:
    rng = np.random.default_rng(1)
    margin, paid = drawn(rng, 20_000, bend)
    fresh, outcome = drawn(rng, 20_000, bend)
    calibrator = fit_calibrator(margin, paid, debtors(20_000))
    raw = 1 / (1 + np.exp(-fresh))
    assert log_loss(outcome, calibrator.apply(fresh)) < log_loss(outcome, raw)
    # 20,000 rows in ten bins: the expected error of a perfect model is about 0.8·sqrt(p(1-p)/2000) < 0.009.
    assert ece(outcome, calibrator.apply(fresh), np.ones(20_000)) < 0.015


def test_each_score_gets_the_simplest_calibrator_that_fits_it() -> None:
    rng = np.random.default_rng(2)
    margin = rng.normal(-1.0, 1.5, 20_000)
    calibrated = (rng.random(20_000) < 1 / (1 + np.exp(-margin))).astype(float)
    found = fit_calibrator(margin, calibrated, debtors(20_000))
    assert (found.kind, found.a, found.b) == ("platt", 1.0, 0.0)
    stretched, bent = (fit_calibrator(*drawn(rng, 20_000, bend), debtors(20_000)) for bend in (0.0, 0.6))
    assert (stretched.kind, bent.kind) == ("platt", "isotonic") and stretched.a < 0.6


def test_few_payers_get_platt() -> None:
    rng = np.random.default_rng(2)
    margin = rng.normal(size=2_000)
    assert fit_calibrator(margin, (rng.random(2_000) < 0.05).astype(float), debtors(2_000)).kind == "platt"


def test_platt_finds_the_slope_it_was_drawn_with() -> None:
    margin, paid = drawn(np.random.default_rng(3), 50_000, 0.0)
    found = fit_platt(margin, paid)
    # The standard error of the slope at 50,000 rows is about 0.007.
    assert (found.a, found.b) == (pytest.approx(0.5, abs=0.03), pytest.approx(-0.3, abs=0.04))


@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
def test_calibrators_always_rise_even_on_a_score_that_points_the_wrong_way(fit) -> None:  # type: ignore[no-untyped-def]
    margin, paid = drawn(np.random.default_rng(4), 3_000, 0.0)
    grid = np.linspace(-8, 8, 400)
    assert (np.diff(fit(-margin, paid).apply(grid)) > 0).all()
