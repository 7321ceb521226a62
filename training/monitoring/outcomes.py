"""Calibration of each week whose horizon and posting lag have passed: payments expected, and payments observed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import stats

from training.monitoring.chance import Floats, widened, z_power
from training.monitoring.checks import Finding, State
from training.monitoring.config import MonitoringConfig
from training.monitoring.watched import LEAST_WEEKS, ScoredRows, Watched, Week
from training.ope.estimators import Z_95
from training.reporting.calibration_tests import logistic_recalibration
from training.reporting.intervals import Scored

LEAST_EXPECTED = 20.0
"""Payers that must be expected before observed ones are held against them."""


@dataclass(frozen=True, slots=True)
class Usual:
    """By how much weeks before differ in payments observed over expected, beyond chance; see ``rates.Rate``."""

    dispersion: float = 1.0
    free: int | None = None

    @classmethod
    def of(cls, watched: Watched, place: int) -> Usual:
        """That of one horizon, from the weeks before that are mature.

        Weeks with paydays and weeks without differ over a short horizon, however good the model. Their mean ratio is
        taken out, so that a model that was always off by the same factor is still seen to be.
        """
        weeks = [rows for rows in watched.rows_before if rows.mature[place] and len(rows)]
        sums = [(one.p_pay[:, place].sum(), one.paid[:, place].sum(), _variance(one.p_pay[:, place])) for one in weeks]
        if len(sums) < LEAST_WEEKS:
            return cls()
        expected, paid, variance = np.array(sums).T
        ratio = paid.sum() / expected.sum()
        spread, free = widened(float((np.square(paid - ratio * expected) / variance).sum()), len(sums) - 1)
        return cls(spread, free)


def _variance(p: Floats) -> float:
    """Of the number of payers, where each pays with the probability told."""
    return float((p * (1.0 - p)).sum())


def calibration(watched: Watched, horizons: tuple[int, ...], config: MonitoringConfig) -> Iterator[Finding]:
    """Two findings for each week and horizon: payments in the large, and the slope of the odds."""
    for place, days in enumerate(horizons):
        name, usual = f"p_pay_{days}d", Usual.of(watched, place)
        for week, rows in zip(watched.weeks, watched.rows, strict=True):
            p, paid = rows.p_pay[:, place], rows.paid[:, place]
            why = _why(rows, place, float(min(p.sum(), (1.0 - p).sum())), config)
            if why is None:
                yield _mean((week, name), p, paid, usual, config)
                yield _slope((week, name), p, paid, config)
            else:
                yield Finding("CALIBRATION_MEAN", week.name, name, None, None, None, len(p), why=why)
                yield Finding("CALIBRATION_SLOPE", week.name, name, None, None, None, len(p), why=why)


def _why(rows: ScoredRows, place: int, expected: float, config: MonitoringConfig) -> State | None:
    if not rows.mature[place]:
        return "not_mature"
    return "cannot_tell" if len(rows) < config.min_rows or expected < LEAST_EXPECTED else None


def _mean(of: tuple[Week, str], p: Floats, paid: Floats, usual: Usual, config: MonitoringConfig) -> Finding:
    """Observed over expected: a sum of independent draws with the probabilities told, as spread as weeks before were.

    The interval is that of the ratio, by the variance of the differences; not widened by that between weeks.
    """
    (week, name), code = of, "CALIBRATION_MEAN"
    expected, limit = float(p.sum()), config.limits[code]
    ratio = float(paid.sum()) / expected
    spread = float(np.sqrt(usual.dispersion * _variance(p))) / expected
    half = Z_95 * float(np.sqrt(np.square(paid - p).sum())) / expected
    out = abs(ratio - 1.0) / spread
    return Finding(
        code, week.name, name, ratio, 1.0, abs(ratio - 1.0), len(p),
        p_value=float(2.0 * (stats.norm.sf(out) if usual.free is None else stats.t.sf(out, usual.free))),
        power=partial(_power, limit.red, spread, limit.amber, usual.free),
        interval=(max(0.0, ratio - half), ratio + half),
    )  # fmt: skip


def _slope(of: tuple[Week, str], p: Floats, paid: Floats, config: MonitoringConfig) -> Finding:
    """Slope of a logistic regression of the outcome on the logit (Cox 1958), 1 where calibrated; Wald's test."""
    (week, name), code = of, "CALIBRATION_SLOPE"
    slope, _ = logistic_recalibration(Scored(paid, p, np.arange(len(p))))
    if slope.value is None or slope.low is None or slope.high is None:
        return Finding(code, week.name, name, None, 1.0, None, len(p), why="cannot_tell")
    spread, limit = (slope.high - slope.low) / (2.0 * Z_95), config.limits[code]
    distance = abs(slope.value - 1.0)
    return Finding(
        code, week.name, name, slope.value, 1.0, distance, len(p),
        p_value=float(2.0 * stats.norm.sf(distance / spread)),
        power=partial(_power, limit.red, spread, limit.amber, None), interval=(slope.low, slope.high),
    )  # fmt: skip


def _power(size: float, spread: float, least: float, free: int | None, alpha: float) -> float:
    return z_power(size, spread=spread, least=least, alpha=alpha, free=free)


def brier(rows: ScoredRows, place: int) -> float | None:
    """Mean squared error of one horizon's probabilities; ``None`` where labels are not mature or there is no row."""
    if not rows.mature[place] or not len(rows):
        return None
    return float(np.square(rows.p_pay[:, place] - rows.paid[:, place]).mean())
