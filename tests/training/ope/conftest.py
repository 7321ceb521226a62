"""Logs with known truth: contexts, a logging policy that explores, rewards that an action moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from training.ope.estimators import Log, Target
from training.ope.outcome import cross_fitted, folds_of

Floats = npt.NDArray[np.float64]
EFFECTS = np.array([0.0, 4.0, -3.0, 1.0])


@dataclass(frozen=True)
class World:
    """A log of debtors with several decisions each, its covariate, and the true value of the evaluated policy."""

    log: Log
    target: Target
    covariate: Floats
    action: npt.NDArray[np.int64]
    truth: float


def _world(rng: np.random.Generator, *, debtors: int = 400, noise: float = 8.0) -> World:
    """Decisions of one debtor share a trait, so they depend on each other; amounts are skewed as money is."""
    sizes = rng.integers(1, 5, size=debtors)
    cluster = np.repeat(np.arange(debtors), sizes)
    trait = rng.gamma(2.0, 5.0, size=debtors)[cluster]
    covariate = trait + rng.normal(size=len(cluster))
    # The ladder goes by the covariate and explores a fifth of the time.
    ladder = np.where(covariate > 10.0, 3, 0)
    chances = np.full((len(cluster), 4), 0.05)
    chances[np.arange(len(cluster)), ladder] += 0.8
    action = (rng.random(len(cluster))[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    reward = trait + EFFECTS[action] + rng.gamma(1.0, noise, size=len(cluster)) - noise
    # The evaluated policy prefers action 1, and action 3 where the covariate is large.
    pi = np.full((len(cluster), 4), 0.05)
    pi[np.arange(len(cluster)), np.where(covariate > 12.0, 3, 1)] += 0.8
    rows = np.arange(len(cluster))
    log = Log(chances[rows, action], reward, cluster)
    q = cross_fitted(covariate[:, None], reward, folds_of(cluster))
    return World(log, Target(pi[rows, action], q, q), covariate, action, truth=_TRUTH)


def _truth() -> float:
    """The policy's value, from two million contexts: its error is a hundredth of an interval's width."""
    rng = np.random.default_rng(7)
    trait = rng.gamma(2.0, 5.0, size=2_000_000)
    high = float((trait + rng.normal(size=len(trait)) > 12.0).mean())
    best = high * EFFECTS[3] + (1.0 - high) * EFFECTS[1]
    return 10.0 + 0.8 * best + 0.05 * float(EFFECTS.sum())


_TRUTH = _truth()


@pytest.fixture
def world() -> Callable[..., World]:
    return _world
