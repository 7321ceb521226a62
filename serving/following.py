"""What follows on an answer, as links of the OpenAPI document: where its ids lead, in the form of its expressions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DECIDED = "$response.body#/decisions/0/decision_id"
_NAMED = "$request.path.decision_id"
_SENT_AT = "2026-03-02T13:05:00Z"


def _by_path(operation: str, decision_id: str, about: str) -> dict[str, Any]:
    return {"operationId": operation, "parameters": {"decision_id": decision_id}, "description": about}


def _by_body(operation: str, body: Mapping[str, Any], about: str) -> dict[str, Any]:
    return {"operationId": operation, "requestBody": body, "description": about}


_READ = {
    "decision": "the record, as it was answered; none is kept with `commit: false`",
    "explanation": "in words",
    "replay": "computed again",
}
_LINKS: Mapping[tuple[str, str], Mapping[str, dict[str, Any]]] = {
    ("post", "/v1/decisions"): {
        **{name: _by_path(name, _DECIDED, about) for name, about in _READ.items()},
        "review": {
            **_by_path("review", _DECIDED, "a person looks again"),
            "requestBody": {"kind": "request", "by": "debtor"},
        },
        "permit": _by_body(
            "permits",
            {"permits": [{"decision_id": _DECIDED}], "accounts": "$request.body#/accounts"},
            "asked right before the contact, with ledgers of then; without them the store has to know the account",
        ),
        "outcome": _by_body(
            "outcomes", {"decision_id": _DECIDED, "status": "sent", "at": _SENT_AT}, "said once it was carried out"
        ),
    },
    ("post", "/v1/events"): {
        "decide": _by_body(
            "decisions", {"accounts": [{"account_id": "$request.body#/rows/0/account_id"}]}, "by id, from the store"
        ),
    },
    ("post", "/v1/decisions/{decision_id}/review"): {
        "decision": _by_path("decision", _NAMED, "tells its reviews"),
    },
    ("post", "/v1/outcomes"): {
        "decision": _by_path("decision", "$request.body#/decision_id", "that it is about"),
    },
}


def add_links(document: dict[str, Any]) -> None:
    """Adds them to the answers of 200."""
    for (method, path), links in _LINKS.items():
        document["paths"][path][method]["responses"]["200"]["links"] = dict(links)
