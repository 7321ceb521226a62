"""``Idempotency-Key``: a request that is sent again has one effect, and gets the answer that it had.

Only what was answered with 200 is kept. A refused request did nothing and may be sent again under its key, as may one
that the service failed on.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from serving import metrics
from serving.handling import Pending, Reply
from serving.problems import Problem

if TYPE_CHECKING:
    from serving.store import KeptAnswer, KeyedRequest, Store

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
"""Header of an answer that was given before."""
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def key_of(request: Request) -> str | None:
    """The key that a request brings, if any.

    Raises
    ------
    Problem : 422 where it is not 1 to 255 visible ASCII characters, or there are several
    """
    given = request.headers.getlist(HEADER)
    if not given:
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise Problem(422, f"needed one {HEADER} of 1 to 255 visible ASCII characters, such as a UUID")
    return given[0]


class KeyProblem(Problem):
    """A request that is refused for its key; ``result`` is how the metrics count it."""

    def __init__(self, status: int, detail: str, *, result: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, headers=headers or {})
        self.result = result


@contextlib.contextmanager
def counted_once() -> Iterator[None]:
    """Counts a request that is refused for its key."""
    try:
        yield
    except KeyProblem as refused:
        metrics.ONCE.labels(refused.result).inc()
        raise


class UnderWay:
    """The keyed requests that this process is at. It holds nothing that would outlive the process."""

    def __init__(self) -> None:
        self._keys: set[tuple[str, bytes]] = set()

    @contextlib.contextmanager
    def alone(self, request: KeyedRequest) -> Iterator[None]:
        """While no other request of the same key is answered.

        Raises
        ------
        Problem : 409 with Retry-After where one is, be it the same or another: which of them is the key's own is known
            once one was answered
        """
        place = request.tenant, request.key_digest
        if place in self._keys:
            detail = f"a request of this {HEADER} is being answered; come again for its answer"
            raise KeyProblem(409, detail, result="in_use", headers={"Retry-After": "1"})
        self._keys.add(place)
        try:
            yield
        finally:
            self._keys.remove(place)


def unless_answered(store: Store, request: KeyedRequest, work: Callable[[], Reply | Pending]) -> Reply | Pending:
    """What the key was answered before, else what ``work`` computes.

    Raises
    ------
    Problem : 422 where the key was that of another request, 410 where the answer was forgotten
    """
    kept = store.answered(request)
    return work() if kept is None else _again(kept, request)


async def answered_once(store: Store, request: KeyedRequest, found: Reply | Pending) -> Reply:
    """Writes what a reply waits for together with its bytes, and gives it once both are on the disk."""
    if isinstance(found, Reply) and found.again:
        return found
    made: list[Reply] = []

    def answer(told: Any) -> bytes:
        # In the writer's thread, within the transaction: where it refuses, the write is undone.
        reply = found if isinstance(found, Reply) else found.reply(_done(told))
        made.append(reply)
        return reply.content

    written = store.submit_once(request, found.write if isinstance(found, Pending) else None, answer=answer)
    with contextlib.suppress(Exception):  # what went wrong is told below
        await asyncio.wrap_future(written)
    if isinstance(found, Pending) and written.exception() is not None:
        found.reply(written)  # raises, in the words of the route
    kept = written.result()
    # Another process may have answered the same key meanwhile: then nothing was made here.
    return made[-1] if made else _again(kept, request)


def _again(kept: KeptAnswer, request: KeyedRequest) -> Reply:
    if kept.request_digest != request.request_digest:
        detail = f"another request came with this {HEADER}; a new request needs a new key"
        raise KeyProblem(422, detail, result="other_request")
    if kept.answer is None:
        detail = "this was answered, and a debtor whom the answer named was forgotten since"
        raise KeyProblem(410, detail, result="forgotten")
    return Reply(kept.answer, [], again=True)


def _done(told: Any) -> Future[Any]:
    done: Future[Any] = Future()
    done.set_result(told)
    return done
