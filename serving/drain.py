"""How a worker ends without resetting a connection, and without losing a request that it has taken.

Told to end by SIGTERM it says so at ``/readyz`` at once, goes on taking and answering requests for a window in which
whoever sends them here notices, and closes each connection with an answer that says so (``Connection: close``). Then
the listening socket is shut for all processes that hold it: a connection is refused from then on, where one that still
waited for a process to take it would be reset. Only then does the web server end, and it answers what it has begun.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import threading
from types import FrameType

import uvicorn

from serving import metrics
from serving.connections import running_server
from serving.logs import log

LINGER_S = 0.5
"""Connections that were taken last have so long to send their request."""
_STEP_S = 0.002
_MOST_STEPS = 1_000


class Drain:
    """Whether this worker is about to end; ``window_s`` pass between the signal and the end of taking connections."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._steps = 0
        self.begun = False

    def listen(self) -> None:
        """Takes SIGTERM over from the web server; does nothing where none runs in this thread, as in tests.

        SIGINT stays the web server's, and ends it without a window.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        server, loop = running_server(), asyncio.get_running_loop()
        if server is None:
            return

        def told(_: int, __: FrameType | None) -> None:
            # A supervisor may say it to the group, and each process to its own: the first time counts.
            if not self.begun:
                self.begun = True
                loop.call_soon_threadsafe(self._begin, loop, server)

        signal.signal(signal.SIGTERM, told)

    def _begin(self, loop: asyncio.AbstractEventLoop, server: uvicorn.Server) -> None:
        metrics.READY.set(0)
        log.info("draining", window_s=self._window_s)
        loop.call_later(self._window_s, self._refuse, loop, server)

    def _refuse(self, loop: asyncio.AbstractEventLoop, server: uvicorn.Server) -> None:
        """Refuses connections, at a moment when none waits to be taken."""
        self._steps += 1
        listeners = [listener for each in server.servers for listener in each.sockets]
        if any(_waited_at(listener.fileno()) for listener in listeners) and self._steps < _MOST_STEPS:
            loop.call_later(_STEP_S, self._refuse, loop, server)
            return
        for listener in listeners:
            # The server is closed later, by itself: it drops connections that it has taken and not yet looked at.
            loop.remove_reader(listener.fileno())
            _shut(listener.fileno())
        loop.call_later(LINGER_S, server.handle_exit, signal.SIGTERM, None)


def _waited_at(listener: int) -> bool:
    poll = select.poll()
    poll.register(listener, select.POLLIN)
    return bool(poll.poll(0))


def _shut(listener: int) -> None:
    """Shuts the socket itself, which the supervising process holds too, and not this process's hold on it alone."""
    with socket.socket(fileno=os.dup(listener)) as own:
        own.shutdown(socket.SHUT_RDWR)
