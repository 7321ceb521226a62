"""The first thing a request meets: the size of its head, whose key it brings, and how often that key has come."""

from __future__ import annotations

import base64
import ipaddress
import math
import time
from collections import deque
from collections.abc import Callable

import anyio.to_thread
from limits import parse
from starlette.types import ASGIApp, Receive, Scope, Send

from serving import metrics
from serving.access.keyring import KeyRing
from serving.access.scopes import needed
from serving.access.tokens import StoredKey
from serving.problems import Problem, problem_response
from serving.tenants import DEFAULT_TENANT

MOST_HEAD_BYTES = 16 * 1024
MOST_PATH_BYTES = 2 * 1024
_FREE = frozenset({"/livez", "/readyz", "/metrics"})


class Rates:
    """How often each client may come, such as ``50/second``, by a moving window in this worker's memory.

    The window of ``limits`` itself starts a thread every ten milliseconds to forget what is past. Clients are keys, or
    this machine, so that there are few to remember.
    """

    def __init__(self, rate: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        item = parse(rate)
        self._most, self._span_s, self._clock = item.amount, item.get_expiry(), clock
        self._came: dict[str, deque[float]] = {}

    def wait_s(self, client: str) -> int:
        """Counts one request; 0 where it may pass, else in how many seconds the next may."""
        now, came = self._clock(), self._came.setdefault(client, deque())
        while came and came[0] <= now - self._span_s:
            came.popleft()
        if len(came) < self._most:
            came.append(now)
            return 0
        return max(1, math.ceil(came[0] + self._span_s - now))


class Gate:
    """ASGI middleware. Without a ``keyring`` there are no keys, and only this machine itself is answered."""

    def __init__(self, app: ASGIApp, *, keyring: KeyRing | None, rates: Rates) -> None:
        self._app, self._keyring, self._rates = app, keyring, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: refused with a problem, or passed on with ``state.tenant``."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._admit(scope)
        except Problem as problem:
            metrics.PROBLEMS.labels(route="gate", problem=problem.code).inc()
            await problem_response(problem, request_id=scope["state"]["request_id"])(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> None:
        _check_head(scope)
        key = await self._key(scope)
        scope["state"]["tenant"] = key.tenant if key else DEFAULT_TENANT
        if scope["path"] in _FREE:
            return
        wait_s = self._rates.wait_s(f"key {key.key_id}" if key else f"at {_peer(scope)}")
        if wait_s:
            raise Problem(429, "more requests than this client may send", headers={"Retry-After": str(wait_s)})

    async def _key(self, scope: Scope) -> StoredKey | None:
        asked = needed(scope["method"], scope["path"])
        if asked is None:
            return None
        if self._keyring is None:
            if not _is_loopback(_peer(scope)):
                raise Problem(403, "this service runs without keys, and so answers its own machine alone")
            return None
        # Read for those alone who need one: health is answered whatever the store does.
        if self._keyring.due:
            await anyio.to_thread.run_sync(self._keyring.renew)
        key = self._keyring.key_of(_token(scope))
        if key is None:
            detail = "send a key that is good: Authorization: Bearer acerto_…; `acerto keys create` makes one"
            # Browsers, which show reports, ask their user for a password where this is offered.
            offered = 'Basic realm="acerto"' if scope["path"].startswith("/reports") else "Bearer"
            raise Problem(401, detail, headers={"WWW-Authenticate": offered})
        if not key.may(asked):
            raise Problem(403, f"the key has none of the scopes that this needs: {', '.join(sorted(asked))}")
        return key


def _check_head(scope: Scope) -> None:
    if len(scope.get("raw_path") or b"") + len(scope.get("query_string", b"")) > MOST_PATH_BYTES:
        raise Problem(414, f"the path is longer than {MOST_PATH_BYTES} bytes", headers={"Connection": "close"})
    if sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > MOST_HEAD_BYTES:
        detail = f"the headers are larger than {MOST_HEAD_BYTES >> 10} KiB"
        raise Problem(431, detail, headers={"Connection": "close"})


def _token(scope: Scope) -> str:
    given = [value for name, value in scope["headers"] if name == b"authorization"]
    kind, _, token = (given[0] if len(given) == 1 else b"").decode("latin-1").partition(" ")
    if kind.lower() == "basic":
        return _password(token.strip())
    return token.strip() if kind.lower() == "bearer" else ""


def _password(pair: str) -> str:
    """The key of a browser, which sends it as the password of a user of any name."""
    try:
        return base64.b64decode(pair, validate=True).decode("ascii").partition(":")[2]
    except ValueError:
        return ""


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "unix"


def _is_loopback(peer: str) -> bool:
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        # A socket in the file system, or a test's own client, has no address: it is on this machine.
        return True
