"""What the service asks: scores, decisions and what it runs on. One small seam between HTTP and the engine."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Protocol

from serving.ledgers import Batch

Answer = dict[str, Any]
Explain = Literal["none", "reasons", "full"]


class Brain(Protocol):
    """Computes on batches; every answer is JSON-ready and stands in the order of ``batch.positions``."""

    def scores(self, batch: Batch, *, as_of: datetime) -> list[Answer]:
        """One score per account."""

    def decisions(self, batch: Batch, *, as_of: datetime, explain: Explain, locale: str, commit: bool) -> list[Answer]:
        """One decision per account; without ``commit`` it uses nothing of what the day has."""

    def model(self) -> Answer:
        """What is being served."""
