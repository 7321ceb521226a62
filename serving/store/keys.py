"""Keys of the API in the store: made, revoked, listed; of a secret only its hash."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from domain.clock import from_us, to_us
from serving.access.tokens import StoredKey
from serving.store.schema import API_KEYS


def all_keys(connection: Connection) -> dict[str, StoredKey]:
    """Every key that was ever made, by id, the oldest first."""
    found = connection.execute(select(API_KEYS).order_by(API_KEYS.c.created_at, API_KEYS.c.key_id))
    return {
        row.key_id: StoredKey(
            row.key_id, row.tenant, frozenset(row.scopes.split()), row.secret_hash, from_us(row.created_at),
            expires_at=None if row.expires_at is None else from_us(row.expires_at),
            revoked_at=None if row.revoked_at is None else from_us(row.revoked_at),
        )
        for row in found
    }  # fmt: skip


def add_key(connection: Connection, key: StoredKey) -> None:
    """Keeps a new key."""
    row = {
        "key_id": key.key_id, "tenant": key.tenant, "scopes": " ".join(sorted(key.scopes)),
        "secret_hash": key.secret_hash, "created_at": to_us(key.created_at),
        "expires_at": None if key.expires_at is None else to_us(key.expires_at),
    }  # fmt: skip
    connection.execute(insert(API_KEYS).values(**row))


def revoke_key(connection: Connection, key_id: str, *, at: datetime) -> bool:
    """Ends a key from ``at`` on, or earlier where it was to end earlier; whether there is one of that id."""
    kept = connection.execute(select(API_KEYS.c.revoked_at).where(API_KEYS.c.key_id == key_id)).first()
    if kept is None:
        return False
    ends = to_us(at) if kept.revoked_at is None else min(kept.revoked_at, to_us(at))
    connection.execute(update(API_KEYS).where(API_KEYS.c.key_id == key_id).values(revoked_at=ends))
    return True
