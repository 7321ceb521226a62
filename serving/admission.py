"""How many requests are taken in: many while they come in bursts, few while more come than can be answered.

A long queue is good for a burst, which it sees through. Where more come than can be answered for long, it stays full
whatever its length, and all that it does is to make everybody wait for its whole length. So one request that finds it
full makes it short, until nobody was refused for a while; what has waited too long by then is not computed any more;
and a refusal costs as little as one can.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Iterator

from starlette.types import ASGIApp, Receive, Scope, Send

from serving import metrics
from serving.logs import log
from serving.naming import ID_LENGTH, method_of, request_id_of, route_of
from serving.problems import Problem, problem_response
from serving.settings import Limits

CALM_S = 1.0
"""So long nobody must be refused until the queue is as long as before; who was refused may come again by then."""
_PATIENCE = 3.0
_WEIGHT = 0.05
"""What a request usually takes is an average in which each further one has this share."""
TELL_S = 1.0
"""A flood of refusals is one line of the log in so many seconds."""
_FREE = "/v1/model"
_NO_ROOM = "as many requests are being computed as this service takes; come again"


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
        limits, long_line = self._limits, self._in_line >= self._limits.computed + self._limits.short_queue
        if self._inside < limits.computed + limits.queue and not (long_line and self._crowded):
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
    def turn(self, *, since: float, large: bool = False) -> Iterator[None]:
        """While it is computed.

        Raises
        ------
        Problem : 503 where more come than can be answered, and it has waited for many times what one usually takes
        """
        began = self._clock()
        if not large and self._crowded and began - since > _PATIENCE * (self._typical_s or 0.0):
            raise no_room()
        yield
        if not large:
            took = self._clock() - began
            self._typical_s = took if self._typical_s is None else self._typical_s + _WEIGHT * (took - self._typical_s)


def no_room() -> Problem:
    """What a request is told for which there is no room; counted as sent away."""
    metrics.SHED.labels("full").inc()
    return Problem(503, _NO_ROOM)


class Door:
    """ASGI middleware, the outermost: who comes to a full house is told so before anything of the request is looked at.

    In a flood nearly all requests end here, on the core that has to answer the others. So the answer is ready but for
    its id, and all refusals of a second are one line of the log. ``routes`` and ``ending`` are those of ``Envelope``.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        admission: Admission,
        routes: Collection[str] = (),
        ending: Callable[[], bool] = lambda: False,
    ) -> None:
        self._app, self._admission, self._routes, self._ending = app, admission, routes, ending
        self._answer = _Answer()
        self._unsaid = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: refused, or passed on."""
        if scope["type"] != "http" or not _is_computed(scope["path"]) or not self._admission.refuses():
            await self._app(scope, receive, send)
            return
        problem = no_room()
        metrics.PROBLEMS.labels(route="door", problem=problem.code).inc()
        route, method = route_of(scope, routes=self._routes), method_of(scope)
        metrics.REQUESTS.labels(route=route, method=method, status=str(problem.status)).inc()
        self._note()
        await self._answer.send(send, request_id=request_id_of(scope), last=self._ending())

    def _note(self) -> None:
        self._unsaid += 1
        if self._unsaid == 1:
            asyncio.get_running_loop().call_later(TELL_S, self._tell)

    def _tell(self) -> None:
        log.warning("turned away", requests=self._unsaid, seconds=TELL_S)
        self._unsaid = 0


class _Answer:
    """The refusal as it is sent, written once and cut where the request's id belongs."""

    def __init__(self) -> None:
        anybody = "0" * ID_LENGTH
        written = problem_response(Problem(503, _NO_ROOM), request_id=anybody)
        self._status = written.status_code
        self._before, self._after = bytes(written.body).split(anybody.encode())
        self._headers = written.raw_headers

    async def send(self, send: Send, *, request_id: str, last: bool) -> None:
        """Sends it; the ``last`` one on its connection closes that."""
        own = request_id.encode()
        headers = [*self._headers, (b"x-request-id", own), (b"x-content-type-options", b"nosniff")]
        if last:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        await send({"type": "http.response.body", "body": self._before + own + self._after})


def _is_computed(path: str) -> bool:
    return path.startswith("/v1/") and path != _FREE
