from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from training.reporting.intervals import Scored
from training.reporting.policy import ReportPolicy, load_policy


@pytest.fixture(scope="session")
def policy() -> ReportPolicy:
    """That of the repository."""
    return load_policy(Path("configs"))


@pytest.fixture(scope="session")
def world() -> Callable[..., Scored]:
    """``world(rows, seed, per_debtor, bend)``: outcomes drawn with probability ``p`` to the power of ``bend``."""

    def drawn(rows: int = 2_000, *, seed: int = 0, per_debtor: int = 1, bend: float = 1.0) -> Scored:
        rng = np.random.default_rng(seed)
        p = rng.beta(2.0, 3.0, size=rows).round(3)
        return Scored((rng.random(rows) < p**bend).astype(float), p, np.arange(rows) // per_debtor)

    return drawn
