"""Requests that have one effect: the answer of a key is kept in the transaction that wrote what it answers.

There is no stored mark of a request that is under way: it would outlive its process, and block the key for ever or
until some deadline. What is under way is known to the process that is at it (serving/once.py); a process that is killed
leaves both the effect and the answer, or neither. Two processes of one database that get the same request at once both
compute it; the writers take turns, and the second finds the answer of the first and writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from domain.clock import US_PER_DAY
from serving.store.schema import IDEMPOTENCY_KEYS
from serving.store.writer import Write

KEPT_US = US_PER_DAY
"""For so long the answer of a key is given again; after it the key is a new one."""
ANSWERED, FORGOTTEN = 200, 410


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request with a key, of which only digests are kept: the key's, and the one of path and body."""

    tenant: str
    key_digest: bytes
    request_digest: bytes

    @classmethod
    def of(cls, key: str, *, tenant: str, path: str, body: bytes) -> KeyedRequest:
        """The request of a key; no path holds the zero byte that parts it from the body."""
        return cls(tenant, sha256(key.encode()).digest(), sha256(path.encode() + b"\0" + body).digest())


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What was answered to the request of a digest; ``None`` where its debtor was forgotten since."""

    request_digest: bytes
    answer: bytes | None


@dataclass(frozen=True, slots=True)
class OnceWrite:
    """A write together with the request that it is for; ``answer`` makes the answer of what the write told."""

    request: KeyedRequest
    write: Write[Any]
    answer: Callable[[Any], bytes]


def write_once(connection: Connection, asked: OnceWrite, *, now_us: int) -> KeptAnswer:
    """Writes and keeps the answer, unless the key has one by now: then that, and nothing is written.

    What the write or ``answer`` raises is raised on, and must undo the whole: of a refused request nothing is kept.
    """
    kept = answer_of(connection, asked.request, now_us=now_us)
    if kept is not None:
        return kept
    [told] = asked.write.work(connection, [asked.write.item])
    request = asked.request
    found = KeptAnswer(request.request_digest, asked.answer(told))
    row = {
        "tenant": request.tenant, "key_digest": request.key_digest, "request_digest": request.request_digest,
        "status": ANSWERED, "answer": found.answer, "received_at": now_us,
    }  # fmt: skip
    connection.execute(insert(IDEMPOTENCY_KEYS), row)
    return found


def answer_of(connection: Connection, request: KeyedRequest, *, now_us: int) -> KeptAnswer | None:
    """What the key was answered within ``KEPT_US``, to this request or another; ``None`` where it is new."""
    keys = IDEMPOTENCY_KEYS.c
    asked = select(keys.request_digest, keys.answer).where(
        keys.tenant == request.tenant, keys.key_digest == request.key_digest, keys.received_at > now_us - KEPT_US
    )
    row = connection.execute(asked).first()
    return None if row is None else KeptAnswer(row.request_digest, row.answer)


def sweep(connection: Connection, *, now_us: int) -> int:
    """Deletes the answers whose time is over, of every tenant; how many."""
    return connection.execute(
        delete(IDEMPOTENCY_KEYS).where(IDEMPOTENCY_KEYS.c.received_at <= now_us - KEPT_US)
    ).rowcount


def forget_answers(connection: Connection, *, tenant: str, accounts: Iterable[str], decisions: Iterable[str]) -> int:
    """Empties the answers that name one of these accounts or decisions; how many.

    Their keys stay: a repeated request must not bring back what was forgotten. An answer is read as the bytes that
    ``decisioning.records.json_bytes`` writes, without spaces.
    """
    named = [("account_id", account) for account in accounts] + [("decision_id", decision) for decision in decisions]
    needles = [f'"{name}":{json.dumps(value, ensure_ascii=False)}'.encode() for name, value in named]
    keys = IDEMPOTENCY_KEYS.c
    asked = select(keys.key_digest, keys.answer).where(keys.tenant == tenant, keys.status == ANSWERED)
    rows = connection.execute(asked.execution_options(yield_per=100))  # answers may be large
    found = [digest for digest, answer in rows if any(needle in answer for needle in needles)]
    for digest in found:
        whose = update(IDEMPOTENCY_KEYS).where(keys.tenant == tenant, keys.key_digest == digest)
        connection.execute(whose.values(status=FORGOTTEN, answer=None))
    return len(found)
