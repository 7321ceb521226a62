"""The decision log in the store: what was decided, appended to the chain of its tenant and read back by id."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, select

from serving.store.chain import Break, Head, Link, Payload, breaks, linked, packed, salt, unpacked
from serving.store.ledger import chunks
from serving.store.schema import DECISION_HEADS, DECISION_LOG, DECISION_PAYLOADS

_PAGE = 1_000
_LINK = (*Link.__slots__,)
_PAYLOAD = (*Payload.__slots__,)


@dataclass(frozen=True, slots=True)
class Record:
    """A decision to keep: whose it is, the moment it is about (µs UTC), and all there is to know of it, packed."""

    decision_id: str
    account_id: str
    debtor_id: str
    decided_at: int
    payload: bytes

    @classmethod
    def of(
        cls, decision_id: str, account_id: str, debtor_id: str, decided_at: int, *, content: Mapping[str, Any]
    ) -> Record:
        """A record of what ``content`` holds, in its order: what is read back is what was sent."""
        return cls(decision_id, account_id, debtor_id, decided_at, packed(content))


@dataclass(frozen=True, slots=True)
class Kept:
    """A decision as it is kept; ``content`` is ``None`` where the debtor was forgotten."""

    decision_id: str
    recorded_at: int
    content: dict[str, Any] | None


def append_decisions(connection: Connection, records: Sequence[Record], *, tenant: str, now_us: int) -> list[bool]:
    """Adds decisions to the chain; which of them were new.

    One that says what the latest entry of its id says counts once; with another content it is a further entry, since
    each was answered to somebody.
    """
    entries: list[tuple[Link, Payload]] = []
    new = []
    head = head_of(connection, tenant)
    latest = _latest(connection, [record.decision_id for record in records], tenant=tenant)
    for record in records:
        new.append(latest.get(record.decision_id) != record.payload)
        if not new[-1]:
            continue
        latest[record.decision_id] = record.payload
        payload = Payload(record.account_id, record.debtor_id, record.decided_at, record.payload, salt())
        link = linked(head, payload, tenant=tenant, kind="decision", decision_id=record.decision_id, recorded_at=now_us)
        head = Head(link.sequence, link.recorded_at, link.digest)
        entries.append((link, payload))
    _write(connection, entries, head, tenant=tenant)
    return new


def append_erasure(connection: Connection, erased: Sequence[int], *, tenant: str, now_us: int) -> None:
    """Deletes payloads with their salts, and adds the entry that says so."""
    if not erased:
        return
    payload = Payload(None, None, None, packed({"erased": sorted(erased)}), salt())
    head = head_of(connection, tenant)
    link = linked(head, payload, tenant=tenant, kind="erasure", decision_id=None, recorded_at=now_us)
    _write(connection, [(link, payload)], Head(link.sequence, link.recorded_at, link.digest), tenant=tenant)
    payloads = DECISION_PAYLOADS.c
    for some in chunks(erased):
        gone = and_(payloads.tenant == tenant, payloads.sequence.in_(some))
        connection.execute(delete(DECISION_PAYLOADS).where(gone))


def head_of(connection: Connection, tenant: str) -> Head:
    """The last entry of a tenant's chain, as it is noted."""
    heads = DECISION_HEADS.c
    asked = select(heads.sequence, heads.recorded_at, heads.digest).where(heads.tenant == tenant)
    found = connection.execute(asked).one_or_none()
    return Head() if found is None else Head(found.sequence, found.recorded_at, bytes(found.digest))


def decision_of(connection: Connection, decision_id: str, *, tenant: str) -> Kept | None:
    """The latest entry of a decision; ``None`` where there is none."""
    return decisions_of(connection, [decision_id], tenant=tenant).get(decision_id)


def decisions_of(connection: Connection, decision_ids: Sequence[str], *, tenant: str) -> dict[str, Kept]:
    """The latest entry of each decision that is there, by its id."""
    found: dict[str, Row[Any]] = {}
    for some in chunks(dict.fromkeys(decision_ids)):
        asked = _joined(tenant).where(DECISION_LOG.c.decision_id.in_(some)).order_by(DECISION_LOG.c.sequence)
        found |= {row.decision_id: row for row in connection.execute(asked)}
    return {
        name: Kept(name, row.recorded_at, None if row.payload is None else unpacked(bytes(row.payload)))
        for name, row in found.items()
    }


def has_entry(connection: Connection, digest: bytes, *, tenant: str) -> bool:
    """Whether the tenant's chain has an entry of this digest."""
    asked = select(DECISION_LOG.c.sequence).where(DECISION_LOG.c.tenant == tenant, DECISION_LOG.c.digest == digest)
    return connection.execute(asked).first() is not None


def tenants_of(connection: Connection) -> list[str]:
    """Tenants of whom the log holds anything."""
    noted = connection.execute(select(DECISION_HEADS.c.tenant)).scalars().all()
    logged = connection.execute(select(DECISION_LOG.c.tenant).distinct()).scalars().all()
    return sorted({*noted, *logged})


def entries_of(connection: Connection, tenant: str) -> Iterator[tuple[Link, Payload | None]]:
    """All entries of a chain in their order, with the payloads that are there; a page at a time in memory."""
    log, after = DECISION_LOG.c, None
    while True:
        asked = _joined(tenant).order_by(log.sequence).limit(_PAGE)
        rows = connection.execute(asked if after is None else asked.where(log.sequence > after)).all()
        for row in rows:
            yield _link(row), _payload(row)
        if len(rows) < _PAGE:
            return
        after = rows[-1].sequence


def breaks_of(connection: Connection, tenant: str) -> Iterator[Break]:
    """Every place at which a tenant's chain does not hold."""
    yield from breaks(tenant, entries_of(connection, tenant), head_of(connection, tenant))
    log, payloads = DECISION_LOG.c, DECISION_PAYLOADS.c
    apart = select(payloads.sequence).outerjoin_from(
        DECISION_PAYLOADS, DECISION_LOG, and_(log.tenant == payloads.tenant, log.sequence == payloads.sequence)
    ).where(payloads.tenant == tenant, log.sequence.is_(None))  # fmt: skip
    for sequence in connection.execute(apart.order_by(payloads.sequence)).scalars():
        yield Break(sequence, "a payload is there, and no entry of the chain")


def _latest(connection: Connection, decision_ids: Sequence[str], *, tenant: str) -> dict[str, bytes | None]:
    """What the latest entry of each decision says; ``None`` where it was forgotten."""
    found: dict[str, bytes | None] = {}
    for some in chunks(decision_ids):
        asked = _joined(tenant).where(DECISION_LOG.c.decision_id.in_(some)).order_by(DECISION_LOG.c.sequence)
        found |= {row.decision_id: row.payload and bytes(row.payload) for row in connection.execute(asked)}
    return found


def _write(connection: Connection, entries: Sequence[tuple[Link, Payload]], head: Head, *, tenant: str) -> None:
    if not entries:
        return
    connection.execute(insert(DECISION_LOG), [_fields(link) for link, _ in entries])
    own = [{"tenant": tenant, "sequence": link.sequence, **_fields(payload)} for link, payload in entries]
    connection.execute(insert(DECISION_PAYLOADS), own)
    connection.execute(delete(DECISION_HEADS).where(DECISION_HEADS.c.tenant == tenant))
    connection.execute(insert(DECISION_HEADS), {"tenant": tenant, **_fields(head)})


def _fields(part: Link | Payload | Head) -> dict[str, Any]:
    return {name: getattr(part, name) for name in part.__slots__}


def _joined(tenant: str) -> Any:
    """Entries of a tenant with their payloads, which may be gone."""
    log, payloads = DECISION_LOG.c, DECISION_PAYLOADS.c
    both = and_(log.tenant == payloads.tenant, log.sequence == payloads.sequence)
    columns = [log[name] for name in _LINK] + [payloads[name] for name in _PAYLOAD]
    return select(*columns).outerjoin_from(DECISION_LOG, DECISION_PAYLOADS, both).where(log.tenant == tenant)


def _link(row: Row[Any]) -> Link:
    return Link(
        row.tenant, row.sequence, row.kind, row.decision_id, row.recorded_at, bytes(row.payload_digest),
        bytes(row.previous), bytes(row.digest),
    )  # fmt: skip


def _payload(row: Row[Any]) -> Payload | None:
    if row.salt is None:
        return None
    return Payload(row.account_id, row.debtor_id, row.decided_at, bytes(row.payload), bytes(row.salt))
