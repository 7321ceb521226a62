"""Requests as fast as they are answered, or as fast as they come, in a process of its own.

Reads one JSON object from standard input (``Load``) and writes one to standard output (``Told``). Plain sockets of
asyncio, so that one core asks more than a service on another can answer.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

_TIMEOUT_S = 30.0
_MOST_CONNECTIONS = 800
"""What is to be sent beyond these is not sent: a process may have a thousand files open."""


@dataclass
class Load:
    """``clients`` that each ask again once they are answered; or, with ``rate``, so many requests a second.

    ``bodies`` is a file with one request a line, asked in turn, from the line ``first`` on.
    """

    port: int
    path: str
    bodies: str
    seconds: float
    clients: int = 1
    rate: float = 0.0
    first: int = 0


@dataclass
class Told:
    """Seconds until each answer by its status, as it came; and what came of requests that had none.

    ``bare`` is how many refusals of 429 or 503 did not say when to come again.
    """

    statuses: dict[str, list[float]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    bare: int = 0
    asked: int = 0
    took_s: float = 0.0


class Connections:
    """Connections that are open and have nothing to do."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.told = Told()

    async def ask(self, body: bytes, *, since: float) -> None:
        """One request; its seconds count from a moment that may be before it could be sent."""
        self.told.asked += 1
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                status, head = await self._exchanged(body)
        except ConnectionRefusedError:
            self.told.failures["refused"] += 1
            return
        except TimeoutError:
            self.told.failures["lost"] += 1
            return
        except (OSError, asyncio.IncompleteReadError):
            self.told.failures["reset"] += 1
            return
        self.told.statuses.setdefault(status, []).append(time.perf_counter() - since)
        self.told.bare += status in ("429", "503") and b"\r\nretry-after:" not in head

    async def _exchanged(self, body: bytes) -> tuple[str, bytes]:
        used = bool(self._idle)
        reader, writer = self._idle.pop() if used else await self._opened()
        try:
            writer.write(self._head(body) + body)
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
        except (OSError, asyncio.IncompleteReadError) as error:
            writer.close()
            # A server may close a connection that rests; whoever sends just then sends again, as every client does.
            if used and not getattr(error, "partial", b""):
                return await self._exchanged(body)
            raise
        except BaseException:
            writer.close()
            raise
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        if b"\r\nconnection: close" in head:
            writer.close()
        else:
            self._idle.append((reader, writer))
        return head.split(b" ", 2)[1].decode(), head

    def _head(self, body: bytes) -> bytes:
        return (
            f"POST {self._load.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._load.port, limit=1 << 20)


async def closed(load: Load, bodies: list[bytes]) -> Told:
    """Every client asks without a pause."""
    asking, turn = Connections(load), cycle(bodies)
    end = time.perf_counter() + load.seconds

    async def client() -> None:
        while (now := time.perf_counter()) < end:
            await asking.ask(next(turn), since=now)

    await asyncio.gather(*(client() for _ in range(load.clients)))
    return asking.told


async def opened(load: Load, bodies: list[bytes]) -> Told:
    """Requests at even distances, whatever comes of those before."""
    asking, turn, under_way = Connections(load), cycle(bodies), set[asyncio.Task[None]]()
    began = time.perf_counter()
    for number in range(int(load.rate * load.seconds)):
        at = began + number / load.rate
        if (wait := at - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        if len(under_way) >= _MOST_CONNECTIONS:
            asking.told.failures["not sent"] += 1
            continue
        task = asyncio.create_task(asking.ask(next(turn), since=at))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    return asking.told


def main() -> None:
    """One load."""
    load = Load(**json.load(sys.stdin))
    bodies = Path(load.bodies).read_bytes().splitlines()
    bodies = bodies[load.first % len(bodies) :] + bodies[: load.first % len(bodies)]
    began = time.perf_counter()
    told = asyncio.run(opened(load, bodies) if load.rate else closed(load, bodies))
    told.took_s = time.perf_counter() - began
    found: dict[str, Any] = asdict(told)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
