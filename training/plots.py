"""The pictures of the report, as PNG bytes; drawn without a screen and without touching matplotlib's global state."""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_DPI = 110
_SHOWN = 15
_INK, _ACCENT, _PALE = "#1f2933", "#0b6e4f", "#9aa5b1"


def calibration(reliability: Sequence[Mapping[str, float]], words: Mapping[str, str]) -> bytes:
    """Observed rate against predicted probability, with the interval of each bin and the diagonal."""
    figure, axes = _canvas()
    predicted = np.array([row["mean_p_pay"] for row in reliability])
    rate = np.array([row["rate"] for row in reliability])
    spread = np.array([[row["rate"] - row["low"], row["high"] - row["rate"]] for row in reliability]).T
    top = float(max(predicted.max(), rate.max())) * 1.05
    axes.plot([0, top], [0, top], color=_PALE, linestyle="--", linewidth=1)
    axes.errorbar(predicted, rate, yerr=np.maximum(spread, 0), fmt="o-", color=_ACCENT, capsize=3, markersize=4)
    axes.set_xlabel(words["predicted"])
    axes.set_ylabel(words["observed"])
    return _png(figure)


def money(bands: Sequence[Mapping[str, float]], words: Mapping[str, str]) -> bytes:
    """What came in against what was expected, by tenth of explored decisions, with intervals and the diagonal."""
    figure, axes = _canvas()
    expected, came = (np.array([band[name] for band in bands]) for name in ("expected", "came"))
    spread = np.array([[band["came"] - band["low"], band["high"] - band["came"]] for band in bands]).T
    top = float(max(expected.max(), came.max())) * 1.05
    axes.plot([0, top], [0, top], color=_PALE, linestyle="--", linewidth=1)
    axes.errorbar(expected, came, yerr=np.maximum(spread, 0), fmt="o", color=_ACCENT, capsize=3, markersize=4)
    axes.set_xlabel(words["money_expected"])
    axes.set_ylabel(words["money_came"])
    return _png(figure)


def cumulative_gains(gains: Sequence[Mapping[str, float]], words: Mapping[str, str]) -> bytes:
    """Share of payers reached by contacting from the highest probability down."""
    figure, axes = _canvas()
    rows = np.cumsum([row["rows"] for row in gains], dtype=np.float64)
    reached = [0.0, *(row["share_of_payers"] for row in gains)]
    axes.plot([0, 1], [0, 1], color=_PALE, linestyle="--", linewidth=1)
    axes.plot([0.0, *(rows / rows[-1])], reached, color=_ACCENT, marker="o", markersize=4)
    axes.set_xlabel(words["share_of_accounts"])
    axes.set_ylabel(words["share_of_payers"])
    return _png(figure)


def shap_bar(contributions: Floats, values: Floats, names: Sequence[str]) -> bytes:
    """Mean absolute contribution of the strongest features, in log-odds."""
    return _shap("bar", contributions, values, names)


def shap_beeswarm(contributions: Floats, values: Floats, names: Sequence[str]) -> bytes:
    """Every row's contribution of the strongest features, coloured by the feature's value."""
    return _shap("beeswarm", contributions, values, names)


def _shap(kind: str, contributions: Floats, values: Floats, names: Sequence[str]) -> bytes:
    state = np.random.get_state()  # shap draws from numpy's global generator
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import shap  # noqa: PLC0415  (three seconds that only a report pays)

        found = shap.Explanation(
            values=contributions[:, :-1].copy(),
            base_values=contributions[:, -1].copy(),
            data=values.copy(),
            feature_names=list(names),
        )
        np.random.seed(0)
        plt.figure()
        try:
            # The plots change the Explanation they are given (shap issue 2240).
            getattr(shap.plots, kind)(copy.deepcopy(found), max_display=_SHOWN, show=False)
            return _png(plt.gcf())
        finally:
            np.random.set_state(state)


def _canvas() -> tuple[Figure, Any]:
    figure, axes = plt.subplots(figsize=(6.2, 4.2))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=_INK)
    axes.grid(visible=True, color="#e4e7eb", linewidth=0.6)
    return figure, axes


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=_DPI, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
    return file.getvalue()
