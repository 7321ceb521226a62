"""The keys that are good now, read again from the store so that a revocation is seen within seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from threading import Lock

from domain.errors import StoreError
from serving.access.tokens import StoredKey, fits, key_id_of
from serving.fallbacks import fell_back

FRESH_S = 1.0
"""A revoked key is refused at most this long after its revocation, and what the next reading takes."""
STALE_S = 60.0


def _now() -> datetime:
    return datetime.now(UTC)


class KeyRing:
    """Tells whose key a token is.

    Parameters
    ----------
    read : all keys by id. Where it fails with a ``StoreError``, what was read last counts for ``STALE_S`` more seconds;
        then no key is good.
    clock : seconds that never go back
    now : the moment by which keys expire
    """

    def __init__(
        self,
        read: Callable[[], Mapping[str, StoredKey]],
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._read, self._clock, self._now = read, clock, now
        self._keys: Mapping[str, StoredKey] = {}
        self._read_at = self._tried_at = -float("inf")
        self._lock = Lock()

    @property
    def due(self) -> bool:
        """Whether it is time to ``renew``."""
        return self._clock() - self._tried_at >= FRESH_S

    def renew(self) -> None:
        """Reads the keys again, unless somebody else just did; it waits for the store."""
        with self._lock:
            if not self.due:
                return
            begun = self._clock()
            try:
                self._keys, self._read_at = self._read(), begun
            except StoreError:
                if begun - self._read_at > STALE_S:
                    self._keys = {}
                else:
                    fell_back("keys_kept")
            self._tried_at = begun

    def key_of(self, token: str) -> StoredKey | None:
        """The key of a token; ``None`` where it is not known, revoked or expired."""
        key_id = key_id_of(token)
        kept = self._keys.get(key_id) if key_id else None
        return kept if fits(token, kept) and kept is not None and kept.good_at(self._now()) else None

    def refusal_of(self, token: str) -> str:
        """Why a token is no good key, in a word: ``missing``, ``unknown``, ``revoked`` or ``expired``.

        A token that has the id of a key and not its secret is unknown, as one that has neither.
        """
        if not token:
            return "missing"
        kept = self._keys.get(key_id_of(token) or "")
        if kept is None or not fits(token, kept):
            return "unknown"
        return "expired" if kept.revoked_at is None else "revoked"
