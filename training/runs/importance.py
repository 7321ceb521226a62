"""Which features carry a payment model: by what splits on them gained, and by how far they move single scores."""

from __future__ import annotations

import json

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
FILE = "importance.json"
_ROWS = 1_000


def importance(booster: lgb.Booster, values: Floats, names: tuple[str, ...], *, threads: int) -> bytes:
    """``importance.json``: share of the gain and mean |SHAP| of every feature, by the latter.

    Parameters
    ----------
    values : (n, k) rows later than training, of which 1,000 are taken, evenly over their order

    Notes
    -----
    Gain is of training rows and favours features with many values; SHAP values (Lundberg et al. 2020, by LightGBM) are
    in log-odds before calibration.
    """
    gain = booster.feature_importance(importance_type="gain").astype(np.float64)
    rows = values[np.unique(np.linspace(0, len(values) - 1, _ROWS).astype(np.int64))]
    shap = np.abs(np.asarray(booster.predict(rows, pred_contrib=True, num_threads=threads))[:, :-1]).mean(axis=0)
    share = gain / max(float(gain.sum()), np.finfo(np.float64).tiny)
    order = np.argsort(-shap, kind="stable")
    found = [
        {"feature": names[place], "gain_share": float(share[place]), "mean_abs_shap": float(shap[place])}
        for place in order
    ]
    return json.dumps({"rows": len(rows), "features": found}, indent=1, allow_nan=False).encode()
