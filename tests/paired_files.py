"""What training keeps of a version beside the champion of its time (``evaluation/paired.json``), made up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

METRICS: Mapping[str, Any] = {
    "auc": {"difference": 0.012, "low": 0.004, "high": 0.020},
    "brier": {"difference": 0.003, "low": 0.001, "high": 0.005},
    "ks": {"difference": 0.01, "low": -0.01, "high": 0.03},
}


def told(model_hash: str, metrics: Mapping[str, Any] = METRICS) -> dict[str, Any]:
    """Measured beside the model of that hash."""
    return {
        "model_hash": model_hash, "horizon_days": 30, "rows": 1_000, "debtors": 700, "rows_of": "unseen",
        "metrics": metrics,
    }  # fmt: skip
