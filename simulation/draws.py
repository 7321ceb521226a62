"""Random draws as a function of who, when and what for: no state, so every counterfactual world shares its luck."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simulation.parts import part

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_TO_UNIT = 1.0 / 9007199254740992.0  # 2^-53


@part
def mixed(key: Any, number: int) -> np.uint64:
    """A new 64-bit key from a key and a number (the finaliser of splitmix64, Steele et al. 2014)."""
    z = np.uint64(key) + _GOLDEN * np.uint64(number + 1)
    z = (z ^ (z >> np.uint64(30))) * _FIRST
    z = (z ^ (z >> np.uint64(27))) * _SECOND
    return z ^ (z >> np.uint64(31))


@part
def uniform(key: Any, day: int, purpose: int) -> float:
    """The draw in [0, 1) that belongs to a key, a day and a purpose."""
    z = mixed(mixed(key, day), purpose)
    return float(np.float64(z >> np.uint64(11)) * _TO_UNIT)


@part
def sigmoid(logit: float) -> float:
    """Probability of a log-odds."""
    return 1.0 / (1.0 + math.exp(-logit))


@part
def whole(draw: float, low: int, high: int) -> int:
    """A whole number in [low, high] from one draw."""
    return low + min(int(draw * (high - low + 1)), high - low)
