"""A kept decision in words: read from the store, and worded for whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from decisioning.records import json_bytes
from domain.clock import rfc3339
from serving.brain import Brain
from serving.handling import Reply
from serving.problems import Fault, Problem
from serving.storing import content_of, known_id
from serving.tenants import DEFAULT_TENANT

if TYPE_CHECKING:
    from serving.store import Store

LOCALES = ("pt-BR", "en")
LOCALE: Mapping[str, Any] = {
    "name": "locale", "in": "query", "required": False,
    "description": "language of the explanation, whichever the decision was answered in",
    "schema": {"type": "string", "enum": list(LOCALES), "default": LOCALES[0]},
}  # fmt: skip
"""The parameter as the OpenAPI document tells it; the framework's own reading would repeat what was sent."""
_BESIDE = ("legal_basis", "explain", "locale")


def locale_of(query: Mapping[str, str]) -> str:
    """The language that a query asks for, by default Portuguese; another is a ``Problem``."""
    found = query.get("locale", LOCALES[0])
    if found not in LOCALES:
        fault = Fault("/locale", f"needed one of {', '.join(LOCALES)}")
        raise Problem(422, "the request does not fit the contract at the places named", (fault,))
    return found


def explanation(decision_id: str, brain: Brain, store: Store, *, locale: str, tenant: str = DEFAULT_TENANT) -> Reply:
    """``GET /v1/decisions/{id}/explanation``."""
    kept = store.decision(known_id(decision_id), tenant=tenant)
    content = content_of(kept)
    recorded = None if kept is None else rfc3339(kept.recorded_at)
    beside = {"recorded_at": recorded, **{name: content.get(name) for name in _BESIDE}}
    return Reply(json_bytes(brain.explanation(content["answer"], locale=locale, beside=beside)), [])
