"""What may be answered to a mutant: read from the OpenAPI document, and from HTTP as a second parser reads it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import h11
import jsonschema_rs
from mutants import Mutant

_BEYOND = {
    # Paths that the document leaves out: the documents themselves, and what browsers show.
    r"/openapi\.json": frozenset({200, 405}),
    r"/docs(/assets/.*)?": frozenset({200, 307, 404, 405}),
    r"/reports/?.*": frozenset({200, 303, 307, 401, 403, 404, 405, 408, 409, 410, 413, 415, 422, 503}),
}
_ANYWHERE = frozenset({400, 401, 403, 404, 405, 414, 429, 431})
"""Of a path that there is not: no key, no such path, another method, or too long."""
PROBLEM = "application/problem+json"
_PROBLEM_SCHEMA = "#/components/schemas/ProblemAnswer"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Due:
    """What a mutant asks for, as ``h11`` reads it: how many whole requests, and what the first of them is.

    ``broken`` where it is no HTTP at some place, ``most`` how many answers may come at most.
    """

    requests: int
    broken: bool
    method: str = ""
    target: str = ""

    @property
    def answer(self) -> bool:
        """Whether there must be one."""
        return self.requests > 0 or self.broken


def due(sent: bytes) -> Due:
    """Reads what is sent as a server does."""
    parser = h11.Connection(h11.SERVER)
    parser.receive_data(sent)
    requests, method, target = 0, "", ""
    while True:
        try:
            event = parser.next_event()
        except h11.RemoteProtocolError:
            return Due(requests, True, method, target)
        if isinstance(event, h11.Request) and not method:
            method, target = event.method.decode(), event.target.decode()
        if isinstance(event, h11.EndOfMessage):
            requests += 1
            _answered(parser)
            if parser.our_state is not h11.DONE or parser.their_state is not h11.DONE:
                return Due(requests, False, method, target)
            parser.start_next_cycle()
        elif event in (h11.NEED_DATA, h11.PAUSED) or isinstance(event, h11.ConnectionClosed):
            return Due(requests, False, method, target)


def _answered(parser: h11.Connection) -> None:
    # A refusal, so that nothing that was asked for (another protocol, a tunnel) is begun.
    parser.send(h11.Response(status_code=405, headers=[("Content-Length", "0")]))
    parser.send(h11.EndOfMessage())


class Oracle:
    """The document, and what it says of an answer."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self._paths = [
            (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), operations)
            for path, operations in document["paths"].items()
        ]

    @cached_property
    def _problem(self) -> jsonschema_rs.Validator:
        return self._validator(_PROBLEM_SCHEMA)

    def _validator(self, reference: str) -> jsonschema_rs.Validator:
        return jsonschema_rs.validator_for({"$ref": reference, "components": self._document["components"]})

    def faults(self, mutant: Mutant, answers: list[Answer]) -> list[str]:
        """What is wrong with the answers to a mutant; nothing where all is right."""
        asked = due(mutant.sent)
        allowed = self._allowed(asked) if asked.method else _ANYWHERE
        found: list[str] = []
        for place, answer in enumerate(answers):
            found += self._of_answer(answer, allowed if place == 0 else None)
        if len(answers) > asked.requests + asked.broken + (asked.requests == 0):
            found.append(f"{len(answers)} answers to {asked.requests} requests")
        return found

    def _allowed(self, asked: Due) -> frozenset[int]:
        path = unquote(asked.target.partition("?")[0])
        for pattern, operations in self._paths:
            if pattern.fullmatch(path):
                operation = operations.get(asked.method.lower()) if asked.method.isupper() else None
                return frozenset({405, 401, 403, 414, 431}) if operation is None else _statuses(operation)
        return next((known for form, known in _BEYOND.items() if re.fullmatch(form, path)), frozenset()) | _ANYWHERE

    def _of_answer(self, answer: Answer, allowed: frozenset[int] | None) -> list[str]:
        kind = answer.headers.get("content-type", "")
        if answer.status == 400 and kind.startswith("text/plain") and "x-request-id" not in answer.headers:
            return (
                [] if answer.headers.get("connection") == "close" else ["the parser's 400 leaves the connection open"]
            )
        found = [] if allowed is None or answer.status in allowed else [f"{answer.status} is not documented here"]
        if answer.status >= 500 and (answer.status != 503 or "retry-after" not in answer.headers):
            found.append(f"a {answer.status}")
        if "x-request-id" not in answer.headers:
            found.append("no X-Request-Id")
        if answer.status == 401 and "www-authenticate" not in answer.headers:
            found.append("401 without WWW-Authenticate")
        if answer.status == 429 and "retry-after" not in answer.headers:
            found.append("429 without Retry-After")
        if answer.status >= 400 and answer.body:
            found += self._of_problem(answer, kind)
        return found

    def _of_problem(self, answer: Answer, kind: str) -> list[str]:
        if kind != PROBLEM:
            return [f"a refusal as {kind!r}"]
        try:
            body = json.loads(answer.body)
        except ValueError:
            return ["a problem that is no JSON"]
        wrong = [str(error.message) for error in self._problem.iter_errors(body)]
        return wrong if body.get("status") == answer.status else [*wrong, "a problem of another status"]


def _statuses(operation: Mapping[str, Any]) -> frozenset[int]:
    return frozenset(int(status) for status in operation["responses"])
