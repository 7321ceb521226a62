"""Sending a mutant over a socket of its own, and reading what comes back until the connection ends."""

from __future__ import annotations

import contextlib
import socket
import struct
from dataclasses import dataclass, field

import h11
from mutant_oracle import Answer, due
from mutants import Mutant

PATIENCE_S = 45.0
"""Longer than any limit of the service on a body or a head."""


@dataclass
class Came:
    """The answers to a mutant; ``ended`` how the connection ended, ``wrong`` what of it is no HTTP."""

    answers: list[Answer] = field(default_factory=list)
    ended: str = "by us"
    wrong: str = ""


def send(mutant: Mutant, address: tuple[str, int]) -> Came:
    """Sends a mutant, and reads the answers that it is due; then the connection is ended as the mutant says."""
    came, asked = Came(), due(mutant.sent)
    with socket.create_connection(address, timeout=PATIENCE_S) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The service may answer and close before it has read all: what was sent then goes nowhere.
        with contextlib.suppress(ConnectionError):
            for piece in mutant.pieces:
                link.sendall(piece)
        if mutant.ending == "reset":
            link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if mutant.ending in ("drop", "reset"):
            return came
        if mutant.ending == "half_close" or not asked.answer:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_WR)
        _read(link, came, most=(asked.requests + asked.broken) or 8, method=asked.method)
    return came


def _read(link: socket.socket, came: Came, *, most: int, method: str) -> None:
    """Answers one after the other; the method of the first decides whether it has a body."""
    left = b""
    while len(came.answers) < most:
        try:
            found = _one(link, left, method=method or "GET")
        except ConnectionError:
            came.ended = "reset"
            return
        except TimeoutError:
            came.ended = "not in time"
            return
        except h11.RemoteProtocolError as error:
            came.ended, came.wrong = "no HTTP", str(error)
            return
        if found is None:
            came.ended = "by the service"
            return
        came.answers.append(found[0])
        left, method = found[1], "GET"


def _one(link: socket.socket, left: bytes, *, method: str) -> tuple[Answer, bytes] | None:
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 20)
    parser.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    parser.send(h11.EndOfMessage())
    if left:
        parser.receive_data(left)
    status, headers, body = 0, dict[str, str](), b""
    while True:
        event = parser.next_event()
        if event is h11.NEED_DATA:
            came = link.recv(1 << 16)
            if not came and not status:
                return None
            parser.receive_data(came)
        elif isinstance(event, h11.Response):
            status = event.status_code
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in event.headers}
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            return Answer(status, headers, body), parser.trailing_data[0]
        elif isinstance(event, h11.ConnectionClosed):
            return None
