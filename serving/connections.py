"""The web server's connections: no websockets, and none that keeps it waiting.

uvicorn gives a connection no time in which its request has to arrive, nor one in which its answer has to be read: a
client that sends a byte now and then, or reads none, would hold a socket and its buffers for as long as it likes. And
it upgrades to websockets wherever a library for them is installed, past every route and key of this API.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import weakref
from collections.abc import AsyncIterator, Iterable
from typing import Any

import uvicorn

WAIT_S = 15.0
"""A connection is closed where this long neither the head of a request was completed nor anything of an answer read."""
_LOOK_S = 1.0

_State = tuple[weakref.ref[Any] | None, bool, int]


def running_server() -> uvicorn.Server | None:
    """The web server that runs in this thread, by the signal that ends it; none in tests."""
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return server if isinstance(server, uvicorn.Server) else None


class Patience:
    """How long connections are waited for: a connection that stays as it is for ``wait_s`` seconds is closed.

    A request that is being computed, or whose body is being read, is not its business: those have limits of their own.
    """

    def __init__(self, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._seen: weakref.WeakKeyDictionary[Any, tuple[_State | None, float]] = weakref.WeakKeyDictionary()

    @contextlib.asynccontextmanager
    async def watching(self, server: uvicorn.Server | None) -> AsyncIterator[None]:
        """Looks at the connections of a server for as long as the block lasts; at nothing without one."""
        if server is None:
            yield
            return
        server.config.ws_protocol_class = None
        looking = asyncio.create_task(self._look(server))
        try:
            yield
        finally:
            looking.cancel()

    async def _look(self, server: uvicorn.Server) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(min(_LOOK_S, self._wait_s / 4))
            for late in self.late(list(server.server_state.connections), now_s=loop.time()):
                late.transport.abort()

    def late(self, connections: Iterable[Any], *, now_s: float) -> list[Any]:
        """Those of the connections that are waited for, and were last seen to change too long ago."""
        found = []
        for connection in connections:
            state = _state(connection)
            before, since = self._seen.get(connection, (None, now_s))
            if state is None or state != before:
                self._seen[connection] = (state, now_s)
            elif now_s - since >= self._wait_s:
                found.append(connection)
        return found


def _state(connection: Any) -> _State | None:
    """The request that a connection is at, whether it was answered, and what of answers is unread; else ``None``."""
    transport, cycle = getattr(connection, "transport", None), getattr(connection, "cycle", None)
    if transport is None:
        return None
    unread = transport.get_write_buffer_size()
    answered = cycle is None or cycle.response_complete
    # Weakly: a request may hold on to its connection, which then would never be forgotten.
    asked = None if cycle is None else weakref.ref(cycle)
    return (asked, answered, unread) if answered or unread else None
