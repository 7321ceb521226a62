"""Where requests come in: past everything that the framework under the app would put before them."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class FrontDoor:
    """ASGI middleware that hands every request to the app, before any route of the framework.

    Once started it stands before the framework's other middlewares too. One of those sets a timer for each request and
    never cancels it: what a request held would stay in memory until its time is over, an hour after it was answered.
    """

    def __init__(self, framework: ASGIApp, *, target: ASGIApp) -> None:
        self._framework = framework
        self._target = target

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """HTTP goes to the app; start and end are the framework's."""
        if scope["type"] == "lifespan":
            scope["app"].middleware_stack = self
        inner = self._target if scope["type"] == "http" else self._framework
        await inner(scope, receive, send)
