from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.fixture
def own_store(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACERTO_DATABASE_URL", f"sqlite:///{tmp_path}/acerto.db")


def created(acerto: Any, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(acerto("keys", "create", "--json", *options).out)
    return found


def listed(acerto: Any) -> dict[str, dict[str, Any]]:
    return {key["key_id"]: key for key in json.loads(acerto("keys", "list", "--json").out)["keys"]}


@pytest.mark.usefixtures("own_store")
def test_a_key_is_shown_once_and_listed_without_its_secret(acerto: Any) -> None:
    made = created(acerto, "--tenant", "bank_a", "--scopes", "score,ingest")
    told = acerto("keys", "list", "--json").out
    assert made["key"].split("_", 2)[2] not in told
    kept = listed(acerto)[made["key_id"]]
    assert (kept["tenant"], kept["scopes"], kept["state"]) == ("bank_a", "ingest score", "good")


@pytest.mark.usefixtures("own_store")
def test_a_revoked_key_is_told_so(acerto: Any) -> None:
    made = created(acerto)
    assert acerto("keys", "revoke", made["key_id"]).code == 0
    assert listed(acerto)[made["key_id"]]["state"] == "revoked"


@pytest.mark.usefixtures("own_store")
def test_rotation_keeps_tenant_and_scopes_and_ends_the_old_key_later(acerto: Any) -> None:
    old = created(acerto, "--tenant", "bank_a", "--scopes", "review")
    new = json.loads(acerto("keys", "rotate", old["key_id"], "--grace-hours", "2", "--json").out)
    keys = listed(acerto)
    assert (new["tenant"], new["scopes"]) == ("bank_a", "review")
    assert keys[old["key_id"]]["state"] == "good" and keys[old["key_id"]]["revoked_at"]
    assert keys[new["key_id"]]["revoked_at"] is None


@pytest.mark.usefixtures("own_store")
@pytest.mark.parametrize(
    "asked", [("revoke", "0" * 16), ("rotate", "0" * 16), ("create", "--scopes", "root"), ("create", "--tenant", "A b")]
)
def test_what_there_is_not_is_refused_with_a_reason(acerto: Any, asked: tuple[str, ...]) -> None:
    result = acerto("keys", *asked)
    assert result.code == 1
    assert "found" in result.err and "needed" in result.err


@pytest.mark.usefixtures("own_store")
def test_rows_of_a_tenant_that_can_have_no_key_are_refused_before_they_are_stored(acerto: Any) -> None:
    result = acerto("ingest", "--data", "data", "--tenant", "Bank A")
    assert result.code == 1
    assert "tenant" in result.err and "needed" in result.err
