"""The first thing a request meets: the size of its head, whose key it brings, and how often that key has come."""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Callable, Mapping

import anyio.to_thread
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from serving import metrics
from serving.access.keyring import KeyRing
from serving.access.rates import Rates
from serving.access.scopes import needed
from serving.access.tokens import StoredKey
from serving.problems import Problem, problem_response
from serving.tenants import DEFAULT_TENANT

MOST_HEAD_BYTES = 16 * 1024
MOST_PATH_BYTES = 2 * 1024
_FREE = frozenset({"/livez", "/readyz", "/metrics"})


class _Refused(Problem):
    """A request that does not pass; ``word`` is how the metrics count it."""

    def __init__(self, word: str, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, headers=headers or {})
        self.word = word


class Gate:
    """ASGI middleware. Without a ``keyring`` there are no keys, and only this machine itself is answered.

    ``page`` makes a page of a refusal, given the problem, the request and a word for what was refused; it is ``None``
    for a request that does not ask for a page, which is answered as JSON.
    """

    def __init__(
        self, app: ASGIApp, *, keyring: KeyRing | None, rates: Rates,
        page: Callable[[Problem, Scope, str], Response | None] = lambda *_: None,
    ) -> None:  # fmt: skip
        self._app, self._keyring, self._rates, self._page = app, keyring, rates, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request: refused with a problem, or passed on with ``state.tenant`` and ``state.key``, if any."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._admit(scope)
        except Problem as problem:
            word = problem.word if isinstance(problem, _Refused) else ""
            if word:
                metrics.ACCESS.labels(word).inc()
            metrics.PROBLEMS.labels(route="gate", problem=problem.code).inc()
            shown = self._page(problem, scope, word)
            answer = shown or problem_response(problem, request_id=scope["state"]["request_id"])
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _admit(self, scope: Scope) -> None:
        _check_head(scope)
        key = await self._key(scope)
        scope["state"]["tenant"] = key.tenant if key else DEFAULT_TENANT
        scope["state"]["key"] = key
        if scope["path"] in _FREE:
            return
        wait_s = self._rates.wait_s(f"key {key.key_id}" if key else f"at {_peer(scope)}")
        if wait_s:
            detail = "more requests than this client may send"
            raise _Refused("rate", 429, detail, {"Retry-After": str(wait_s)})

    async def _key(self, scope: Scope) -> StoredKey | None:
        asked = needed(scope["method"], scope["path"])
        if asked is None:
            return None
        if self._keyring is None:
            if not _is_loopback(_peer(scope)):
                detail = "this service runs without keys, and so answers its own machine alone"
                raise _Refused("not_local", 403, detail)
            return None
        # Read for those alone who need one: health is answered whatever the store does.
        if self._keyring.due:
            await anyio.to_thread.run_sync(self._keyring.renew)
        token = _token(scope)
        key = self._keyring.key_of(token)
        if key is None:
            detail = "send a key that is good: Authorization: Bearer acerto_…; `acerto keys create` makes one"
            # Browsers, which show reports, ask their user for a password where this is offered.
            offered = 'Basic realm="acerto"' if scope["path"].startswith("/reports") else "Bearer"
            why = self._keyring.refusal_of(token)
            raise _Refused(why, 401, detail, {"WWW-Authenticate": offered})
        if not key.may(asked):
            detail = f"the key has none of the scopes that this needs: {', '.join(sorted(asked))}"
            raise _Refused("scope", 403, detail)
        return key


def _check_head(scope: Scope) -> None:
    if len(scope.get("raw_path") or b"") + len(scope.get("query_string", b"")) > MOST_PATH_BYTES:
        detail = f"the path is longer than {MOST_PATH_BYTES} bytes"
        raise _Refused("path", 414, detail, {"Connection": "close"})
    if sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > MOST_HEAD_BYTES:
        detail = f"the headers are larger than {MOST_HEAD_BYTES >> 10} KiB"
        raise _Refused("headers", 431, detail, {"Connection": "close"})


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
