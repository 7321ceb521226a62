"""This version beside the champion of its training, metric by metric on the same rows: differences, not two columns.

It is kept in the bundle, as the one place where both scores and the outcomes of the same rows were ever together.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from training.evaluation import REPLICATIONS, plain
from training.metrics import METRICS, cluster_weights, interval
from training.reporting.intervals import Scored, auc_gain, mean_figure
from training.reporting.lights import Figure

Floats = npt.NDArray[np.float64]
FILE = "paired.json"
_SEED = 41
_MIN_ROWS, _MIN_DEBTORS = 200, 50
_FLOOR = 1e-12


def paired_differences(rows: Scored, other: Floats) -> dict[str, Figure]:
    """Every metric of ``p`` less that of another probability (n,) on the same rows, each with its 95 % interval.

    AUC by DeLong, means (Brier, log-loss) as sums by debtor, the others (KS, ECE) by a bootstrap of whole debtors that
    draws the same ones for both sides.
    """
    safe, theirs = (np.clip(one, _FLOOR, 1.0 - _FLOOR) for one in (rows.p, other))
    losses = [-(rows.paid * np.log(one) + (1.0 - rows.paid) * np.log1p(-one)) for one in (safe, theirs)]
    found = {
        "auc": auc_gain(rows, other),
        "brier": mean_figure((rows.p - rows.paid) ** 2 - (other - rows.paid) ** 2, rows.debtor),
        "log_loss": mean_figure(losses[0] - losses[1], rows.debtor),
    }
    weights = cluster_weights(rows.debtor.astype(np.int32), replications=REPLICATIONS, rng=np.random.default_rng(_SEED))
    flat = np.ones((1, len(rows)))
    for name in ("ks", "ece"):
        value, draws = (
            METRICS[name](rows.paid, rows.p, one) - METRICS[name](rows.paid, other, one) for one in (flat, weights)
        )
        found[name] = Figure(float(value[0]), *interval(draws), len(rows), rows.debtors, "bootstrap")
    return {name: found[name] for name in METRICS}


def paired_file(
    rows: Scored, champion: Floats, *, unseen: npt.NDArray[np.bool_], identity: dict[str, Any]
) -> dict[str, bytes]:
    """``paired.json``: on rows later than the champion's data, where they are enough, or else on all test rows.

    Parameters
    ----------
    champion : (n,) what it says of the rows
    unseen : (n,) rows that it cannot have learned from
    identity : version and model hash of the champion, and the horizon in days
    """
    fresh = rows.where(unseen)
    fair = fresh.both and len(fresh) >= _MIN_ROWS and fresh.debtors >= _MIN_DEBTORS
    judged, other = (fresh, champion[unseen]) if fair else (rows, champion)
    if not judged.both:
        return {}
    told = {
        **identity, "rows_of": "unseen" if fair else "all", "rows": len(judged), "debtors": judged.debtors,
        "metrics": {
            name: {"difference": one.value, "low": one.low, "high": one.high, "method": one.method}
            for name, one in paired_differences(judged, other).items()
        },
    }  # fmt: skip
    return {FILE: json.dumps(plain(told), sort_keys=True, indent=1, allow_nan=False).encode()}
