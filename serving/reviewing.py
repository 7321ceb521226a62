"""A person's review of a decision (LGPD, art. 20): that it was asked for, and what came of it."""

from __future__ import annotations

from concurrent.futures import Future

from decisioning.records import json_bytes
from serving.event_schemas import ReviewRequest
from serving.handling import Pending, Reply
from serving.parsing import parse_json
from serving.problems import Problem
from serving.store import Appended, Missing, Store
from serving.store.reviews import NotOpen, Review
from serving.storing import Intake, known_id, refuse, validated
from serving.tenants import DEFAULT_TENANT


def review(decision_id: str, body: bytes, intake: Intake, store: Store, *, tenant: str = DEFAULT_TENANT) -> Pending:
    """``POST /v1/decisions/{id}/review``; it is on the disk before it is answered."""
    asked = validated(parse_json(body), ReviewRequest, intake)
    kept = Review(known_id(decision_id), asked.model_dump(exclude_none=True))
    return Pending(store.review_write(kept, tenant=tenant), _stored)


def _stored(written: Future[Appended | Missing | NotOpen]) -> Reply:
    found = written.result()
    if found == "not_open":
        raise Problem(409, "no review of this decision waits for an outcome; one has to be asked for first")
    if isinstance(found, str):
        refuse(found)
    return Reply(json_bytes({"new": found.new, "same": found.same}), [])
