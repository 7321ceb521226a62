"""Allocation: which account gets what there is not enough of, at which price, and how far that is from the best."""

from decisioning.allocation.problem import Problem
from decisioning.allocation.solver import Solution, solve

__all__ = ["Problem", "Solution", "solve"]
