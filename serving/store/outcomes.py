"""What became of decisions, in the store: sent, failed, suppressed, overridden, expired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal, get_args

from sqlalchemy import Connection, insert, select

from domain.errors import ConflictError
from serving.store.ledger import Appended
from serving.store.rows import canonical
from serving.store.schema import OUTCOMES

Status = Literal["sent", "failed", "suppressed", "overridden", "expired"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The execution of a decision came to ``status`` at a moment (µs UTC); ``content`` is what else was said of it."""

    decision_id: str
    status: Status
    occurred_at: int
    content: dict[str, Any]

    @property
    def identity(self) -> bytes:
        """The same decision, status and moment are the same outcome."""
        return sha256(f"{self.decision_id}\0{self.status}\0{self.occurred_at}".encode()).digest()


def append_outcome(connection: Connection, outcome: Outcome, *, tenant: str, received_us: int) -> Appended:
    """Adds an outcome that is not there yet; that its decision is there is for the caller to see.

    Raises
    ------
    ConflictError : the same outcome is there, and something else was said of it
    """
    said, outcomes = canonical(outcome.content), OUTCOMES.c
    asked = select(outcomes.content).where(outcomes.tenant == tenant, outcomes.identity == outcome.identity)
    known = connection.execute(asked).scalar()
    if known == said:
        return Appended(same=1)
    if known is not None:
        raise ConflictError(
            "found an outcome of the same decision, status and moment that says something else, needed the same again "
            "or another moment",
            place=0,
        )
    row = {
        "tenant": tenant, "identity": outcome.identity, "decision_id": outcome.decision_id, "status": outcome.status,
        "occurred_at": outcome.occurred_at, "content": said, "received_at": received_us,
    }  # fmt: skip
    connection.execute(insert(OUTCOMES), row)
    return Appended(new=1)


def outcomes_of(connection: Connection, decision_id: str, *, tenant: str) -> Sequence[tuple[str, int]]:
    """Status and moment of what became of a decision, in the order of the moments."""
    outcomes = OUTCOMES.c
    asked = select(outcomes.status, outcomes.occurred_at).where(
        outcomes.tenant == tenant, outcomes.decision_id == decision_id
    )
    return [(row.status, row.occurred_at) for row in connection.execute(asked.order_by(outcomes.occurred_at))]
