"""How long each step of a run took, by the clock and by the processor."""

from __future__ import annotations

import time
from collections.abc import Callable

OnStep = Callable[[str, float], None]


class Stopwatch:
    """Called with the name of each step as it starts; ``seconds`` are wall and CPU seconds of those that ended.

    Parameters
    ----------
    shares : by step, the share of the work done before it, which ``on_step`` is told
    """

    def __init__(self, shares: dict[str, float], on_step: OnStep | None) -> None:
        self.seconds: dict[str, dict[str, float]] = {}
        self._shares, self._on_step = shares, on_step
        self._running: tuple[str, float, float] | None = None

    def metrics(self) -> dict[str, float]:
        """The same as metrics by name: ``wall_s/<step>`` and ``cpu_s/<step>``."""
        return {f"{kind}_s/{step}": found for step, both in self.seconds.items() for kind, found in both.items()}

    def within(self, what: str, part: float) -> None:
        """Tells what the running step is at, and which ``part`` of it, 0 to 1, is done."""
        if self._running is None or self._on_step is None:
            return
        name, share = self._running[0], self._shares[self._running[0]]
        later = min((one for one in self._shares.values() if one > share), default=1.0)
        self._on_step(f"{name}: {what}", share + part * (later - share))

    def __call__(self, step: str) -> None:
        """Ends the step before, and starts this one."""
        now = (time.perf_counter(), time.process_time())
        if self._running is not None:
            name, wall, cpu = self._running
            self.seconds[name] = {"wall": round(now[0] - wall, 3), "cpu": round(now[1] - cpu, 3)}
        self._running = (step, *now)
        if self._on_step is not None:
            self._on_step(step, self._shares[step])
