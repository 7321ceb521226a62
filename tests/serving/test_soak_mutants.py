"""The short form of benchmarks/soak_mutants.py: a real service, and a few hundred broken requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import soak_mutants
from fuzz_service import guarded
from mutant_oracle import PROBLEM, Answer, Oracle, due
from mutants import Good, Mutant, mutant

ROOT = Path(__file__).parents[2]
MUTANTS = 300
DOCUMENT: dict[str, Any] = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
SCORE = Good("POST", "/v1/scores", {"accounts": [{"account_id": "a1"}]})
HEADERS = {"content-type": PROBLEM, "x-request-id": "6f1c1f5e-3c0e-4d0c-9a53-0d3f4dd1a111"}


def test_broken_requests_are_refused_as_documented_and_harm_nobody(bundle: Path, tmp_path: Path) -> None:
    with guarded(bundle, tmp_path, configs=ROOT / "configs") as service:
        seen = soak_mutants.soak(service, DOCUMENT, list(range(MUTANTS)), seed=7)
    assert seen.right, soak_mutants.told(seen)


def problem(status: int, **changed: Any) -> bytes:
    body = {"type": "urn:acerto:problem:x", "title": "x", "status": status, "detail": "x", "request_id": "x"}
    return json.dumps({**body, **changed}).encode()


def faults(answer: Answer) -> list[str]:
    return Oracle(DOCUMENT).faults(Mutant(0, "good", (SCORE.raw(token="t"),)), [answer])


def test_a_documented_problem_is_no_fault() -> None:
    assert faults(Answer(422, HEADERS, problem(422))) == []


WRONG = {
    "an undocumented status": Answer(418, HEADERS, problem(418)),
    "a failure": Answer(500, HEADERS, problem(500)),
    "a 503 that does not say when to come again": Answer(503, HEADERS, problem(503)),
    "no request id": Answer(422, {"content-type": PROBLEM}, problem(422)),
    "a refusal of another type": Answer(422, {**HEADERS, "content-type": "text/html"}, b"<p>no</p>"),
    "a problem of another form": Answer(422, HEADERS, problem(422, title=1)),
    "a problem of another status": Answer(422, HEADERS, problem(400)),
    "401 without a challenge": Answer(401, HEADERS, problem(401)),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_may_not_be_answered_is_a_fault(kind: str) -> None:
    assert len(faults(WRONG[kind])) == 1


def test_a_mutant_is_made_again_from_its_number() -> None:
    made = [[mutant(number, [SCORE], token="t", seed=1) for number in range(60)] for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("sent", "requests", "broken"),
    [
        (SCORE.raw(token="t"), 1, False),
        (SCORE.raw(token="t") * 3, 3, False),
        (SCORE.raw(token="t")[:-1], 0, False),
        (b"GET / HTTP/x.y\r\n\r\n", 0, True),
        (SCORE.raw(token="t") + b"\x00\r\n\r\n", 1, True),
        (b"", 0, False),
    ],
)
def test_what_is_due_is_told_by_what_was_sent(sent: bytes, requests: int, broken: bool) -> None:
    found = due(sent)
    assert (found.requests, found.broken) == (requests, broken)
