"""A waterfall of contributions, as numbers to draw: from the base, step by step, to the probability that was served."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_STEPS = 10
_LEFT, _RIGHT, _ROW = 26.0, 250.0, 26.0
WIDTH = 320
"""Of the drawing, in its own units; its text keeps a readable size on a phone, which is about as wide."""


@dataclass(frozen=True, slots=True)
class Step:
    """One bar: what it adds (``None`` of the two totals), where it ends, and its place in the drawing."""

    label: str
    adds: float | None
    stands: float
    x: float
    width: float
    y: float


@dataclass(frozen=True, slots=True)
class Waterfall:
    """The bars in their order, and all contributions by what they add, largest first."""

    steps: Sequence[Step]
    height: float
    everything: Sequence[tuple[str, float]]

    @property
    def base(self) -> float:
        """Where it begins."""
        return self.steps[0].stands

    @property
    def end(self) -> float:
        """Where it ends."""
        return self.steps[-1].stands


def waterfall(
    explanation: Mapping[str, Any], *, say: Callable[[str, float | None], str], names: Callable[[str, int], str]
) -> Waterfall:
    """The waterfall of a record's explanation (``base`` and ``contributions``).

    Parameters
    ----------
    say : a feature and its value in words
    names : what ``base``, ``rest`` and ``end`` are called, given how many features they stand for
    """
    found = sorted(explanation["contributions"], key=lambda one: -abs(one["contribution"]))
    everything = [
        (say(one["feature"], one["value"]), float(one["contribution"])) for one in found if one["contribution"]
    ]
    shown, rest = everything[:MOST_STEPS], everything[MOST_STEPS:]
    parts = [*shown, (names("rest", len(rest)), sum(adds for _, adds in rest))] if rest else shown
    stands = [float(explanation["base"])]
    for _, adds in parts:
        stands.append(stands[-1] + adds)
    scale = _scale(stands)
    base = Step(names("base", 0), None, stands[0], *scale(0.0, stands[0]), y=0.0)
    steps = [
        Step(label, adds, after, *scale(before, after), y=_ROW * place)
        for place, ((label, adds), before, after) in enumerate(zip(parts, stands[:-1], stands[1:], strict=True), 1)
    ]
    last = Step(names("end", 0), None, stands[-1], *scale(0.0, stands[-1]), y=_ROW * (len(steps) + 1))
    return Waterfall([base, *steps, last], _ROW * (len(steps) + 2), everything)


def _scale(stands: Sequence[float]) -> Callable[[float, float], tuple[float, float]]:
    """From two probabilities to the left end and the width of the bar between them; zero is always in the drawing."""
    low, high = min(0.0, *stands), max(1e-9, *stands)
    unit = (_RIGHT - _LEFT) / (high - low)

    def bar(one: float, other: float) -> tuple[float, float]:
        left = _LEFT + (min(one, other) - low) * unit
        return round(left, 2), round(max(abs(other - one) * unit, 0.75), 2)

    return bar
