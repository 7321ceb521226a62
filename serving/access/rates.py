"""How often each client may come, by a moving window in this worker's memory."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from limits import parse


class Rates:
    """How often each client may come, such as ``50/second``; for one thread, that of the event loop.

    ``limits`` reads the rate. Its own window in memory starts a thread for nearly every request, and copies what it
    remembers of the client there.
    """

    def __init__(self, rate: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        read = parse(rate)
        self._most, self._width_s, self._clock = read.amount, read.get_expiry(), clock
        self._came: dict[str, deque[float]] = {}
        self._forgot_at = clock()

    def wait_s(self, client: str) -> int:
        """Counts one request; 0 where it may pass, else in how many seconds the next may."""
        now = self._clock()
        since = now - self._width_s
        if self._forgot_at < since:
            self._came = {one: times for one, times in self._came.items() if times[-1] >= since}
            self._forgot_at = now
        came = self._came.get(client)
        if came is None:
            came = self._came[client] = deque(maxlen=self._most)
        if len(came) == self._most and came[0] >= since:
            return max(1, math.ceil(came[0] - since))
        # Where it is full, the first one makes room for it.
        came.append(now)
        return 0
