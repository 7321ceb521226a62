"""What the service asks: scores, decisions and what it runs on. One small seam between HTTP and the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

from serving.ledgers import Batch

if TYPE_CHECKING:
    # The process that watches over the workers does without what decides.
    from decisioning.bundle import ModelBundle
    from decisioning.proposals import Proposal
    from decisioning.record_words import Words
    from serving.reservations import Reservation

Answer = dict[str, Any]
Explain = Literal["none", "reasons", "full"]


class Brain(Protocol):
    """Computes on batches; every answer is JSON-ready and stands in the order of ``batch.positions``."""

    def scores(self, batch: Batch, *, as_of: datetime) -> list[Answer]:
        """One score per account."""

    def decisions(
        self,
        batch: Batch,
        *,
        as_of: datetime,
        explain: Explain,
        locale: str,
        commit: bool,
        reservation: Reservation | None = None,
    ) -> list[Answer]:
        """One decision per account; without ``commit`` it uses nothing of what the day has.

        With a ``reservation`` the day is that of a store, and what is used of it is taken by that until it is written.
        """

    def permits(self, batch: Batch, decided: Sequence[Proposal], *, at: datetime, locale: str) -> list[Answer]:
        """Whether each decision on these accounts may be carried out at a moment, in their order."""

    def explanation(self, answer: Answer, *, locale: str, beside: Mapping[str, Any]) -> Answer:
        """A decision that was answered, in words for debtor, agent and auditor; ``beside`` was kept with it."""

    def words(self, locale: str) -> Words:
        """With what a decision that was answered is worded."""

    def replayer(self, bundle: ModelBundle | None = None) -> Brain:
        """What computes a record again: the same desk without books and logs, over another model where one is given."""

    def model(self) -> Answer:
        """What is being served."""
