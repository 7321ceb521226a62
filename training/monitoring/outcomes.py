"""Calibration of each week whose horizon and posting lag have passed: payments expected, and payments observed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy import stats

from training.monitoring.chance import Floats, z_power
from training.monitoring.checks import Finding, State
from training.monitoring.config import MonitoringConfig
from training.monitoring.watched import ScoredRows, Watched, Week
from training.ope.estimators import Z_95
from training.reporting.calibration_tests import logistic_recalibration
from training.reporting.intervals import Scored

LEAST_EXPECTED = 20.0
"""Payers that must be expected before observed ones are held against them."""


def calibration(watched: Watched, horizons: tuple[int, ...], config: MonitoringConfig) -> Iterator[Finding]:
    """Two findings for each week and horizon: payments in the large, and the slope of the odds."""
    for week, rows in zip(watched.weeks, watched.rows, strict=True):
        for place, days in enumerate(horizons):
            name = f"p_pay_{days}d"
            p, paid = rows.p_pay[:, place], rows.paid[:, place]
            why = _why(rows, place, float(min(p.sum(), (1.0 - p).sum())), config)
            yield _mean(week, name, p, paid, why=why, config=config)
            yield _slope(week, name, p, paid, why=why, config=config)


def _why(rows: ScoredRows, place: int, expected: float, config: MonitoringConfig) -> State | None:
    if not rows.mature[place]:
        return "not_mature"
    return "cannot_tell" if len(rows) < config.min_rows or expected < LEAST_EXPECTED else None


def _mean(week: Week, name: str, p: Floats, paid: Floats, *, why: State | None, config: MonitoringConfig) -> Finding:
    """Observed over expected, tested as a sum of independent draws with the probabilities told."""
    code = "CALIBRATION_MEAN"
    if why is not None:
        return Finding(code, week.name, name, None, None, None, len(p), why=why)
    expected, limit = float(p.sum()), config.limits[code]
    ratio = float(paid.sum()) / expected
    spread = float(np.sqrt((p * (1.0 - p)).sum())) / expected
    half = Z_95 * float(np.sqrt(np.square(paid - p).sum())) / expected
    return Finding(
        code, week.name, name, ratio, 1.0, abs(ratio - 1.0), len(p),
        p_value=float(2.0 * stats.norm.sf(abs(ratio - 1.0) / spread)),
        power=partial(_power, limit.red, spread, limit.amber), interval=(max(0.0, ratio - half), ratio + half),
    )  # fmt: skip


def _slope(week: Week, name: str, p: Floats, paid: Floats, *, why: State | None, config: MonitoringConfig) -> Finding:
    """Slope of a logistic regression of the outcome on the logit (Cox 1958), 1 where calibrated; Wald's test."""
    code = "CALIBRATION_SLOPE"
    if why is not None:
        return Finding(code, week.name, name, None, None, None, len(p), why=why)
    slope, _ = logistic_recalibration(Scored(paid, p, np.arange(len(p))))
    if slope.value is None or slope.low is None or slope.high is None:
        return Finding(code, week.name, name, None, 1.0, None, len(p), why="cannot_tell")
    spread, limit = (slope.high - slope.low) / (2.0 * Z_95), config.limits[code]
    distance = abs(slope.value - 1.0)
    return Finding(
        code, week.name, name, slope.value, 1.0, distance, len(p),
        p_value=float(2.0 * stats.norm.sf(distance / spread)),
        power=partial(_power, limit.red, spread, limit.amber), interval=(slope.low, slope.high),
    )  # fmt: skip


def _power(size: float, spread: float, least: float, alpha: float) -> float:
    return z_power(size, spread=spread, least=least, alpha=alpha)


def brier(rows: ScoredRows, place: int) -> float | None:
    """Mean squared error of one horizon's probabilities; ``None`` where labels are not mature or there is no row."""
    if not rows.mature[place] or not len(rows):
        return None
    return float(np.square(rows.p_pay[:, place] - rows.paid[:, place]).mean())
