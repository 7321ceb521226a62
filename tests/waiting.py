"""Waiting for what another thread or process brings about."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(holds: Callable[[], bool]) -> None:
    """Returns once it holds; fails where it never does."""
    for _ in range(9_000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("never came to hold")
