"""The pictures of the report, as PNG bytes; drawn without a screen and without touching matplotlib's global state."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

Floats = npt.NDArray[np.float64]

_DPI = 110
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
    figure, axes = canvas()
    rows = np.cumsum([row["rows"] for row in gains], dtype=np.float64)
    reached = [0.0, *(row["share_of_payers"] for row in gains)]
    axes.plot([0, 1], [0, 1], color=_PALE, linestyle="--", linewidth=1)
    axes.plot([0.0, *(rows / rows[-1])], reached, color=_ACCENT, marker="o", markersize=4)
    axes.set_xlabel(words["share_of_accounts"])
    axes.set_ylabel(words["share_of_payers"])
    return png(figure)


def beside(
    labels: Sequence[str], rates: Sequence[tuple[float, ...]], told: Sequence[float], names: tuple[str, str]
) -> bytes:
    """A rate with its interval (value, low, high) and what was told of it, label after label."""
    figure, axes = canvas()
    place, found = np.arange(len(labels)), np.array(rates, dtype=np.float64).reshape(-1, 3)
    spread = np.maximum(np.abs(found[:, 1:] - found[:, :1]).T, 0)
    axes.errorbar(place, found[:, 0], yerr=spread, fmt="o", color=_ACCENT, capsize=3, markersize=4, label=names[0])
    axes.plot(place, told, color=_INK, linestyle="--", linewidth=1, marker="x", label=names[1])
    axes.set_xticks(place, labels, rotation=45, ha="right")
    axes.legend(frameon=False)
    return png(figure)


def frontiers(lines: Mapping[str, Sequence[tuple[float, float]]], gained: str) -> bytes:
    """What can be gained at each level of something: one panel by name, of (level, gain) pairs."""
    figure = Figure(figsize=(4.6 * len(lines), 3.8))
    panels = figure.subplots(1, len(lines), sharey=True, squeeze=False)[0]
    for place, (axes, (name, points)) in enumerate(zip(panels, lines.items(), strict=True)):
        level, gain = np.array(sorted(points)).T
        axes.plot(level, gain, color=_ACCENT, marker="o", markersize=4)
        axes.set_xlabel(name)
        axes.grid(visible=True, color="#e4e7eb", linewidth=0.6)
        if place == 0:
            axes.set_ylabel(gained)
    return png(figure)


def canvas() -> tuple[Figure, Any]:
    """An empty drawing with the report's axes."""
    figure = Figure(figsize=(6.2, 4.2))
    axes = figure.subplots()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=_INK)
    axes.grid(visible=True, color="#e4e7eb", linewidth=0.6)
    return figure, axes


def png(figure: Figure) -> bytes:
    """The bytes of a drawing."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=_DPI, bbox_inches="tight", metadata={"Software": None})
    return file.getvalue()


def _against_the_diagonal(
    rows: Sequence[Mapping[str, float]], names: tuple[str, str], labels: tuple[str, str], *, line: str
) -> bytes:
    """The second of two named figures against the first, with its interval ``low`` to ``high`` and the diagonal."""
    figure, axes = canvas()
    told, seen = (np.array([row[name] for row in rows]) for name in names)
    spread = np.array([[row[names[1]] - row["low"], row["high"] - row[names[1]]] for row in rows]).T
    top = float(max(told.max(), seen.max())) * 1.05
    axes.plot([0, top], [0, top], color=_PALE, linestyle="--", linewidth=1)
    axes.errorbar(told, seen, yerr=np.maximum(spread, 0), fmt=line, color=_ACCENT, capsize=3, markersize=4)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    return png(figure)
