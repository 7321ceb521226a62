"""The store as a running service has it: opened at start, tried again until it opens, closed at the end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import anyio.to_thread

from domain.errors import AcertoError
from serving.logs import log, where
from serving.problems import Problem

if TYPE_CHECKING:
    from serving.store import Store

_AGAIN_S = 2.0


class Storeroom:
    """Gives the store once it is open; without ``open_store`` there is none, and nothing is kept."""

    def __init__(self, open_store: Callable[[], Store] | None = None) -> None:
        self._open_store = open_store
        self._store: Store | None = None

    def store(self) -> Store | None:
        """The open store; ``None`` where the service has none.

        Raises
        ------
        Problem : 503 while it is not open yet
        """
        if self._open_store is not None and self._store is None:
            raise Problem(503, "the store is being opened; ask /readyz")
        return self._store

    def needed(self) -> Store:
        """The open store, where nothing can be done without one."""
        found = self.store()
        if found is None:
            raise Problem(503, "this service was started without a store, and keeps nothing")
        return found

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """As long as the service runs."""
        opening = asyncio.create_task(self._open())
        try:
            yield
        finally:
            opening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await opening
            if self._store is not None:
                await anyio.to_thread.run_sync(self._store.close)
                self._store = None

    async def _open(self) -> None:
        while self._open_store is not None and self._store is None:
            try:
                self._store = await anyio.to_thread.run_sync(self._open_store)
            except AcertoError as error:
                # A database may come up after the service does.
                log.error("no store", error=where(error), reason=str(error))
                await asyncio.sleep(_AGAIN_S)
