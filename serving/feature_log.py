"""The feature log: what was scored, for a share of the requests, so that it can be recomputed from the tables later."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from domain.clock import rfc3339
from domain.errors import ConfigError
from features.vectors import Vector
from serving import metrics
from serving.daily_lines import DailyLines, present
from serving.fallbacks import fell_back
from serving.logs import log, where


class FeatureLog:
    """Files ``features-<day>.jsonl`` in a folder, one for each UTC day of writing; several processes may share it."""

    def __init__(self, folder: Path, *, share: float, now: Callable[[], datetime] = present) -> None:
        self._share = share
        try:
            self._lines = DailyLines(folder, "features", now=now)
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
        try:
            self._lines.append(vector.to_line() for vector in vectors)
        except OSError as error:
            metrics.FEATURE_LOG_FAILURES.inc()
            fell_back("feature_log")
            log.error("feature log", error=where(error))

    def close(self) -> None:
        """Close the file of the day."""
        self._lines.close()
