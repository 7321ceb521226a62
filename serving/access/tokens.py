"""Keys of the API: made once, shown once, and kept as a hash alone.

A token is ``acerto_<key id>_<secret>``. The secret is 256 random bits, so that one SHA-256 keeps it as well as a slow
password hash would, and checking it costs a request nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from domain.errors import ConfigError
from serving.tenants import TENANT_PATTERN

Scope = Literal["score", "ingest", "review", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""``score``: scores, decisions, permits; ``ingest``: events and outcomes; ``review``: records, reports and reviews;
``admin``: metrics, and all of the others."""

_TOKEN = re.compile(r"acerto_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)
_TENANT = re.compile(TENANT_PATTERN, re.ASCII)
_NO_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is kept; ``secret_hash`` is the SHA-256 of its secret, in hex.

    It is good from ``created_at`` until ``expires_at`` or ``revoked_at``, whichever comes first; ``None`` is never.
    """

    key_id: str
    tenant: str
    scopes: frozenset[Scope]
    secret_hash: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    def good_at(self, at: datetime) -> bool:
        """Whether it may be used at a moment."""
        ends = [end for end in (self.expires_at, self.revoked_at) if end is not None]
        return all(at < end for end in ends)

    def may(self, needed: frozenset[Scope]) -> bool:
        """Whether one of its scopes is among those needed; ``admin`` may all."""
        return "admin" in self.scopes or bool(self.scopes & needed)


def new_key(
    tenant: str, scopes: frozenset[Scope], *, now: datetime, expires_at: datetime | None = None
) -> tuple[str, StoredKey]:
    """A token that is shown once, and what is kept of it.

    Raises
    ------
    ConfigError : a tenant's name that cannot be one, or an end that has passed
    """
    check_tenant(tenant)
    if expires_at is not None and expires_at <= now:
        raise ConfigError("the key would have expired already; give a later end, or none")
    key_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    return f"acerto_{key_id}_{secret}", StoredKey(key_id, tenant, scopes, _hash(secret), now, expires_at)


def scopes_of(text: str) -> frozenset[Scope]:
    """Scopes as they are written on a command line, by commas or spaces.

    Raises
    ------
    ConfigError : none, or one that there is not
    """
    named = set(text.replace(",", " ").split())
    found = frozenset(scope for scope in SCOPES if scope in named)
    if len(found) != len(named) or not found:
        raise ConfigError(f"scopes: found {text!r}, needed one or more of {', '.join(SCOPES)}, by commas")
    return found


def check_tenant(tenant: str) -> None:
    """Refuses what is no name of a tenant: up to 63 lower-case letters, digits, ``-`` and ``_``."""
    if not _TENANT.fullmatch(tenant):
        raise ConfigError(
            f"tenant: found {tenant!r}, needed up to 63 lower-case letters, digits, - and _, such as bank_a"
        )


def key_id_of(token: str) -> str | None:
    """The public part of a token; ``None`` where it is none."""
    found = _TOKEN.fullmatch(token)
    return found.group(1) if found else None


def fits(token: str, kept: StoredKey | None) -> bool:
    """Whether the token is the one that is kept, in a time that tells nothing about either."""
    found = _TOKEN.fullmatch(token)
    secret = found.group(2) if found else ""
    return hmac.compare_digest(_hash(secret), kept.secret_hash if kept else _NO_HASH) and kept is not None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
