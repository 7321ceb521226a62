"""Around every request: an id, one log line, metrics, and a plain 500 where something failed inside."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from serving import metrics
from serving.logs import log, where
from serving.naming import method_of, request_id_of, route_of
from serving.problems import Problem, problem_response

_QUIET = frozenset({"/livez", "/readyz", "/metrics"})


class Envelope:
    """ASGI middleware; ``routes`` are the paths that may be named in metrics and logs, whatever else is ``other``.

    Where the service is ``ending``, each answer asks the client to close its connection.
    """

    def __init__(self, app: ASGIApp, *, routes: frozenset[str], ending: Callable[[], bool] = lambda: False) -> None:
        self._app = app
        self._ending = ending
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request; anything that is no HTTP passes through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        # Whatever is logged on the way, in whichever thread, says which request it is about.
        with bound_contextvars(request_id=request_id):
            await self._answered(scope, receive, send, request_id=request_id)

    async def _answered(self, scope: Scope, receive: Receive, send: Send, *, request_id: str) -> None:
        began = time.perf_counter()
        status = 0

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                extra = ((b"x-request-id", request_id.encode()), (b"x-content-type-options", b"nosniff"))
                last = ((b"connection", b"close"),) if self._ending() else ()
                message["headers"] = [*message.get("headers", ()), *extra, *last]
            await send(message)

        try:
            await self._app(scope, receive, answered)
        except Exception as error:  # the last place that can keep a traceback from the client
            log.error("failed", error=where(error))
            if status:
                raise ConnectionError("failed while answering") from None
            failed = Problem(500, "the service failed on this request; its log names the place by request_id")
            await problem_response(failed, request_id=request_id)(scope, receive, answered)
        finally:
            self._tell(scope, status=status or 500, seconds=time.perf_counter() - began)

    def _tell(self, scope: Scope, *, status: int, seconds: float) -> None:
        route, method = route_of(scope, routes=self._routes), method_of(scope)
        metrics.REQUESTS.labels(route=route, method=method, status=str(status)).inc()
        metrics.LATENCY.labels(route=route).observe(seconds)
        if route not in _QUIET:
            state = scope["state"]
            log.info(
                "answered",
                route=route,
                method=method,
                status=status,
                ms=round(seconds * 1e3, 2),
                accounts=state.get("accounts", 0),
            )
