"""The chain of records: each entry's digest holds the one before, so that none is changed, removed or moved unseen.

What an entry says stands apart, under a digest of its own with a salt. So a record can be forgotten, payload and salt,
and the chain still holds: without the salt nobody can try whether the digest is that of somebody they know.
"""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Literal

Kind = Literal["decision", "erasure"]
BEGINNING = bytes(32)
"""What stands where the digest of an earlier entry would."""
_SALT_BYTES = 16
_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Payload:
    """What an entry says, as ``packed`` JSON, about whom, with its salt."""

    account_id: str | None
    debtor_id: str | None
    decided_at: int | None
    payload: bytes
    salt: bytes

    @property
    def digest(self) -> bytes:
        """Over every field, each with its length, so that nothing can be moved from one into the next."""
        return _digest(self.salt, self.account_id, self.debtor_id, self.decided_at, self.payload)


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of a tenant's chain; ``sequence`` counts from 1, ``recorded_at`` is in microseconds UTC and rises."""

    tenant: str
    sequence: int
    kind: str
    decision_id: str | None
    recorded_at: int
    payload_digest: bytes
    previous: bytes
    digest: bytes

    @property
    def own_digest(self) -> bytes:
        """What ``digest`` has to be."""
        return _digest(
            self.previous, self.tenant, self.sequence, self.kind, self.decision_id, self.recorded_at,
            self.payload_digest,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain: how many there are, when it was recorded, and its digest."""

    sequence: int = 0
    recorded_at: int = 0
    digest: bytes = BEGINNING


@dataclass(frozen=True, slots=True)
class Break:
    """A place at which a chain does not hold, and what is wrong there."""

    sequence: int
    what: str


def packed(content: Mapping[str, Any]) -> bytes:
    """JSON of a record in its own order, compressed: a decision names what is refused to every action, and why."""
    return zlib.compress(json.dumps(content, separators=(",", ":"), allow_nan=False).encode(), _LEVEL)


def unpacked(payload: bytes) -> dict[str, Any]:
    """What was packed."""
    found: dict[str, Any] = json.loads(zlib.decompress(payload))
    return found


def salt() -> bytes:
    """A new one."""
    return secrets.token_bytes(_SALT_BYTES)


def linked(head: Head, payload: Payload, *, tenant: str, kind: Kind, decision_id: str | None, recorded_at: int) -> Link:
    """The entry that follows ``head``."""
    when = max(recorded_at, head.recorded_at + 1)
    link = Link(tenant, head.sequence + 1, kind, decision_id, when, payload.digest, head.digest, b"")
    return replace(link, digest=link.own_digest)


def breaks(tenant: str, entries: Iterable[tuple[Link, Payload | None]], head: Head | None) -> Iterator[Break]:
    """Every place at which a chain does not hold.

    Parameters
    ----------
    entries : by sequence, each with its payload where that is there
    head : the last entry as it was noted apart; ``None`` where nothing is noted
    """
    last = Head()
    missing: set[int] = set()
    erased: dict[int, int] = {}
    for link, payload in entries:
        yield from _link_breaks(link, payload, last, tenant=tenant)
        if payload is None:
            missing.add(link.sequence)
        elif link.kind == "erasure" and payload.digest == link.payload_digest:
            erased |= {sequence: link.sequence for sequence in unpacked(payload.payload)["erased"]}
        last = Head(link.sequence, link.recorded_at, link.digest)
    if last != (head or Head()):
        yield Break(last.sequence, "the chain does not end where its head says")
    for sequence in sorted(missing):
        if not sequence < erased.get(sequence, 0):
            yield Break(sequence, "the payload is gone, and no erasure says so")
    for sequence in sorted(erased.keys() - missing):
        yield Break(sequence, "an erasure says that the payload is gone, and it is there")


def _link_breaks(link: Link, payload: Payload | None, last: Head, *, tenant: str) -> Iterator[Break]:
    if link.sequence != last.sequence + 1:
        yield Break(link.sequence, f"found after entry {last.sequence}, needed entry {last.sequence + 1}")
    if link.previous != last.digest:
        yield Break(link.sequence, "does not follow from the entry before")
    if link.tenant != tenant or link.digest != link.own_digest:
        yield Break(link.sequence, "is not the entry that was written")
    if link.recorded_at <= last.recorded_at:
        yield Break(link.sequence, "was recorded before the entry before")
    if payload is not None and payload.digest != link.payload_digest:
        yield Break(link.sequence, "does not hold the payload that was written")


def _digest(*parts: bytes | str | int | None) -> bytes:
    found = sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else b"" if part is None else str(part).encode()
        # None, a text and bytes of the same content are three different things.
        found.update(f"{type(part).__name__}{len(raw)}:".encode() + raw)
    return found.digest()
