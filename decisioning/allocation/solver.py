"""The allocation of a portfolio: prices, a choice within the limits, and how far from the best possible it can be."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from decisioning.allocation.dual import Box, Choice, Dual, minimise, respond_to
from decisioning.allocation.kernel import extremes
from decisioning.allocation.problem import Floats, Problem
from decisioning.allocation.repair import repair

_STAGES = (10_000, 100_000)
"""Accounts of the samples that prices are sought on first, where there are several times as many."""
_RICH = 4.0
"""A minimum pays up to so many times what one more unit can cost on any account; beyond that it is out of reach."""


@dataclass(frozen=True, slots=True)
class Solution:
    """``choice`` (n,) of actions, its ``use`` (K,) and ``value``; ``price`` (K,) of a unit of each resource.

    No allocation within the limits and minimums is worth more than ``bound``, and ``lowest`` is below what any prices
    could make of it (−inf where that is not known). ``shortfall`` (K,) is what lacks to a minimum; the bound then is
    that of allocations which use as much as this one. ``most`` (K,) is what could be used if nothing else mattered.
    ``passes`` over all accounts were needed to find the prices.
    """

    choice: Choice
    use: Floats
    value: float
    price: Floats
    bound: float
    lowest: float
    shortfall: Floats
    most: Floats
    passes: int

    @property
    def gap(self) -> float:
        """How much more than ``value`` might be possible at most, as a share of the bound."""
        return (self.bound - self.value) / abs(self.bound) if self.bound else 0.0


def solve(problem: Problem, *, tolerance: float = 1e-6, passes: int = 300) -> Solution:
    """An allocation within all limits, near the best, with the price of each resource.

    Parameters
    ----------
    tolerance : share of the bound to which prices are sought
    passes : over all accounts, at most

    Notes
    -----
    The same problem gives the same solution on any number of threads: nothing is drawn, and sums go in one order. A
    minimum that cannot be reached lowers no other: it is told as ``shortfall``.
    """
    low, high, most = _caps(problem)
    found = _search(problem, (low, high), tolerance=tolerance, passes=passes)
    choice, use = repair(problem, found.best)
    shortfall = np.maximum(problem.minimum - use, 0.0)
    if shortfall.any():
        # Prices that pay for what cannot be had are no use: they are sought again for what can be.
        reached = replace(problem, minimum=np.minimum(problem.minimum, use))
        again = _search(reached, (low, high), tolerance=tolerance, passes=passes)
        choice, use = repair(reached, again.best)
        shortfall = np.maximum(problem.minimum - use, 0.0)
        # From other prices moves may reach the minimum after all; then the first bound is true of it, and closer.
        found = again if shortfall.any() else found
    value = float(problem.value[np.arange(len(problem)), choice].sum(dtype=np.float64))
    return Solution(choice, use, value, found.best.price, found.best.bound, found.lowest, shortfall, most, found.passes)


def _search(problem: Problem, caps: tuple[Floats, Floats], *, tolerance: float, passes: int) -> Dual:
    """Prices of samples first, so that the box around those of all accounts is small from the start."""
    # Nobody uses what is not there: its price starts where nobody would pay it.
    price = np.where(problem.limit > 0, 0.0, caps[1])
    widest = np.maximum(caps[1], -caps[0])
    unit, radius = widest, 0.05
    for size in _STAGES:
        if 4 * size > len(problem):
            break
        box = Box(*caps, unit, radius)
        price = minimise(problem.sample(size), price, box, tolerance=tolerance, passes=passes).best.price
        # From now on in proportion to the prices themselves, which a sample misses by some percent.
        unit, radius = np.maximum(np.abs(price), 1e-3 * widest), 5.0 / np.sqrt(size)
    return minimise(problem, price, Box(*caps, unit, radius), tolerance=tolerance, passes=passes)


def _caps(problem: Problem) -> tuple[Floats, Floats, Floats]:
    """Least and greatest price that can matter of each resource, and how much of it can be used, (K,) each.

    Notes
    -----
    With nothing but limits a price above (all value at prices of 0) / limit makes the bound worse than prices of 0 do.
    What minimums pay is added to the value.
    """
    nothing = np.zeros(problem.resources)
    dearest, costliest, most = nothing.copy(), nothing.copy(), nothing.copy()
    parts = problem.value, problem.segment, problem.constant, problem.amount, problem.pair_start, problem.pair_resource
    if problem.minimum.any() or not problem.limit.all():
        extremes(*parts, nothing, dearest, costliest, most)
    low = np.where(problem.minimum > 0, -_RICH * costliest, 0.0)
    if problem.minimum.any():
        extremes(*parts, -low, dearest, costliest, nothing.copy())
    whole = respond_to(problem, nothing).bound - float(low @ problem.minimum)
    # A little more than the greatest value, so that at this price nobody uses any.
    high = np.divide(whole, problem.limit, out=dearest * (1.0 + 1e-9), where=problem.limit > 0)
    return low, np.where(np.isfinite(problem.limit), high, 0.0), most
