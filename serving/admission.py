"""How many requests are taken in: many while they come in bursts, few while more come than can be answered.

A long queue is good for a burst, which it sees through. Where more comes than can be answered for long, it stays full
whatever its length, and all that it does is to make everybody wait for its whole length. So one request that finds it
full makes it short, until nobody was refused for a while; what is refused then is refused at once, and what has waited
too long by then is not computed any more.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from starlette.types import ASGIApp, Receive, Scope, Send

from serving import metrics
from serving.problems import Problem, problem_response
from serving.settings import Limits

CALM_S = 1.0
"""So long nobody must be refused until the queue is as long as before; who was refused may come again by then."""
_PATIENCE = 4.0
_WEIGHT = 0.05
"""What a request usually takes is an average in which each further one has this share."""
_FREE = "/v1/model"


class Admission:
    """Counts the requests in the house, and those of them that are computed or wait for it.

    Who waits for the disk is in nobody's way: the more do, the more share a sync.
    """

    def __init__(self, limits: Limits, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._inside = self._in_line = 0
        self._refused_at = -float("inf")
        self._typical_s: float | None = None

    @property
    def _crowded(self) -> bool:
        return self._clock() - self._refused_at < CALM_S

    def refuses(self) -> bool:
        """Whether there is no room for one more who has come; if so, the queue is short from now on."""
        limits, long_line = self._limits, self._in_line >= self._limits.threads + self._limits.short_queue
        if self._inside < limits.threads + limits.queue and not (long_line and self._crowded):
            return False
        self._refused_at = self._clock()
        return True

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """While a request is in the house.

        Raises
        ------
        Problem : 503 where there is no room for it
        """
        if self.refuses():
            raise no_room()
        self._inside += 1
        metrics.IN_FLIGHT.inc()
        try:
            yield
        finally:
            self._inside -= 1
            metrics.IN_FLIGHT.dec()

    @contextlib.contextmanager
    def in_line(self) -> Iterator[float]:
        """While it is computed, or waits for that; gives the moment at which it came."""
        self._in_line += 1
        try:
            yield self._clock()
        finally:
            self._in_line -= 1

    @contextlib.contextmanager
    def turn(self, *, since: float) -> Iterator[None]:
        """While it is computed.

        Raises
        ------
        Problem : 503 where more come than can be answered, and it has waited for many times what one usually takes
        """
        began = self._clock()
        if self._crowded and began - since > _PATIENCE * (self._typical_s or 0.0):
            raise no_room()
        yield
        took = self._clock() - began
        self._typical_s = took if self._typical_s is None else self._typical_s + _WEIGHT * (took - self._typical_s)


def no_room() -> Problem:
    """What a request is told for which there is no room; counted as sent away."""
    metrics.SHED.labels("full").inc()
    return Problem(503, "as many requests are being computed as this service takes; come again")


class Door:
    """ASGI middleware: who comes to a full house is told so before anything of the request is looked at."""

    def __init__(self, app: ASGIApp, *, admission: Admission) -> None:
        self._app, self._admission = app, admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: refused, or passed on."""
        if scope["type"] == "http" and _is_computed(scope["path"]) and self._admission.refuses():
            problem = no_room()
            metrics.PROBLEMS.labels(route="door", problem=problem.code).inc()
            await problem_response(problem, request_id=scope["state"]["request_id"])(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_computed(path: str) -> bool:
    return path.startswith("/v1/") and path != _FREE
