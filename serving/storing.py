"""From the bytes of a request to rows and outcomes in the store, and to what is sent back once they are there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from decisioning.records import json_bytes
from domain.clock import rfc3339
from domain.errors import ConflictError
from serving.event_schemas import OutcomeRequest, Rows, keys_of, rows_models
from serving.handling import Pending, Reply
from serving.parsing import MOST_EVENTS, parse_json
from serving.problems import Fault, Problem, faults_of
from serving.schemas import Schemas
from serving.store import Appended, Kept, Missing, Outcome, Store, stored_row
from serving.tenants import DEFAULT_TENANT

M = TypeVar("M", bound=BaseModel)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+=/#-]{0,127}", re.ASCII)
_NO_SUCH = "no decision of that id is kept here; one that was asked for with commit: false never was"
_FORGOTTEN = "the debtor of this decision was forgotten, and what it said with them"


@dataclass(frozen=True)
class Intake:
    """What may be stored, with every key that may be named in an error."""

    rows: Mapping[str, type[Rows]]
    keys: frozenset[str]

    @classmethod
    def of(cls, schemas: Schemas) -> Intake:
        """For the canonical tables and the declared attributes."""
        return cls(rows_models(schemas), keys_of(schemas))


def events(body: bytes, intake: Intake, store: Store, *, tenant: str = DEFAULT_TENANT) -> Pending:
    """``POST /v1/events``: all rows are stored, or none."""
    raw = parse_json(body)
    table, rows = (raw.get("table"), raw.get("rows")) if isinstance(raw, dict) else (None, None)
    if isinstance(rows, list) and len(rows) > MOST_EVENTS:
        raise Problem(413, f"the request holds more than {MOST_EVENTS} rows; send them in several requests")
    known = isinstance(table, str) and table in intake.rows
    if isinstance(raw, dict) and not known:
        detail = f"needed one of the canonical tables: {', '.join(intake.rows)}"
        raise _unfit((Fault("/table", detail),))
    model = intake.rows[table] if known else Rows  # type: ignore[index]
    asked = validated(raw, model, intake)
    stored = {asked.table: [stored_row(asked.table, row.__dict__) for row in asked.rows]}
    return Pending(store.rows_write(stored, tenant=tenant), partial(_rows_stored, asked.table))


def _rows_stored(table: str, written: Future[dict[str, Appended]]) -> Reply:
    try:
        counts = written.result()[table]
    except ConflictError as error:
        detail = "a stored row has the same id and recorded_at, and another content; a correction is recorded later"
        raise Problem(409, "a row is not what is stored", (Fault(f"/rows/{error.place}", detail),)) from None
    return Reply(json_bytes({"table": table, **counts._asdict()}), [])


def outcome(body: bytes, intake: Intake, store: Store, *, tenant: str = DEFAULT_TENANT) -> Pending:
    """``POST /v1/outcomes``."""
    asked = validated(parse_json(body), OutcomeRequest, intake)
    said = {name: getattr(asked, name) for name in ("reason", "action", "contact_id")}
    content = {name: value for name, value in said.items() if value is not None}
    kept = Outcome(asked.decision_id, asked.status, asked.at, content)
    return Pending(store.outcome_write(kept, tenant=tenant), _outcome_stored)


def _outcome_stored(written: Future[Appended | Missing]) -> Reply:
    try:
        found = written.result()
    except ConflictError:
        detail = "this decision has an outcome of this status and moment already, of which something else is said"
        raise Problem(409, detail) from None
    if isinstance(found, str):
        refuse(found)
    return Reply(json_bytes({"new": found.new, "same": found.same}), [])


def decision(decision_id: str, store: Store, *, tenant: str = DEFAULT_TENANT) -> Reply:
    """``GET /v1/decisions/{id}``: the record as it was answered, and the reviews that were asked for."""
    answer = content_of(store.decision(known_id(decision_id), tenant=tenant))["answer"]
    said = [{**content, "recorded_at": rfc3339(at)} for content, at in store.reviews(decision_id, tenant=tenant)]
    return Reply(json_bytes({**answer, "reviews": said} if said else answer), [])


def known_id(decision_id: str) -> str:
    """The id of a path, where it can be one: another is of no decision, and no database has to read it."""
    if not _ID.fullmatch(decision_id):
        refuse("unknown")
    return decision_id


def content_of(kept: Kept | None, *, place: str | None = None) -> dict[str, Any]:
    """What a decision says; ``place`` is the JSON pointer of what named it, where that is not the path.

    Raises
    ------
    Problem : 404 where it is not kept, 410 where its debtor was forgotten
    """
    if kept is None or kept.content is None:
        refuse("unknown" if kept is None else "forgotten", place=place)
    return kept.content


def refuse(missing: Missing, *, place: str | None = None) -> NoReturn:
    """Refuses as not kept (404) or forgotten (410); ``place`` is the JSON pointer of what named the decision."""
    status, detail = (404, _NO_SUCH) if missing == "unknown" else (410, _FORGOTTEN)
    raise Problem(status, detail, () if place is None else (Fault(place, detail),))


def validated(raw: Any, model: type[M], intake: Intake) -> M:
    """A request as its model; a ``Problem`` names the places that do not fit."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise _unfit(faults_of(error, intake.keys)) from None


def _unfit(faults: tuple[Fault, ...]) -> Problem:
    return Problem(422, "the request does not fit the contract at the places named", faults)
