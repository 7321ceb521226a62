"""Margins into probabilities: strictly increasing maps, so that order and contributions survive them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from domain.errors import BundleError

Floats = npt.NDArray[np.float64]

MIN_SLOPE = 1e-4
"""Least rise of an isotonic map per unit of margin: plain isotonic regression is flat between its steps."""
_EDGE = 1e-6
"""Isotonic knots stay this far from 0 and 1, so that its tails have room to keep rising."""


@dataclass(frozen=True)
class Calibrator:
    """A strictly increasing map from a booster's raw margin to a probability in (0, 1).

    ``platt`` is the logistic function of ``a``·margin + ``b``. ``isotonic`` interpolates the knots ``x``, ``y``
    linearly; beyond them it goes on from the slope of the outermost segment, bent so that it never leaves (0, 1).
    Built by :meth:`platt` and :meth:`isotonic`, which check and mend what they are given.
    """

    kind: Literal["platt", "isotonic"]
    a: float = 1.0
    b: float = 0.0
    x: tuple[float, ...] = ()
    y: tuple[float, ...] = ()

    @classmethod
    def platt(cls, a: float, b: float) -> Calibrator:
        """The logistic calibrator; ``a`` must be positive, or the map would not increase."""
        if not (np.isfinite(a) and np.isfinite(b) and a > 0):
            raise BundleError(f"found the Platt calibrator a={a}, b={b}; needed finite numbers with a > 0; refit it")
        return cls(kind="platt", a=float(a), b=float(b))

    @classmethod
    def isotonic(cls, x: npt.ArrayLike, y: npt.ArrayLike) -> Calibrator:
        """The calibrator through isotonic knots, raised to the minimum slope.

        Parameters
        ----------
        x : (k,) margins, k ≥ 2 distinct after sorting; of equal ones the mean of ``y`` counts
        y : (k,) probabilities, non-decreasing in ``x``
        """
        margins, inverse = np.unique(np.asarray(x, dtype=np.float64), return_inverse=True)
        sums = np.bincount(inverse, weights=np.asarray(y, dtype=np.float64))
        means = sums / np.bincount(inverse)
        if len(margins) < 2 or not (np.isfinite(margins).all() and np.isfinite(means).all()):
            raise BundleError(f"found {len(margins)} distinct isotonic knots, needed at least 2 finite ones; use platt")
        probabilities = _raised(margins, np.maximum.accumulate(means))
        return cls(kind="isotonic", x=tuple(margins.tolist()), y=tuple(probabilities.tolist()))

    def apply(self, margin: Floats) -> Floats:
        """Probabilities of margins, any shape."""
        if self.kind == "platt":
            return _logistic(self.a * margin + self.b)
        (x, y), (low, high) = self._knots, self._tails
        below = y[0] * np.exp(np.minimum(low * (margin - x[0]), 0.0))
        above = 1.0 - (1.0 - y[-1]) * np.exp(np.minimum(-high * (margin - x[-1]), 0.0))
        inside = np.interp(margin, x, y)
        return np.asarray(np.where(margin < x[0], below, np.where(margin > x[-1], above, inside)), dtype=np.float64)

    def slope(self, margin: Floats) -> Floats:
        """Local slope dp/dmargin; at a knot that of the segment on its right."""
        p = self.apply(margin)
        if self.kind == "platt":
            return np.asarray(self.a * p * (1.0 - p))
        x, slope = np.asarray(self.x), np.diff(self.y) / np.diff(self.x)
        low, high = self._tails
        inside = slope[np.clip(np.searchsorted(x, margin, side="right") - 1, 0, len(slope) - 1)]
        tails = np.where(margin < x[0], low * p, high * (1.0 - p))
        return np.asarray(np.where((margin < x[0]) | (margin > x[-1]), tails, inside), dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """What ``calibration.json`` holds; floats written in full, so that reading gives the same map."""
        if self.kind == "platt":
            return {"kind": "platt", "a": self.a, "b": self.b}
        return {"kind": "isotonic", "x": list(self.x), "y": list(self.y)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Calibrator:
        """Reads what :meth:`to_json` wrote; anything that does not strictly increase is a ``BundleError``."""
        if data.get("kind") == "platt":
            return cls.platt(float(data["a"]), float(data["b"]))
        if data.get("kind") != "isotonic":
            raise BundleError(f"found the calibrator kind {data.get('kind')!r}, needed platt or isotonic")
        found = cls(kind="isotonic", x=tuple(map(float, data["x"])), y=tuple(map(float, data["y"])))
        rising = len(found.x) == len(found.y) >= 2 and bool(
            (np.diff(found.x) > 0).all() and (np.diff(found.y) > 0).all()
        )
        if not (rising and found.y[0] > 0.0 and found.y[-1] < 1.0):
            raise BundleError("found an isotonic calibrator that does not strictly increase within (0, 1); refit it")
        return found

    @cached_property
    def _knots(self) -> tuple[Floats, Floats]:
        return np.asarray(self.x), np.asarray(self.y)

    @cached_property
    def _tails(self) -> tuple[float, float]:
        """Rates at which the tails approach 0 and 1: those of the outermost segments, or of a logistic if steeper."""
        (x0, x1), (y0, y1) = self.x[:2], self.y[:2]
        (x2, x3), (y2, y3) = self.x[-2:], self.y[-2:]
        return min((y1 - y0) / (x1 - x0) / y0, 1.0), min((y3 - y2) / (x3 - x2) / (1.0 - y3), 1.0)


def _raised(x: Floats, y: Floats) -> Floats:
    """The lowest curve above ``y`` that rises by the minimum slope, then pressed under 1 from the right."""
    slope = min(MIN_SLOPE, 0.5 / (x[-1] - x[0]))
    ramp = slope * (x - x[0])
    raised = np.maximum.accumulate(np.clip(y, _EDGE, 1.0 - _EDGE) - ramp) + ramp
    pressed: Floats = np.minimum(raised, 1.0 - _EDGE - slope * (x[-1] - x))
    return pressed


def _logistic(z: Floats) -> Floats:
    with np.errstate(over="ignore"):
        return np.asarray(1.0 / (1.0 + np.exp(-z)), dtype=np.float64)
