"""Reviews in the store: that a person looks at a decision again was asked for, and what came of it (LGPD, art. 20)."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, case, func, insert, select

from serving.store.ledger import Appended
from serving.store.rows import canonical
from serving.store.schema import REVIEWS

NotOpen = Literal["not_open"]
"""Why an outcome is not kept: no review of the decision waits for one."""


@dataclass(frozen=True, slots=True)
class Review:
    """A ``request`` for a review of a decision, or the ``outcome`` of one: ``content`` has ``kind``, who, and why."""

    decision_id: str
    content: dict[str, Any]


def append_review(connection: Connection, review: Review, *, tenant: str, received_us: int) -> Appended | NotOpen:
    """Adds a review; that its decision is there is for the caller to see.

    What says the same as the latest one of its decision is that one, sent again, and counts once.
    """
    known = reviews_of(connection, review.decision_id, tenant=tenant)
    said = canonical(review.content)
    if known and canonical(known[-1][0]) == said:
        return Appended(same=1)
    kinds = Counter(content["kind"] for content, _ in known)
    if review.content["kind"] == "outcome" and kinds["outcome"] >= kinds["request"]:
        return "not_open"
    row = {"tenant": tenant, "decision_id": review.decision_id, "content": said, "received_at": received_us}
    connection.execute(insert(REVIEWS), row)
    return Appended(new=1)


def open_reviews(connection: Connection) -> int:
    """How many reviews of all tenants wait for an outcome."""
    # The content is JSON of ours, in which a quotation mark of a text has a backslash before it.
    asked = case((REVIEWS.c.content.contains('"kind":"request"', autoescape=True), 1), else_=-1)
    return int(connection.execute(select(func.coalesce(func.sum(asked), 0))).scalar_one())


def reviews_of(connection: Connection, decision_id: str, *, tenant: str) -> list[tuple[dict[str, Any], int]]:
    """Content and moment (µs UTC) of the reviews of a decision, in the order in which they came."""
    reviews = REVIEWS.c
    asked = select(reviews.content, reviews.received_at).where(
        reviews.tenant == tenant, reviews.decision_id == decision_id
    )
    return [(json.loads(row.content), row.received_at) for row in connection.execute(asked.order_by(reviews.sequence))]
