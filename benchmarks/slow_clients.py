"""Clients that keep a service waiting: heads and bodies without an end, answers that nobody reads, idle connections."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from mutant_wire import PATIENCE_S

HEAD_S = 20.0
"""A connection without a whole request ends within so many seconds, and the second at which it is looked at."""
BODY_S = 35.0
_IDLE = 300
_UNREAD = 400

Address = tuple[str, int]


def slow_clients(address: Address, *, token: str) -> dict[str, tuple[bool, str]]:
    """All of them at once, while somebody else goes on asking; for each whether it was right, and what came of it."""
    head = f"POST /v1/scores HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n".encode()
    body = head + b"Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    drip = b"X-Slow: " + b"a" * 1_000
    jobs: dict[str, Callable[[], tuple[bool, str]]] = {
        "a head, a byte a second": lambda: _dripped(address, head, drip, within_s=HEAD_S),
        "a head that never ends": lambda: _dripped(address, head, b"", within_s=HEAD_S),
        "a body, a byte a second": lambda: _dripped(address, body, b" " * 1_000, within_s=BODY_S, status=b"408"),
        "a body that never comes": lambda: _dripped(address, body, b"", within_s=BODY_S, status=b"408"),
        "a refused body, a byte a second": lambda: _dripped(
            address, body.replace(token.encode(), b"none"), b" " * 1_000, within_s=HEAD_S, status=b"401"
        ),
        f"{_IDLE} connections without a byte": lambda: _idle(address),
        f"{_UNREAD} answers that nobody reads": lambda: _unread(address),
        "others meanwhile": lambda: _meanwhile(address),
    }
    with ThreadPoolExecutor(len(jobs)) as pool:
        futures = {name: pool.submit(job) for name, job in jobs.items()}
        return {name: future.result() for name, future in futures.items()}


def _dripped(address: Address, first: bytes, drip: bytes, *, within_s: float, status: bytes = b"") -> tuple[bool, str]:
    """Sends the first part and then a byte a second until the service has closed the connection."""
    began, came = time.monotonic(), b""
    with socket.create_connection(address, timeout=1.0) as link, contextlib.suppress(ConnectionError):
        link.sendall(first)
        for place in range(int(PATIENCE_S)):
            link.sendall(drip[place : place + 1])
            with contextlib.suppress(TimeoutError):
                found = link.recv(4_096)
                came += found
                if not found:
                    break
                time.sleep(1.0)
    seconds, said = time.monotonic() - began, came.split(b" ")[1:2]
    fine = seconds <= within_s and said == ([status] if status else [])
    return fine, f"closed after {seconds:.0f} s, answered {b''.join(said).decode() or 'nothing'}"


def _idle(address: Address) -> tuple[bool, str]:
    began = time.monotonic()
    links = [socket.create_connection(address, timeout=PATIENCE_S) for _ in range(_IDLE)]
    ended = 0
    for link in links:
        with link, contextlib.suppress(OSError):
            ended += link.recv(1) == b""
    seconds = time.monotonic() - began
    return ended == _IDLE and seconds <= HEAD_S, f"{ended} closed after {seconds:.0f} s"


def _unread(address: Address) -> tuple[bool, str]:
    """Asks for the document over and over, and reads none of it: in the end the connection is no more."""
    began = time.monotonic()
    with socket.create_connection(address, timeout=PATIENCE_S) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        gone = False
        try:
            link.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * _UNREAD)
            while time.monotonic() - began < PATIENCE_S and not gone:
                time.sleep(1.0)
                link.send(b"\r\n")
        except ConnectionError:
            gone = True
    return gone, f"gone after {time.monotonic() - began:.0f} s" if gone else "held for ever"


def _meanwhile(address: Address) -> tuple[bool, str]:
    answered, slowest = 0, 0.0
    for _ in range(60):
        began = time.monotonic()
        with socket.create_connection(address, timeout=PATIENCE_S) as link:
            link.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answered += link.recv(4_096).startswith(b"HTTP/1.1 200")
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(0.4)
    return answered == 60, f"{answered} of 60 answered, the slowest in {slowest * 1e3:.0f} ms"
