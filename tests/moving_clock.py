"""A clock that a test sets forward."""

from __future__ import annotations

from datetime import UTC, datetime

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


class MovingClock:
    """Tells ``now``, which starts at ``START`` and moves where the test says so."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now
