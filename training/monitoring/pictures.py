"""Small multiples of one section: a panel for each thing that is watched, week after week."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from training.monitoring.checks import Check
from training.plots import png

_COLUMNS = 4
_LINE, _PALE = "#1f2933", "#7b8794"
_MARKS: dict[str, tuple[str, str]] = {
    "green": ("o", "#0b6e4f"), "amber": ("^", "#8a5300"), "red": ("s", "#b01c1c"), "cannot_tell": ("x", "#7b8794"),
    "by_nature": ("d", "#7b8794"),
}  # fmt: skip
"""Shape and colour of a state: the shape alone tells it too."""


def small_multiples(panels: Sequence[tuple[str, Sequence[Check]]]) -> bytes:
    """One panel each, (title, its checks in order of weeks), as PNG."""
    rows = -(-len(panels) // _COLUMNS)
    figure = Figure(figsize=(3.1 * _COLUMNS, 2.1 * rows), layout="constrained")
    grid = figure.subplots(rows, _COLUMNS, squeeze=False).ravel()
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    for axes, (title, checks) in zip(grid, panels, strict=False):
        _panel(axes, title, checks)
    return png(figure)


def _panel(axes: Any, title: str, checks: Sequence[Check]) -> None:
    place = np.arange(len(checks))
    axes.plot(place, _numbers([one.found.value for one in checks]), color=_LINE, linewidth=1)
    axes.plot(place, _numbers([one.found.before for one in checks]), color=_PALE, linewidth=1, linestyle="--")
    for where, one in enumerate(checks):
        if one.found.interval is not None and one.found.value is not None:
            axes.vlines(where, *one.found.interval, color=_PALE, linewidth=1)
        if one.found.value is not None and one.state in _MARKS:
            marker, colour = _MARKS[one.state]
            axes.plot([where], [one.found.value], marker=marker, color=colour, markersize=5)
    axes.set_title(title, fontsize=8)
    axes.set_xticks(place, [one.found.week[5:] for one in checks], rotation=90, fontsize=6)
    axes.tick_params(axis="y", labelsize=7)
    axes.grid(visible=True, color="#e4e7eb", linewidth=0.5)
    axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _numbers(values: Sequence[float | None]) -> list[float]:
    return [float("nan") if one is None else one for one in values]
