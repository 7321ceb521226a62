"""The feature log: what was scored, for a share of the requests, so that it can be recomputed from the tables later.

Lines are only ever appended, each whole in one write: a process that dies leaves at most its last line torn, and the
next one starts on a line of its own. Nothing is synced to the disk one by one: a power cut may cost the last seconds.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from domain.clock import rfc3339, to_us
from domain.errors import ConfigError
from features.vectors import Vector
from serving import metrics
from serving.logs import log, where

_END = b"\n"


def _now() -> datetime:
    return datetime.now(UTC)


class FeatureLog:
    """Files ``features-<day>.jsonl`` in a folder, one for each UTC day of writing; several processes may share it."""

    def __init__(self, folder: Path, *, share: float, now: Callable[[], datetime] = _now) -> None:
        self._folder = folder
        self._share = share
        self._now = now
        self._lock = threading.Lock()
        self._day = ""
        self._file = -1
        self._torn = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._open(self._today())
        except OSError as error:
            raise ConfigError(
                f"cannot write the feature log to {folder} ({error.strerror}); name another folder in "
                "ACERTO_FEATURE_LOG, or leave it out"
            ) from error

    def wants(self, account_id: str, *, as_of_us: int) -> bool:
        """Whether this account is logged at this moment; the same answer in every process and at every time."""
        digest = sha256(f"{account_id}\x1f{rfc3339(as_of_us)}".encode()).digest()
        return int.from_bytes(digest[:8], "big") < self._share * 2.0**64

    def append(self, vectors: Iterable[Vector]) -> None:
        """Write vectors, one line each.

        Notes
        -----
        A full disk is told in the log and in ``acerto_feature_log_failures_total``, and does not refuse the request: a
        decision must not fail for want of a sample that only a later check reads.
        """
        lines = b"".join(vector.to_line().encode("ascii") + _END for vector in vectors)
        if not lines:
            return
        try:
            with self._lock:
                self._write(lines)
        except OSError as error:
            metrics.FEATURE_LOG_FAILURES.inc()
            log.error("feature log", error=where(error))

    def close(self) -> None:
        """Close the file of the day."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
            self._file, self._day = -1, ""

    def _write(self, lines: bytes) -> None:
        today = self._today()
        if today != self._day:
            self._open(today)
        data = _END + lines if self._torn else lines
        # Until all of it is written, the last line counts as torn.
        self._torn = True
        written = os.write(self._file, data)
        self._torn = written < len(data)
        if self._torn:
            raise OSError(f"wrote {written} of {len(data)} bytes")

    def _open(self, day: str) -> None:
        path = self._folder / f"features-{day}.jsonl"
        opened = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        if self._file >= 0:
            os.close(self._file)
        self._file, self._day = opened, day
        size = os.fstat(opened).st_size
        self._torn = size > 0 and os.pread(opened, 1, size - 1) != _END

    def _today(self) -> str:
        return rfc3339(to_us(self._now()))[:10]
