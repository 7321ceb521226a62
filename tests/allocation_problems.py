"""Small random allocation problems with every corner: ties, nothing allowed, no limit, limits of 0, minimums."""

from __future__ import annotations

from itertools import product

import numpy as np
from hypothesis import strategies as st

from decisioning.allocation.problem import Problem
from decisioning.allocation.repair import use_of


@st.composite
def problems(draw: st.DrawFn, *, most_accounts: int = 5, minimums: bool = False, one_resource: bool = False) -> Problem:
    """Whole values and uses, so that ties and exactly filled limits are common."""
    n, actions = draw(st.integers(1, most_accounts)), draw(st.integers(1, 4))
    resources = 1 if one_resource else draw(st.integers(1, 3))
    segments = draw(st.integers(1, 2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return random_problem(rng, (n, actions, resources, segments), minimums=minimums)


def random_problem(rng: np.random.Generator, shape: tuple[int, int, int, int], *, minimums: bool) -> Problem:
    n, actions, resources, segments = shape
    value = rng.integers(-5, 30, size=(n, actions)).astype(np.float64)
    value[rng.random(value.shape) < 0.2] = rng.choice([np.nan, -np.inf])
    value[:, 0] = 0.0
    constant = rng.integers(0, 3, size=(segments, actions, resources)).astype(np.float64)
    constant[:, 0] = 0.0
    pairs = [(a, k) for a in range(1, actions) for k in range(resources) if rng.random() < 0.3]
    limit = rng.integers(0, 2 * n + 1, size=resources).astype(np.float64)
    minimum = np.minimum(rng.integers(0, n + 1, size=resources), limit) * (rng.random(resources) < 0.5) * minimums
    limit[rng.random(resources) < 0.2] = np.inf
    return Problem(
        value=value, segment=rng.integers(0, segments, size=n), constant=constant,
        amount=rng.integers(0, 4, size=(n, len(pairs))).astype(np.float64),
        pair_action=np.array([a for a, _ in pairs], dtype=np.int64),
        pair_resource=np.array([k for _, k in pairs], dtype=np.int64), limit=limit, minimum=minimum,
    )  # fmt: skip


def worth(problem: Problem, choice: np.ndarray) -> float:
    return float(problem.value[np.arange(len(problem)), choice].sum())


def best_of_all(problem: Problem) -> float:
    """The most that any assignment within limits and minimums is worth, tried one by one; −inf where there is none."""
    best = -np.inf
    for combination in product(range(problem.value.shape[1]), repeat=len(problem)):
        choice = np.array(combination, dtype=np.int16)
        use = use_of(problem, choice)
        if (use <= problem.limit).all() and (use >= problem.minimum).all() and worth(problem, choice) > best:
            best = worth(problem, choice)
    return best
