"""Connections that keep the web server waiting are closed, and those that it keeps waiting are not."""

from __future__ import annotations

import contextlib
import gc
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from soak_drain import free_port

from serving.connections import Patience

WAIT_S = 0.8
LIMIT_S = 20.0
BIG = b"x" * (32 << 20)
"""More than the sockets of a machine hold."""


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A web server that waits ``WAIT_S``: ``/slow`` takes twice as long to answer, ``/big`` answers ``BIG``."""
    held: list[uvicorn.Server] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            async with Patience(WAIT_S).watching(held[0]):
                await send({"type": "lifespan.startup.complete"})
                await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["path"] == "/slow":
            await anyio.sleep(2 * WAIT_S)
        body = BIG if scope["path"] == "/big" else scope["type"].encode()
        length = str(len(body)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": body})

    held.append(uvicorn.Server(uvicorn.Config(app, port=free_port(), log_config=None, timeout_keep_alive=60)))
    running = threading.Thread(target=held[0].run, daemon=True)
    running.start()
    end = time.monotonic() + LIMIT_S
    while not held[0].started and time.monotonic() < end:
        time.sleep(0.01)
    yield held[0].config.port
    held[0].should_exit = True
    running.join(LIMIT_S)


@contextlib.contextmanager
def connected(port: int, *, sent: bytes = b"") -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as link:
        link.sendall(sent)
        yield link


def until_closed(link: socket.socket) -> bytes:
    """What comes until the server closes; fails where it never does, by the time limit of the socket."""
    came = b""
    with contextlib.suppress(ConnectionError):
        while found := link.recv(1 << 16):
            came += found
    return came


@pytest.mark.parametrize("sent", [b"", b"GET / HTT", b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "])
def test_a_head_that_does_not_come_is_not_waited_for(port: int, sent: bytes) -> None:
    with connected(port, sent=sent) as link:
        assert until_closed(link) == b""


def test_a_head_that_drips_is_not_waited_for(port: int) -> None:
    end = time.monotonic() + LIMIT_S
    with connected(port, sent=b"GET / HTTP/1.1\r\nX-Slow: ") as link, pytest.raises(ConnectionError):
        while time.monotonic() < end:
            link.sendall(b"a")
            time.sleep(0.05)


def test_after_an_answer_the_next_request_is_not_waited_for(port: int) -> None:
    with connected(port, sent=b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTT") as link:
        assert until_closed(link).endswith(b"http")


def test_an_answer_that_takes_long_is_given(port: int) -> None:
    with connected(port, sent=b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as link:
        assert until_closed(link).endswith(b"http")


def test_an_answer_that_nobody_reads_is_dropped(port: int) -> None:
    with connected(port, sent=b"GET /big HTTP/1.1\r\nHost: x\r\n\r\n") as link:
        time.sleep(4 * WAIT_S)
        assert len(until_closed(link)) < len(BIG)


def test_an_answer_that_is_read_slowly_is_given(port: int) -> None:
    came = 0
    with connected(port, sent=b"GET /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") as link:
        while found := link.recv(1 << 20):
            came += len(found)
            time.sleep(WAIT_S / 40)
    assert came > len(BIG)


def test_a_websocket_is_answered_as_a_plain_request(port: int) -> None:
    head = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    with connected(port, sent=head + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n") as link:
        assert until_closed(link).endswith(b"http")


@given(changes=st.lists(st.tuples(st.floats(0.0, 0.9), st.integers(1, 3)), max_size=20))
def test_a_connection_that_goes_on_changing_is_kept(changes: list[tuple[float, int]]) -> None:
    patience, now_s, unread = Patience(1.0), 0.0, 0
    connection = _Connection(cycle=_Answered(), unread=unread)
    for seconds, more in changes:
        connection.unread += more
        assert patience.late([connection], now_s=now_s) == []
        now_s += seconds


def test_a_connection_that_was_closed_is_not_held_on_to() -> None:
    patience, asked = Patience(1.0), _Answered()
    connection = _Connection(cycle=asked, unread=0)
    asked.connection = connection  # as the web server's own do
    gone = weakref.ref(connection)
    patience.late([connection], now_s=0.0)
    del connection, asked
    gc.collect()
    assert gone() is None


class _Answered:
    """A request that was answered."""

    response_complete = True
    connection: Any = None


class _Connection:
    """As much of a protocol of uvicorn as is looked at."""

    def __init__(self, *, cycle: Any, unread: int) -> None:
        self.cycle, self.unread = cycle, unread
        self.transport = SimpleNamespace(get_write_buffer_size=lambda: self.unread)
