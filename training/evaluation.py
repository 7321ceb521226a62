"""How good a model is on rows later than its training: metrics, gains, reliability, segments, baselines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.bands import DAYS_PAST_DUE
from domain.clock import rfc3339
from training.metrics import (
    ECE_BINS,
    METRICS,
    RANK_METRICS,
    auc,
    cluster_weights,
    equal_mass_bins,
    interval,
    log_loss,
    with_intervals,
)
from training.ope.estimators import Z_95
from training.payment import Target
from training.windows import Bools, Int64s

Floats = npt.NDArray[np.float64]

REPLICATIONS = 200
_MIN_UNSEEN = 200


@dataclass(frozen=True)
class Rows:
    """What is known of the evaluated rows beside their features, all (n,)."""

    as_of_us: Int64s
    debtor: npt.NDArray[np.int32]
    unseen: Bools
    days_past_due: Floats
    amount_due_cents: Int64s


@dataclass(frozen=True)
class Baselines:
    """Scores of the simple alternatives on all rows: the scorecard's probability, and days past due turned into one."""

    scorecard: Floats
    days_past_due: Floats


def evaluate_horizon(
    target: Target, p_pay: Floats, rows: Rows, *, baselines: Baselines, rng: np.random.Generator
) -> dict[str, Any]:
    """Everything that is stated about one horizon.

    Parameters
    ----------
    p_pay : (n,) served probabilities of the evaluated model; only those of test rows are read

    Notes
    -----
    Intervals are 95 % percentile ones of a bootstrap over debtors. That of ECE lies a little high: a redrawn sample is
    always less calibrated than the one at hand.
    """
    test = target.split.test
    paid, p = target.paid[test], p_pay[test]
    weights = cluster_weights(rows.debtor[test], replications=REPLICATIONS, rng=rng)
    base_rate = float(target.paid[target.split.train].mean())
    return {
        "horizon_days": target.horizon_days,
        "rows": _counts(target, rows),
        "split": _dates(target),
        "base_rate": {"train": base_rate, "test": float(paid.mean())},
        "metrics": with_intervals(METRICS, paid, p, weights=weights),
        "log_loss_of_base_rate": float(log_loss(paid, np.full(len(p), base_rate), np.ones(len(p)))),
        "unseen_debtors": _unseen(paid, p, rows, test, rng=rng),
        "scorecard": with_intervals(METRICS, paid, baselines.scorecard[test], weights=weights),
        "days_past_due": with_intervals(RANK_METRICS, paid, baselines.days_past_due[test], weights=weights),
        "auc_over_scorecard": _auc_gain(paid, p, baselines.scorecard[test], weights=weights),
        "auc_over_days_past_due": _auc_gain(paid, p, baselines.days_past_due[test], weights=weights),
        "gains": gains(paid, p, rows.amount_due_cents[test]),
        "reliability": reliability(paid, p),
        "segments": segments(paid, p, rows.days_past_due[test]),
    }


def gains(paid: Floats, p: Floats, amount_due_cents: Int64s) -> list[dict[str, float]]:
    """By decile from the highest probability down: rows, payers, rate, lift, and payers reached so far."""
    order = np.argsort(-p, kind="stable")
    table, reached = [], 0.0
    for number, part in enumerate(np.array_split(order, 10), start=1):
        if not len(part):
            continue
        reached += float(paid[part].sum())
        table.append(
            {
                "decile": number,
                "rows": len(part),
                "mean_p_pay": float(p[part].mean()),
                "rate": float(paid[part].mean()),
                "lift": float(paid[part].mean() / paid.mean()) if paid.any() else float("nan"),
                "share_of_payers": reached / float(paid.sum()) if paid.any() else float("nan"),
                "amount_due": float(amount_due_cents[part].sum()) / 100.0,
            }
        )
    return table


def reliability(paid: Floats, p: Floats) -> list[dict[str, float]]:
    """Predicted against observed in 10 bins of equal mass, with a 95 % Wilson interval of the observed rate."""
    bins = equal_mass_bins(p, ECE_BINS)
    table = []
    for number in np.unique(bins):
        inside = bins == number
        rate, n = float(paid[inside].mean()), int(inside.sum())
        low, high = _wilson(rate, n)
        table.append({"rows": n, "mean_p_pay": float(p[inside].mean()), "rate": rate, "low": low, "high": high})
    return table


def segments(paid: Floats, p: Floats, days_past_due: Floats) -> list[dict[str, Any]]:
    """Rate, mean probability and AUC by band of days past due; bands without rows are left out."""
    table = []
    for name, low, high in DAYS_PAST_DUE:
        inside = (days_past_due >= low) & (days_past_due < high)
        if inside.any():
            table.append(
                {
                    "days_past_due": name,
                    "rows": int(inside.sum()),
                    "rate": float(paid[inside].mean()),
                    "mean_p_pay": float(p[inside].mean()),
                    "auc": float(auc(paid[inside], p[inside], np.ones(int(inside.sum())))),
                }
            )
    return table


def plain(value: Any) -> Any:
    """The same for JSON: ``NaN`` becomes ``None``, numpy numbers become plain ones."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _counts(target: Target, rows: Rows) -> dict[str, int]:
    split = target.split
    parts = {"train": split.train, "valid": split.valid, "test": split.test}
    return {
        "usable": int(target.usable.sum()),
        "immature": int((~target.usable).sum()),
        "dropped_at_splits": split.dropped,
        **{name: len(part) for name, part in parts.items()},
        **{f"{name}_debtors": len(np.unique(rows.debtor[part])) for name, part in parts.items()},
    }


def _dates(target: Target) -> dict[str, Any]:
    split = target.split
    return {
        "valid_from": rfc3339(split.valid_from_us), "test_from": rfc3339(split.test_from_us),
        "gap_days": target.horizon_days,
    }  # fmt: skip


def _unseen(paid: Floats, p: Floats, rows: Rows, test: Int64s, *, rng: np.random.Generator) -> dict[str, Any]:
    inside = rows.unseen[test]
    debtor = rows.debtor[test][inside]
    n = int(inside.sum())
    counts = {"rows": n, "debtors": len(np.unique(debtor))}
    if n < _MIN_UNSEEN or not 0 < paid[inside].sum() < n:
        return {**counts, "metrics": None}
    weights = cluster_weights(debtor, replications=REPLICATIONS, rng=rng)
    return {**counts, "metrics": with_intervals(METRICS, paid[inside], p[inside], weights=weights)}


def _auc_gain(paid: Floats, p: Floats, other: Floats, *, weights: Floats) -> dict[str, float]:
    """Difference of two AUCs on the same rows, with a paired interval."""
    low, high = interval(auc(paid, p, weights) - auc(paid, other, weights))
    flat = np.ones(len(paid))
    return {"value": float(auc(paid, p, flat) - auc(paid, other, flat)), "low": low, "high": high}


def _wilson(rate: float, n: int) -> tuple[float, float]:
    z = Z_95
    centre, spread = rate + z * z / (2 * n), z * np.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return float((centre - spread) / scale), float((centre + spread) / scale)
