"""The champion of the registry, followed while the service runs: what is promoted or rolled back is served in seconds.

A new bundle is loaded and warmed beside the requests, which go on; then one pointer moves. A request is answered by the
model that was served when it came in. Actions, decision parameters and contact policy are those of the start: a swap
takes another model to the same desk, and the books of the day go on.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import anyio
import anyio.to_thread

from domain.clock import rfc3339
from domain.errors import AcertoError, BundleError
from serving import metrics
from serving.brain import Brain
from serving.logs import log, where
from serving.pointer import CHAMPION, Target, alias_file, target_of
from serving.refusals import Refused, code_of

if TYPE_CHECKING:
    # The process that watches over the workers reads this module too, and does without LightGBM.
    from decisioning.bundle import ModelBundle
    from serving.engine import Engine

POLL_S = 0.25
"""A rollback to the model before is a pointer that moves, so this is most of what it takes."""


class Read(Protocol):
    """Reads a bundle, as ``verified_bundle`` does."""

    def __call__(self, folder: Path, *, seal: str | None) -> ModelBundle:
        """The bundle, or a ``BundleError`` with its code."""


class Champion:
    """What the alias names, whether it changed, and the engine to serve because of it; one thread at a time asks.

    The engine before the present one is kept, warm, so that going back to it takes no loading. A bundle that was
    refused is not tried again until the alias changes.
    """

    def __init__(self, registry: Path, *, warm: Callable[[Brain], None], read: Read) -> None:
        self._registry, self._warm, self._read = registry, warm, read
        self._seen = b""
        self._before: Engine | None = None
        self.refused: Refused | None = None

    def moved(self) -> bool:
        """Whether the alias says something else than when this was last asked."""
        try:
            content = alias_file(self._registry, CHAMPION).read_bytes()
        except OSError:
            # Not there yet, or out of reach for a moment: nobody has said to serve anything else.
            return False
        changed, self._seen = content != self._seen, content
        return changed

    def in_place_of(self, served: Engine) -> Engine | None:
        """The engine that the alias asks for; ``None`` where that is the one being served, or is refused."""
        version = None
        try:
            target = target_of(self._seen, self._registry, path=alias_file(self._registry, CHAMPION))
            version = target.version
            if _is(served, target):
                self._accepted()
                return None
            found, result = self._found(target, served)
        except Exception as error:  # whatever it is, the model being served is served on
            self._refuse(version, error)
            return None
        self._before = served
        self._accepted()
        metrics.SWAPS.labels(result=result).inc()
        return found

    def _found(self, target: Target, served: Engine) -> tuple[Engine, str]:
        if self._before is not None and _is(self._before, target):
            return self._before, "from_memory"
        found = served.with_bundle(self._read(target.folder, seal=target.seal))
        try:
            self._warm(found)
        except Exception as error:
            raise BundleError(f"{target.folder}: failed at warming up ({where(error)})", code="warm_up") from error
        return found, "loaded"

    def _accepted(self) -> None:
        if self.refused is not None:
            metrics.REFUSED.labels(code=self.refused.code).set(0)
        self.refused = None

    def _refuse(self, version: str | None, error: Exception) -> None:
        self._accepted()
        self.refused = Refused(version, code_of(error), rfc3339(datetime.now(UTC)))
        metrics.SWAPS.labels(result=self.refused.code).inc()
        metrics.REFUSED.labels(code=self.refused.code).set(1)
        reason = str(error) if isinstance(error, AcertoError) else where(error)
        log.error("model refused", refused_version=version, code=self.refused.code, reason=reason)


class Seat(Protocol):
    """Holds what answers; ``None`` before anything could be loaded."""

    brain: Brain | None


async def follow(seat: Seat, champion: Champion, load: Callable[[], Brain | None]) -> None:
    """Serves what the champion's alias names, until it is cancelled.

    Parameters
    ----------
    load : loads at the start, and again where the start was refused and the alias then moved
    """
    # Threads of its own: requests take theirs, and neither waits for the other.
    run = partial(anyio.to_thread.run_sync, limiter=anyio.CapacityLimiter(1), abandon_on_cancel=True)
    while True:
        await anyio.sleep(POLL_S)
        if not await run(champion.moved):
            continue
        served = seat.brain
        if served is None:
            seat.brain = await run(load)
            continue
        # Where there is a champion to follow, what was loaded is the engine over it.
        found = await run(partial(champion.in_place_of, cast("Engine", served)))
        if found is not None:
            seat.brain = found
            tell(found, before=served)


def tell(now: Brain, *, before: Brain | None = None) -> None:
    """Log and metrics of the model that is served from here on."""
    if before is not None:
        metrics.MODEL.labels(version=before.model()["model_version"]).set(0)
    metrics.MODEL.labels(version=now.model()["model_version"]).set(1)
    log.info("serving", **now.model())


def _is(engine: Engine, target: Target) -> bool:
    bundle = engine.bundle
    return bundle.folder == target.folder and target.seal in (None, bundle.seal)
