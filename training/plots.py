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
    labels = words["predicted"], words["observed"]
    return _against_the_diagonal(reliability, ("mean_p_pay", "rate"), labels, line="o-")


def money(bands: Sequence[Mapping[str, float]], words: Mapping[str, str]) -> bytes:
    """What came in against what was expected, by tenth of explored decisions, with intervals and the diagonal."""
    labels = words["money_expected"], words["money_came"]
    return _against_the_diagonal(bands, ("expected", "came"), labels, line="o")


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


def frontiers(lines: Mapping[str, Sequence[tuple[float, float]]], gained: str) -> bytes:
    """What can be gained at each level of something: one panel by name, of (level, gain) pairs."""
    figure, panels = plt.subplots(1, len(lines), figsize=(4.6 * len(lines), 3.8), sharey=True)
    for place, (axes, (name, points)) in enumerate(zip(np.atleast_1d(panels), lines.items(), strict=True)):
        level, gain = np.array(sorted(points)).T
        axes.plot(level, gain, color=_ACCENT, marker="o", markersize=4)
        axes.set_xlabel(name)
        axes.grid(visible=True, color="#e4e7eb", linewidth=0.6)
        if place == 0:
            axes.set_ylabel(gained)
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


def _against_the_diagonal(
    rows: Sequence[Mapping[str, float]], names: tuple[str, str], labels: tuple[str, str], *, line: str
) -> bytes:
    """The second of two named figures against the first, with its interval ``low`` to ``high`` and the diagonal."""
    figure, axes = _canvas()
    told, seen = (np.array([row[name] for row in rows]) for name in names)
    spread = np.array([[row[names[1]] - row["low"], row["high"] - row[names[1]]] for row in rows]).T
    top = float(max(told.max(), seen.max())) * 1.05
    axes.plot([0, top], [0, top], color=_PALE, linestyle="--", linewidth=1)
    axes.errorbar(told, seen, yerr=np.maximum(spread, 0), fmt=line, color=_ACCENT, capsize=3, markersize=4)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    return _png(figure)
