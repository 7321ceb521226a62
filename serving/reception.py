"""Where requests wait for their turn: so many at a time, so many in the queue, and none longer than its deadline."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response

from domain.errors import StoreError, UsedElsewhereError
from serving import handling, metrics
from serving.admission import Admission
from serving.archive import Archive
from serving.brain import Brain
from serving.once import REPLAYED, UnderWay, answered_once, counted_once, key_of, unless_answered
from serving.parsing import JSON, Media, capped_body
from serving.problems import Problem
from serving.schemas import Schemas
from serving.settings import Limits
from serving.shadow import Asked, Shadow
from serving.store.once import KeyedRequest
from serving.storeroom import Storeroom

if TYPE_CHECKING:
    from serving.swapping import Champion
    from serving.tallies import Tallies

Answered = handling.Reply | handling.Pending
_MOST_TRIES = 5
_FEW, _LARGE_BYTES = 8, 1 << 19
"""A request about more accounts, or of more bytes, computes beside those that are about fewer, not before them."""


def tenant_of(request: Request) -> str:
    """Whose data a request is about, as its key says."""
    return str(request.state.tenant)


class Reception:
    """What the routes share: the model once it is loaded, and how many requests are in the house."""

    def __init__(self, schemas: Schemas, limits: Limits, *, room: Storeroom) -> None:
        self.schemas = schemas
        self.room = room
        self.brain: Brain | None = None
        self.champion: Champion | None = None
        self.shadow: Shadow | None = None
        self.archive: Archive | None = None
        self.tallies: Tallies | None = None
        self.admission = Admission(limits)
        self._limits = limits
        self._under_way = UnderWay()
        self._turns: tuple[anyio.Semaphore, anyio.Semaphore] | None = None

    def ready(self) -> Brain:
        """The model, or a 503 while it is not there."""
        if self.brain is None:
            raise Problem(503, "the model is being loaded; ask /readyz")
        return self.brain

    def tell(self) -> None:
        """Brings the metrics up to now that are not counted request by request."""
        if self.tallies is not None:
            self.tallies.tell()
        # Metrics are told whatever the store does.
        with contextlib.suppress(StoreError, Problem):
            store = self.room.store()
            if store is not None:
                metrics.REVIEWS_OPEN.set(store.reviews_open())

    async def answer(self, request: Request, work: Callable[..., Answered]) -> Response:
        """An answer of the model, computed from the body of a request and what the store knows."""
        brain, store, tenant = self.ready(), self.room.store(), tenant_of(request)
        return await self.take(request, lambda body: work(body, brain, self.schemas, store=store, tenant=tenant))

    async def take(
        self, request: Request, work: Callable[[bytes], Answered], *, has_body: bool = True, media: Media = JSON
    ) -> Response:
        """Takes a request in, and answers in JSON; raises as ``replied`` does."""
        reply = await self.replied(request, work, has_body=has_body, media=media)
        headers = {REPLAYED: "true"} if reply.again else None
        return Response(reply.content, media_type="application/json", headers=headers)

    async def replied(
        self, request: Request, work: Callable[[bytes], Answered], *, has_body: bool = True, media: Media = JSON
    ) -> handling.Reply:
        """Takes a request in if there is room, computes its answer in a thread, and waits for what it writes.

        One with a body and an ``Idempotency-Key`` has one effect, and the same answer as before.
        """
        with self.admission.inside():
            body = await self._body(request, media) if has_body else b""
            key = key_of(request) if has_body else None
            reply = await self._settled(request, key, body, work)
        metrics.observe_answers(reply.answers, route=request.scope["route"].path)
        request.state.accounts = len(reply.answers)
        if self.shadow is not None and reply.answers:
            size = len(body) + len(reply.content)
            self.shadow.offer(Asked(request.url.path, body, reply.as_of, reply.answers, size, request.state.request_id))
        return reply

    async def _settled(
        self, request: Request, key: str | None, body: bytes, work: Callable[[bytes], Answered]
    ) -> handling.Reply:
        """The reply to a request, computed again while another process takes what it was computed on."""
        for _ in range(_MOST_TRIES - 1):
            with contextlib.suppress(UsedElsewhereError):
                return await self._tried(request, key, body, work)
            metrics.DECIDED_AGAIN.inc()
        return await self._tried(request, key, body, work)

    async def _tried(
        self, request: Request, key: str | None, body: bytes, work: Callable[[bytes], Answered]
    ) -> handling.Reply:
        if key is None:
            return await self._written(await self._in_turn(partial(work, body), large=_is_large(body)))
        return await self._once(request, key, body, work)

    async def _written(self, found: Answered) -> handling.Reply:
        if isinstance(found, handling.Reply):
            return found
        # Nobody computes while this waits: what is written meanwhile shares a sync of the disk with it.
        written = self.room.needed().submit(found.write)
        with contextlib.suppress(Exception):  # what went wrong is for the reply to tell
            await asyncio.wrap_future(written)
        return found.reply(written)

    async def _once(self, request: Request, key: str, body: bytes, work: Callable[[bytes], Answered]) -> handling.Reply:
        store = self.room.needed()
        keyed = KeyedRequest.of(key, tenant=tenant_of(request), path=request.url.path, body=body)
        with counted_once(), self._under_way.alone(keyed):
            unanswered = partial(unless_answered, store, keyed, partial(work, body))
            found = await self._in_turn(unanswered, large=_is_large(body))
            reply = await answered_once(store, keyed, found)
        metrics.ONCE.labels("replayed" if reply.again else "answered").inc()
        return reply

    async def _body(self, request: Request, media: Media) -> bytes:
        try:
            with anyio.fail_after(self._limits.body_s):
                return await capped_body(request.stream(), request.headers, media=media)
        except TimeoutError:
            # What is left of the body is not read, so the connection cannot be used again.
            raise Problem(408, "the body came too slowly", headers={"Connection": "close"}) from None

    async def _in_turn(self, work: Callable[[], Answered], *, large: bool) -> Answered:
        """Computes once it is its turn. What has begun is finished: stopping it would not set its thread free."""
        limits = self._limits
        self._turns = self._turns or (anyio.Semaphore(limits.threads), anyio.Semaphore(limits.large_threads))
        turns = self._turns[large]
        with self.admission.in_line() as since:
            try:
                with metrics.TURN_SECONDS.time(), metrics.WAITING.track_inprogress():
                    with anyio.fail_after(limits.deadline_s):
                        await turns.acquire()
            except TimeoutError:
                metrics.SHED.labels("deadline").inc()
                raise Problem(503, f"it was not its turn within {limits.deadline_s:.0f} s; come again") from None
            try:
                with self.admission.turn(since=since, large=large):
                    return await anyio.to_thread.run_sync(work)
            finally:
                turns.release()


def _is_large(body: bytes) -> bool:
    """Whether a request is about many accounts, or much of one, by its looks: it has not been read yet."""
    return len(body) > _LARGE_BYTES or body.count(b'"account_id"') > _FEW
