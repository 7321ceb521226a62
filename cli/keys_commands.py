"""``acerto keys``: who may ask the service what. A key is shown once; the store keeps its hash."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import AsJson
from cli.output import say, say_result, show_json, show_table
from cli.store_commands import Tenant, opened
from domain.clock import rfc3339
from domain.errors import ConfigError

if TYPE_CHECKING:
    from serving.access.tokens import StoredKey

keys = typer.Typer(no_args_is_help=True, help="Keys of the service: make, list, rotate and revoke them.")
KeyId = Annotated[str, typer.Argument(help="The key's id, as `acerto keys list` tells it.")]
ExpiresDays = Annotated[int | None, typer.Option("--expires-days", min=1, help="Days it is good for; without, always.")]


@keys.command("create")
def create(
    tenant: Tenant = "default",
    scopes: Annotated[str, typer.Option("--scopes", help="Of score, ingest, review, admin; by commas.")] = "score",
    expires_days: ExpiresDays = None,
    as_json: AsJson = False,
) -> None:
    """Make a key, and show it this once."""
    _show(*make_key(tenant, scopes, expires_days=expires_days), as_json=as_json)


@keys.command("list")
def list_keys(as_json: AsJson = False) -> None:
    """Show all keys that were ever made, and whether they are good now; never their secrets."""
    with opened() as store:
        found = [_told(key) for key in store.keys().values()]
    if as_json:
        show_json({"keys": found})
        return
    columns = ["key_id", "tenant", "scopes", "state", "created_at", "expires_at", "revoked_at"]
    show_table("keys", columns, [[str(key[column] or "") for column in columns] for key in found])


@keys.command("revoke")
def revoke(key_id: KeyId) -> None:
    """End a key; services that run refuse it within about a second."""
    with opened() as store:
        if not store.revoke_key(key_id, at=datetime.now(UTC)):
            raise _unknown()
    say(f"{key_id} is revoked")


@keys.command("rotate")
def rotate(
    key_id: KeyId,
    grace_hours: Annotated[
        float, typer.Option("--grace-hours", min=0, max=24 * 90, help="Hours for which the old one is still good.")
    ] = 24.0,
    expires_days: ExpiresDays = None,
    as_json: AsJson = False,
) -> None:
    """Make a key of the same tenant and scopes, and end the old one after a while in which both are good."""
    from serving.access.tokens import new_key

    now = datetime.now(UTC)
    with opened() as store:
        old = store.keys().get(key_id)
        if old is None:
            raise _unknown()
        if not old.good_at(now):
            raise ConfigError("the key is not good any more; make another one with `acerto keys create`")
        token, made = new_key(old.tenant, old.scopes, now=now, expires_at=_end(now, expires_days))
        store.add_key(made)
        store.revoke_key(key_id, at=now + timedelta(hours=grace_hours))
    _show(token, made, as_json=as_json)
    if not as_json:
        say(f"{key_id} is good for {grace_hours:g} more hours")


def make_key(tenant: str, scopes: str, *, expires_days: int | None = None) -> tuple[str, StoredKey]:
    """A new key in the store of this environment: what is shown once, and what is kept."""
    from serving.access.tokens import new_key, scopes_of

    now = datetime.now(UTC)
    token, made = new_key(tenant, scopes_of(scopes), now=now, expires_at=_end(now, expires_days))
    with opened() as store:
        store.add_key(made)
    return token, made


def _end(now: datetime, days: int | None) -> datetime | None:
    return None if days is None else now + timedelta(days=days)


def _unknown() -> ConfigError:
    return ConfigError("found no key of that id, needed one of `acerto keys list`")


def _show(token: str, made: StoredKey, *, as_json: bool) -> None:
    if as_json:
        show_json({**_told(made), "key": token})
        return
    say_result(token)
    say(f"key {made.key_id} of {made.tenant}: {', '.join(sorted(made.scopes))}. It is not shown again.")


def _told(key: StoredKey) -> dict[str, str | None]:
    now = datetime.now(UTC)
    revoked = key.revoked_at is not None and key.revoked_at <= now
    ends = {
        name: None if at is None else rfc3339(at)
        for name, at in (("expires_at", key.expires_at), ("revoked_at", key.revoked_at))
    }
    state = "good" if key.good_at(now) else "revoked" if revoked else "expired"
    about = {"key_id": key.key_id, "tenant": key.tenant, "scopes": " ".join(sorted(key.scopes)), "state": state}
    return {**about, "created_at": rfc3339(key.created_at), **ends}
