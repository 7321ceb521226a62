"""From the bytes of a request to the bytes of its answer: one synchronous function, run in a worker thread."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import ValidationError

from domain.clock import from_us, rfc3339
from domain.errors import LedgerError
from serving.brain import Answer, Brain
from serving.ledgers import Batch, batches
from serving.parsing import check_events, parse_json
from serving.problems import Fault, Problem, faults_of
from serving.schemas import ROW_LISTS, Schemas, ScoresRequest

R = TypeVar("R", bound=ScoresRequest)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer's bytes, the answers in it for whoever counts, and the moment they are about (RFC 3339)."""

    content: bytes
    answers: list[Answer]
    as_of: str


def scores(body: bytes, brain: Brain, schemas: Schemas) -> Reply:
    """``POST /v1/scores``."""
    asked, as_of = _read(body, schemas.scores, schemas)
    found = _each(asked, schemas, lambda batch: brain.scores(batch, as_of=as_of))
    return _reply("scores", found, as_of)


def decisions(body: bytes, brain: Brain, schemas: Schemas) -> Reply:
    """``POST /v1/decisions``; nothing is stored in this version, and without ``commit`` nothing of a budget is used."""
    asked, as_of = _read(body, schemas.decisions, schemas)
    found = _each(
        asked, schemas,
        lambda batch: brain.decisions(
            batch, as_of=as_of, explain=asked.explain, locale=asked.locale, commit=asked.commit
        ),
    )  # fmt: skip
    return _reply("decisions", found, as_of)


def _read(body: bytes, model: type[R], schemas: Schemas) -> tuple[R, datetime]:
    raw = parse_json(body)
    check_events(raw, ROW_LISTS)
    try:
        asked = model.model_validate(raw)
    except ValidationError as error:
        faults = faults_of(error, schemas.known_keys)
        raise Problem(422, "the request does not fit the contract at the places named", faults) from None
    # The one moment that is not given: a request without as_of asks about now.
    return asked, datetime.now(UTC) if asked.as_of is None else from_us(asked.as_of)


def _each(asked: ScoresRequest, schemas: Schemas, compute: Callable[[Batch], list[Answer]]) -> list[Answer]:
    """Answers in the order of the request."""
    found: dict[int, Answer] = {}
    try:
        for batch in batches(asked.accounts, schemas.account_columns):
            found.update(zip(batch.positions, compute(batch), strict=True))
    except LedgerError as error:
        raise Problem(422, "a ledger cannot be read", (Fault(error.pointer, "cannot be read"),)) from None
    return [found[position] for position in range(len(asked.accounts))]


def _reply(key: str, found: list[Answer], as_of: datetime) -> Reply:
    moment = rfc3339(as_of)
    answer = {"as_of": moment, key: found}
    content = json.dumps(answer, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    return Reply(content, found, moment)
