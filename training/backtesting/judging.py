"""What is measured on the rows after an origin: discrimination, calibration and money, by origin and by segment."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from domain.bands import DAYS_PAST_DUE
from training.backtesting.origins import Later, band_of
from training.evaluation import REPLICATIONS, plain
from training.metrics import METRICS, cluster_weights, interval, with_intervals
from training.reporting.calibration_tests import logistic_recalibration
from training.reporting.intervals import Scored

Floats = npt.NDArray[np.float64]
SHOWN = ("auc", "log_loss", "ece")
LEAST_ROWS = 50
"""With fewer rows, or without a payer or a defaulter among them, only counts and money are told."""


def judged(later: Later, *, rng: np.random.Generator) -> dict[str, Any]:
    """Every figure of some rows, with 95 % intervals of a bootstrap over debtors (slope: by its standard error)."""
    weights = cluster_weights(later.debtor, replications=REPLICATIONS, rng=rng)
    found: dict[str, Any] = {
        "rows": len(later.paid),
        "debtors": len(np.unique(later.debtor)),
        "rate": float(later.paid.mean()),
        "mean_p_pay": float(later.p_pay.mean()),
        **_money(later, weights),
    }
    if len(later.paid) >= LEAST_ROWS and 0 < later.paid.sum() < len(later.paid):
        measured = with_intervals(METRICS, later.paid, later.p_pay, weights=weights)
        found |= {name: measured[name] for name in SHOWN}
        slope, _ = logistic_recalibration(Scored(later.paid, later.p_pay, later.debtor.astype(np.int64)))
        found["slope"] = {"value": slope.value, "low": slope.low, "high": slope.high}
    told: dict[str, Any] = plain(found)
    return told


def by_segment(parts: list[Later], *, rng: np.random.Generator) -> list[dict[str, Any]]:
    """The same for each band of days past due, over the rows of all origins; bands without rows are left out."""
    every = together(parts)
    band = band_of(every.days_past_due)
    return [
        {"days_past_due": name, **judged(taken(every, band == place), rng=rng)}
        for place, (name, _, _) in enumerate(DAYS_PAST_DUE)
        if (band == place).any()
    ]


def together(parts: list[Later]) -> Later:
    """The rows of all origins."""
    return Later(*(np.concatenate([getattr(one, name) for one in parts]) for name in Later.__dataclass_fields__))


def taken(later: Later, mask: npt.NDArray[np.bool_]) -> Later:
    """Some of the rows."""
    return Later(*(getattr(later, name)[mask] for name in Later.__dataclass_fields__))


def _money(later: Later, weights: Floats) -> dict[str, Any]:
    """Expected and received money in currency, and expected over received with its interval."""
    expected, received = later.expected_cents.sum() / 100.0, later.received_cents.sum() / 100.0
    drawn = [weights @ one for one in (later.expected_cents, later.received_cents)]
    low, high = interval(np.divide(drawn[0], drawn[1], out=np.full(len(weights), np.nan), where=drawn[1] > 0))
    ratio = expected / received if received > 0 else float("nan")
    return {
        "expected": float(expected), "received": float(received),
        "expected_over_received": {"value": float(ratio), "low": low, "high": high},
    }  # fmt: skip
