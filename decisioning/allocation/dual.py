"""The Lagrangian dual: prices of resources, and a bound that no allocation can exceed.

With a price per resource every account chooses alone. For any prices, what the accounts then get beyond their prices,
plus what the limits are worth at them, is at least the value of every allocation that keeps the limits (weak duality).
The best prices make this bound smallest; it is convex and piecewise linear in them, and is minimised by cutting planes
within a box around the best prices so far (the box-step method, Marsten, Hogan and Blankenship 1975).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.optimize import linprog

from decisioning.allocation.kernel import respond
from decisioning.allocation.problem import Floats, Problem

Choice = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Response:
    """What all accounts do at ``price`` (K,): ``bound``, ``use`` (K,), and their ``choice`` (n,)."""

    price: Floats
    bound: float
    use: Floats
    choice: Choice


@dataclass(frozen=True, slots=True)
class Dual:
    """The best response found, and ``lowest``: no prices bring the bound below it.

    ``lowest`` is what is known of the smallest bound over the admitted prices; −inf where the search ended before it
    was known.
    """

    best: Response
    lowest: float
    passes: int


def respond_to(problem: Problem, price: Floats) -> Response:
    """One pass over all accounts at the given prices.

    Notes
    -----
    A price is negative where a minimum pays for use. A limit counts at positive prices alone, a minimum at negative
    ones: max(price, 0) · limit − max(−price, 0) · minimum.
    """
    choice = np.zeros(len(problem), dtype=np.int16)
    counts = np.zeros(problem.constant.shape[:2], dtype=np.int64)
    pair_use = np.zeros(len(problem.pair_action))
    base, pair_price = problem.constant @ price, price[problem.pair_resource]
    total = respond(
        problem.value, problem.segment, problem.amount, problem.pair_start, base, pair_price, choice, counts, pair_use
    )
    use = np.einsum("sa,sak->k", counts, problem.constant)
    use += np.bincount(problem.pair_resource, pair_use, minlength=problem.resources)
    return Response(price, total + _worth_of_limits(problem, price), use, choice)


def _worth_of_limits(problem: Problem, price: Floats) -> float:
    dear, paid = np.maximum(price, 0.0), np.maximum(-price, 0.0)
    limits = np.where(dear > 0, problem.limit, 0.0)
    return float(dear @ limits - paid @ problem.minimum)


def slope(problem: Problem, response: Response) -> Floats:
    """(K,) a subgradient of the bound: what is left of the limit, or beyond the minimum, on the side of the price."""
    # At a price of 0 any point between both sides will do; one with use between minimum and limit has slope 0.
    inside = np.clip(response.use, problem.minimum, problem.limit)
    side = np.where(response.price > 0, problem.limit, np.where(response.price < 0, problem.minimum, inside))
    return np.asarray(side - response.use, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Box:
    """Where prices are sought: from ``low`` to ``high``, at first within ``radius`` · ``unit`` of the start; (K,)."""

    low: Floats
    high: Floats
    unit: Floats
    radius: float

    def around(self, price: Floats, radius: float) -> tuple[Floats, Floats]:
        """Least and greatest prices within a radius."""
        return np.maximum(self.low, price - radius * self.unit), np.minimum(self.high, price + radius * self.unit)


@dataclass
class _Cuts:
    """Planes below the bound: (slope, height at prices of 0), a row per response."""

    slopes: list[Floats] = field(default_factory=list)
    heights: list[float] = field(default_factory=list)

    def add(self, problem: Problem, response: Response) -> None:
        steep = slope(problem, response)
        self.slopes.append(steep)
        self.heights.append(response.bound - float(steep @ response.price))

    def lowest(self, low: Floats, high: Floats, unit: Floats) -> tuple[Floats, float]:
        """Prices from ``low`` to ``high`` where the highest plane is lowest, and its height there."""
        scale = max(1.0, float(np.abs(self.heights).max()))
        slopes, heights = np.array(self.slopes), np.array(self.heights)
        found = linprog(
            np.r_[np.zeros(len(low)), 1.0], A_ub=np.hstack([slopes * unit / scale, -np.ones((len(slopes), 1))]),
            b_ub=-heights / scale, bounds=[*zip(low / unit, high / unit, strict=True), (None, None)], method="highs",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )  # fmt: skip
        if found.x is None:
            return np.clip(np.zeros(len(low)), low, high), -np.inf
        price = np.clip(found.x[:-1] * unit, low, high)
        # The height is taken from the planes and not from the program, whose own tolerance would be in it.
        return price, float((slopes @ price + heights).max())


def minimise(problem: Problem, start: Floats, box: Box, *, tolerance: float, passes: int) -> Dual:
    """Prices whose bound is within ``tolerance`` (a share of it) of the smallest, or the best of so many passes."""
    best = respond_to(problem, np.clip(start, box.low, box.high))
    unit = np.maximum(box.unit, 1e-12)
    cuts, radius, lowest = _Cuts(), box.radius, -np.inf
    cuts.add(problem, best)
    for used in range(1, passes):
        low, high = box.around(best.price, radius)
        price, height = cuts.lowest(low, high, unit)
        # Back in prices, one that lies on the edge of the box may be an ulp inside it.
        near = 1e-6 * radius * unit
        held = bool(np.any(((price < low + near) & (low > box.low)) | ((price > high - near) & (high < box.high))))
        lowest = lowest if held else max(lowest, height)
        hoped = best.bound - height
        if hoped <= tolerance * max(abs(best.bound), 1e-9):
            if not held:
                return Dual(best, lowest, used)
            radius *= 8.0
            continue
        found = respond_to(problem, price)
        cuts.add(problem, found)
        gained = best.bound - found.bound
        best = found if gained > 0 else best
        if gained >= 0.5 * hoped and held:
            radius *= 2.0
        elif gained < 0.1 * hoped:
            radius *= 0.5
    return Dual(best, lowest, passes)
