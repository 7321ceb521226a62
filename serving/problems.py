"""Errors as RFC 9457 problem details: they name places by JSON pointer, and never repeat what a request held.

A pointer is made of known keys and list positions alone; it stops at the parent of an unknown key. So no value, id or
key that a client sent ever comes back, and none reaches a log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 20
"""An answer names this many places; what is wrong beyond them shows once they are repaired."""

Step = str | int

_TITLES = {
    400: ("bad-syntax", "The body is not readable JSON"),
    401: ("no-key", "A key is needed"),
    403: ("not-allowed", "This may not be asked"),
    404: ("not-found", "Nothing is here"),
    405: ("method-not-allowed", "This path does not take that method"),
    409: ("conflict", "What is stored says something else"),
    410: ("gone", "What was here was erased"),
    408: ("too-slow", "The request came too slowly"),
    413: ("too-large", "The request is too large"),
    415: ("unsupported-media-type", "Only application/json is read"),
    422: ("invalid-request", "The request does not fit the contract"),
    429: ("too-many-requests", "Too many requests"),
    500: ("internal-error", "The service failed"),
    503: ("not-ready", "The service cannot take this now"),
}
RETRY_AFTER_S = 1


@dataclass(frozen=True, slots=True)
class Fault:
    """One place that is wrong: a JSON pointer, and what was needed there."""

    pointer: str
    detail: str


@dataclass
class Problem(Exception):
    """A request that is refused, with the status it is answered with."""

    status: int
    detail: str
    errors: Sequence[Fault] = field(default_factory=tuple)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The last part of the problem's type: one word for each status."""
        return _titles(self.status)[0]


def pointer_of(location: Iterable[Step], known_keys: frozenset[str]) -> str:
    """A JSON pointer of the known keys and positions in ``location``; it ends before the first unknown key.

    >>> pointer_of(("accounts", 3, "payments", 0, "4111-1111"), frozenset({"accounts", "payments"}))
    '/accounts/3/payments/0'
    """
    steps: list[str] = []
    for step in location:
        if not isinstance(step, int) and step not in known_keys:
            break
        steps.append(f"/{step}")
    return "".join(steps)


def faults_of(error: ValidationError, known_keys: frozenset[str]) -> tuple[Fault, ...]:
    """What a validation found, without the input: our own words, or pydantic's on what was needed."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return tuple(Fault(pointer_of(item["loc"], known_keys), _needed(item)) for item in found[:MOST_ERRORS])


def _needed(item: Mapping[str, Any]) -> str:
    if item["type"] == "extra_forbidden":
        return "holds a key that the contract does not name"
    if item["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return "needed an object"
    return str(item["msg"])


def _titles(status: int) -> tuple[str, str]:
    phrase = HTTPStatus(status).phrase
    return _TITLES.get(status, (phrase.lower().replace(" ", "-"), phrase))


def problem_response(problem: Problem, *, request_id: str) -> JSONResponse:
    """The answer to a refused request; 429 and 503 say when to come back."""
    code, title = _titles(problem.status)
    body: dict[str, Any] = {
        "type": f"urn:acerto:problem:{code}",
        "title": title,
        "status": problem.status,
        "detail": problem.detail,
        "request_id": request_id,
    }
    if problem.errors:
        body["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in problem.errors]
    headers = dict(problem.headers)
    if problem.status in (429, 503):
        headers.setdefault("Retry-After", str(RETRY_AFTER_S))
    return JSONResponse(body, status_code=problem.status, headers=headers, media_type=MEDIA_TYPE)
