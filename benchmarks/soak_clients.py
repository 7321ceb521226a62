"""Clients that ask a running service all the time, and tell what came of each request."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any, Self
from urllib.parse import urlsplit

HEADERS = {"Content-Type": "application/json"}
Seen = Callable[[int, dict[str, Any]], None]


def body(number: int) -> bytes:
    """A request about one account; each number is another one."""
    account = {
        "account_id": f"soak-{number}",
        "account": {"region": "BR-SP", "opened_at": "2024-05-01T00:00:00Z"},
        "debts": [{"debt_id": "d", "amount": 100.0 + number % 5_000, "due_on": "2026-01-10"}],
        "payments": [{"amount": 10.0, "occurred_at": "2026-02-01T12:00:00Z"}],
        "contacts": [{"channel": "sms", "occurred_at": "2026-02-20T09:30:00-03:00"}],
        "consents": [{"channel": "whatsapp", "status": "granted", "occurred_at": "2025-11-03T12:00:00Z"}],
    }
    return json.dumps({"as_of": "2026-03-02T12:00:00Z", "accounts": [account]}).encode()


class Asking:
    """Threads that go on until the block ends, each running its target until ``_ended`` is set."""

    def __init__(self, targets: Sequence[Callable[[], None]]) -> None:
        self._ended, self._lock = threading.Event(), threading.Lock()
        self._threads = [threading.Thread(target=target, daemon=True) for target in targets]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join()

    def join(self) -> None:
        """Waits until every thread has ended by itself."""
        for thread in self._threads:
            thread.join()


class Clients(Asking):
    """Threads, of which every other one keeps its connection and the rest open one for each request.

    ``outcomes`` counts: a status, ``refused`` where no connection was made, ``reset`` where one ended without a whole
    answer, ``lost`` where none came in time. ``seen`` is given each answer of 200 together with its request's number.
    ``seconds`` are those of each request.
    """

    def __init__(self, url: str, *, clients: int, seen: Seen | None = None) -> None:
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self._seen = seen
        self._numbers = count()
        self.outcomes: Counter[str] = Counter()
        self.seconds: list[float] = []
        super().__init__([partial(self._ask, keep=client % 2 == 0) for client in range(clients)])

    def _ask(self, *, keep: bool) -> None:
        connection = None
        while not self._ended.is_set():
            if connection is None:
                connection = http.client.HTTPConnection(self._host, self._port, timeout=30)
            with self._lock:
                number = next(self._numbers)
            began = time.monotonic()
            outcome, closed = self._one(connection, number, keep=keep)
            with self._lock:
                self.outcomes[outcome] += 1
                self.seconds.append(time.monotonic() - began)
            if closed:
                connection.close()
                connection = None
            if outcome == "refused":
                break
        if connection is not None:
            connection.close()

    def _one(self, connection: http.client.HTTPConnection, number: int, *, keep: bool) -> tuple[str, bool]:
        try:
            if connection.sock is None:
                connection.connect()
        except ConnectionRefusedError:
            return "refused", True
        except OSError:
            return "reset", True
        try:
            connection.request("POST", "/v1/decisions", body(number), HEADERS)
            answer = connection.getresponse()
            content = answer.read()
        except TimeoutError:
            return "lost", True
        except (OSError, http.client.HTTPException):
            return "reset", True
        if answer.status == 200 and self._seen is not None:
            self._seen(number, json.loads(content))
        return str(answer.status), not keep or answer.will_close
