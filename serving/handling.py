"""From the bytes of a request to the bytes of its answer: one synchronous function, run in a worker thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from decisioning.records import decision_bytes, json_bytes
from domain.clock import from_us, rfc3339
from domain.errors import LedgerError
from serving.brain import Answer, Brain
from serving.fallbacks import fell_back
from serving.keeping import records_of, without_probs
from serving.known_accounts import known_batch
from serving.ledgers import Batch, batches
from serving.parsing import check_events, parse_json
from serving.problems import Fault, Problem, faults_of
from serving.reservations import Reservation
from serving.schemas import ROW_LISTS, Ledger, Schemas, ScoresRequest
from serving.tenants import DEFAULT_TENANT

if TYPE_CHECKING:
    from serving.store import Record, Store, Write

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")
R = TypeVar("R", bound=ScoresRequest)


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer's bytes, the answers of the model in it, and the moment that those are about (RFC 3339).

    ``again`` where the bytes were given before: then no answer of the model is counted a second time.
    """

    content: bytes
    answers: list[Answer]
    as_of: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Pending:
    """A reply that must wait until something is written; ``reply`` makes it of the write once that is done.

    The write is not under way yet: whoever takes the request in submits it, alone or with the key of the request.
    """

    write: Write[Any]
    reply: Callable[[Future[Any]], Reply]


def scores(
    body: bytes, brain: Brain, schemas: Schemas, *, store: Store | None = None, tenant: str = DEFAULT_TENANT
) -> Reply:
    """``POST /v1/scores``."""
    asked, as_of = _read(body, schemas.scores, schemas)
    known = known_batch(asked.accounts, schemas.account_columns, store=store, tenant=tenant)
    found = each(asked.accounts, schemas, lambda batch: brain.scores(batch, as_of=as_of), known=known)
    return _reply("scores", found, as_of)


def decisions(
    body: bytes, brain: Brain, schemas: Schemas, *, store: Store | None = None, tenant: str = DEFAULT_TENANT
) -> Reply | Pending:
    """``POST /v1/decisions``; what is committed is in the store, where there is one, before it is answered.

    Without ``commit`` nothing is stored, and nothing of a budget is used.
    """
    asked, as_of = _read(body, schemas.decisions, schemas)
    known = known_batch(asked.accounts, schemas.account_columns, store=store, tenant=tenant)
    records: list[Record] = []
    reservation = None if store is None else Reservation(store, tenant=tenant)

    def decided(batch: Batch) -> list[Answer]:
        told = brain.decisions(
            batch, as_of=as_of, explain=asked.explain, locale=asked.locale, commit=asked.commit, reservation=reservation
        )
        shown = [without_probs(answer, explain=asked.explain) for answer in told]
        if asked.commit and store is not None:
            beside: dict[str, str | None] = {"explain": asked.explain, "locale": asked.locale}
            beside["legal_basis"] = store.config.of(tenant).legal_basis
            beside["model_hash"] = brain.model()["model_hash"]
            records.extend(records_of(batch, shown, told, as_of=as_of, beside=beside))
        return shown

    try:
        reply = _reply("decisions", each(asked.accounts, schemas, decided, known=known), as_of, told=decision_bytes)
    except BaseException:
        if reservation is not None:
            reservation.give_back()
        raise
    if asked.commit and store is None:
        fell_back("not_kept", len(reply.answers))
    if not records or store is None or reservation is None:
        return reply
    write = store.records_write(records, tenant=tenant, days=reservation.changes())
    return Pending(replace(write, ended=reservation.ended), partial(_once_written, reply))


def _once_written(reply: Reply, written: Future[Any]) -> Reply:
    written.result()
    return reply


def _read(body: bytes, model: type[R], schemas: Schemas) -> tuple[R, datetime]:
    asked = read_accounts(body, model, schemas)
    return asked, moment_of(asked.as_of)


def read_accounts(body: bytes, model: type[M], schemas: Schemas) -> M:
    """The request that a body holds, where it may bring ledgers of accounts; raises a ``Problem``."""
    raw = parse_json(body)
    check_events(raw, ROW_LISTS)
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        faults = faults_of(error, schemas.known_keys)
        raise Problem(422, "the request does not fit the contract at the places named", faults) from None


def moment_of(given_us: int | None) -> datetime:
    """The moment that a request is about: the one it gives, else now."""
    return datetime.now(UTC) if given_us is None else from_us(given_us)


def each(
    accounts: Sequence[Ledger], schemas: Schemas, compute: Callable[[Batch], list[T]], *, known: Batch | None
) -> list[T]:
    """What is computed of each account, in the order of the request, ``known`` ones among them."""
    found: dict[int, T] = {}
    try:
        for batch in chain(batches(accounts, schemas.account_columns), [known] if known else []):
            found.update(zip(batch.positions, compute(batch), strict=True))
    except LedgerError as error:
        raise Problem(422, "a ledger cannot be read", (Fault(error.pointer, "cannot be read"),)) from None
    return [found[position] for position in range(len(accounts))]


def _reply(key: str, found: list[Answer], as_of: datetime, *, told: Callable[[Answer], bytes] = json_bytes) -> Reply:
    moment = rfc3339(as_of)
    content = b'{"as_of":%b,"%b":[%b]}' % (json_bytes(moment), key.encode(), b",".join(map(told, found)))
    return Reply(content, found, moment)
