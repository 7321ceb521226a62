"""A kept decision is computed again from its record, to the byte, or it is said why it cannot be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from decisioning.bundle import read_bundle
from domain.clock import parse_moment, to_us
from serving.answers_after import ReplayAnswer
from serving.app import create_app
from serving.archive import Archive
from serving.engine import Engine
from serving.replaying import differences
from serving.store import Record
from serving.store.store import Store

AS_OF = "2026-03-02T12:00:00Z"
CONTACT = {"channel": "sms", "occurred_at": "2026-02-20T09:30:00-03:00"}
CONSENT = {"channel": "whatsapp", "status": "granted", "occurred_at": "2025-11-03T12:00:00Z"}
PAYMENT = {"payment_id": "y1", "account_id": "a1", "amount": 10.5, "occurred_at": "2026-01-20T10:00:00Z"}


def decide(client: Any, *accounts: dict[str, Any], **keys: Any) -> list[dict[str, Any]]:
    answer = client.post("/v1/decisions", json={"as_of": AS_OF, "accounts": list(accounts), **keys})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["decisions"]
    return found


def replay(client: Any, decision: dict[str, Any], *, status: int = 200) -> Any:
    answer = client.get(f"/v1/decisions/{decision['decision_id']}/replay")
    assert answer.status_code == status, answer.text
    return answer.json()


def send(client: Any, table: str, *rows: dict[str, Any]) -> None:
    assert client.post("/v1/events", json={"table": table, "rows": list(rows)}).status_code == 200


def of(debtor: str, **parts: Any) -> dict[str, Any]:
    return {"account": {"debtor_id": debtor, "region": "BR-SP", "income": 2500.5}, **parts}


REQUESTS: dict[str, Callable[[Any], list[dict[str, Any]]]] = {
    "one account": lambda ledger: [ledger()],
    "many debtors": lambda ledger: [ledger(f"b{n}", contacts=[CONTACT] * (n % 3)) for n in range(7)],
    "two accounts of one debtor": lambda ledger: [ledger("b1", **of("p")), ledger("c1"), ledger("b2", **of("p"))],
    "a debtor who is unchecked": lambda ledger: [ledger("b1", **of("p", debtor_contacts=None))],
    "contacts elsewhere": lambda ledger: [ledger("b1", **of("p", debtor_contacts=[CONTACT, CONTACT]))],
    "tables that are unknown": lambda ledger: [ledger(payments=None, holds=None, consents=[CONSENT])],
    "unlike tables of one debtor": lambda ledger: [
        ledger("b1", **of("p", holds=None)), ledger("b2", **of("p", contacts=[CONTACT])),
    ],
}  # fmt: skip


@pytest.mark.parametrize("explain", ["none", "reasons", "full"])
@pytest.mark.parametrize("kind", REQUESTS)
def test_a_decision_on_ledgers_is_computed_again_to_the_byte(kept: Any, ledger: Any, kind: str, explain: str) -> None:
    for decision in decide(kept, *REQUESTS[kind](ledger), explain=explain, locale="en"):
        found = replay(kept, decision)
        ReplayAnswer.model_validate(found)
        assert (found["same"], found["differences"]) == (True, [])


def known(client: Any) -> None:
    """A debtor with two accounts, of which one was another's in a later version."""
    account = {"region": "BR-SP", "income": 3000}
    send(
        client, "accounts", {**account, "account_id": "a1", "debtor_id": "p1"},
        {**account, "account_id": "a2", "debtor_id": "p1", "recorded_at": "2026-01-02T00:00:00Z"},
        {**account, "account_id": "a2", "debtor_id": "p2", "recorded_at": "2026-02-02T00:00:00Z"},
    )  # fmt: skip
    debt = {"amount": 1500, "due_on": "2026-01-10", "occurred_at": "2025-12-20T10:00:00Z"}
    send(client, "debts", *({**debt, "debt_id": f"d{name}", "account_id": name} for name in ("a1", "a2")))
    send(client, "payments", PAYMENT)


def test_a_decision_on_stored_accounts_is_computed_again_whatever_came_later(kept: Any) -> None:
    known(kept)
    decided = decide(kept, {"account_id": "a2"}, {"account_id": "a1"})
    send(kept, "payments", {**PAYMENT, "amount": 9.0, "recorded_at": "2026-01-21T10:00:00Z"})
    send(kept, "holds")
    assert [replay(kept, one)["same"] for one in decided] == [True, True]


def rewrite(store: Store, decision: dict[str, Any], **answer: Any) -> None:
    """A further entry of the same decision that says something else."""
    found = store.decision(decision["decision_id"], tenant="default")
    assert found is not None
    assert found.content is not None
    content = {**found.content, "answer": {**found.content["answer"], **answer}}
    record = Record.of(decision["decision_id"], "a1", "a1", to_us(parse_moment(AS_OF)), content=content)
    store.record([record], tenant="default").result(10)


def test_a_record_that_says_something_else_is_told_by_its_places(kept: Any, ledger: Any, store: Store) -> None:
    decision = decide(kept, ledger())[0]
    rewrite(store, decision, amount_due=1.0, arm="holdout")
    told = replay(kept, decision)
    assert (told["same"], sorted(told["differences"])) == (False, ["/answer/amount_due", "/answer/arm"])


def test_a_decision_at_the_prices_of_its_day_is_a_conflict_with_its_reason(
    kept: Any, ledger: Any, store: Store
) -> None:
    decision = decide(kept, ledger())[0]
    rewrite(store, decision, resource_charge=0.5)
    assert "prices of its day" in replay(kept, decision, status=409)["detail"]


def test_a_record_without_its_ledger_cannot_be_computed_again(kept: Any, ledger: Any, store: Store) -> None:
    decision = decide(kept, ledger())[0]
    record = Record.of("older", "a1", "a1", 1, content={"answer": decision})
    store.record([record], tenant="default").result(10)
    assert "before its ledger" in replay(kept, {"decision_id": "older"}, status=409)["detail"]


def test_unknown_and_forgotten_decisions_are_not_computed_again(kept: Any, ledger: Any, store: Store) -> None:
    decision = decide(kept, ledger())[0]
    store.erase("a1", tenant="default")
    replay(kept, decision, status=410)
    replay(kept, {"decision_id": "nobody"}, status=404)


class Swapped:
    """A service over a store in which an earlier one has decided."""

    def __init__(self, serve: Any, schemas: Any, engine: Engine, store: Store) -> None:
        self._serve, self._schemas, self._engine, self._store = serve, schemas, engine, store

    def replayed(self, decision: dict[str, Any], *, status: int = 200, archive: Archive | None = None) -> Any:
        app = create_app(
            self._schemas, load=lambda: self._engine, archive=archive,
            open_store=lambda: Store(self._store.engine),
        )  # fmt: skip
        with self._serve(app) as client:
            return replay(client.wait_until_ready(), decision, status=status)


@pytest.fixture
def swapped(serve: Any, schemas: Any, engine_of_bundle: Engine, next_bundle: Path, store: Store) -> Swapped:
    return Swapped(serve, schemas, engine_of_bundle.with_bundle(read_bundle(next_bundle)), store)


def reads(folder: Path, *, seal: str | None) -> Any:
    assert seal is None
    return read_bundle(folder)


def test_the_model_that_decided_is_read_again_from_the_registry(
    kept: Any, ledger: Any, swapped: Swapped, bundle: Path, tmp_path: Path
) -> None:
    decision = decide(kept, ledger())[0]
    shutil.copytree(bundle, tmp_path / "bundles" / "7")
    found = swapped.replayed(decision, archive=Archive(tmp_path, read=reads))
    assert (found["same"], found["model_version"]) == (True, "7")


def test_a_model_that_is_not_at_hand_is_a_conflict_with_its_reason(
    kept: Any, ledger: Any, swapped: Swapped, next_bundle: Path, tmp_path: Path
) -> None:
    decision = decide(kept, ledger())[0]
    assert "no registry" in swapped.replayed(decision, status=409)["detail"]
    archive = Archive(tmp_path, read=reads)
    assert "(files)" in swapped.replayed(decision, status=409, archive=archive)["detail"]
    shutil.copytree(next_bundle, tmp_path / "bundles" / "7")
    assert "(replaced)" in swapped.replayed(decision, status=409, archive=archive)["detail"]


def test_another_policy_is_a_conflict_with_its_reason(
    kept: Any, ledger: Any, serve: Any, schemas: Any, engine_of_bundle: Engine, store: Store
) -> None:
    decision = decide(kept, ledger())[0]
    desk = replace(engine_of_bundle._desk, policy_version="another")
    other = Swapped(serve, schemas, Engine(engine_of_bundle.bundle, desk), store)
    assert "policy_version" in other.replayed(decision, status=409)["detail"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(allow_nan=False) | st.sampled_from(["", "a", "/~"]),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c/~"]), part, max_size=3),
    max_leaves=12,
)


@given(was=JSON, now=JSON)
@example(was=0.0, now=-0.0)
@example(was=1, now=True)
def test_no_place_differs_exactly_where_two_values_are_written_alike(was: Any, now: Any) -> None:
    alike = json.dumps(was, sort_keys=True) == json.dumps(now, sort_keys=True)
    assert (list(differences(was, now)) == []) == alike


def test_the_rows_of_other_debtors_are_not_kept_with_a_decision(kept: Any, ledger: Any, store: Store) -> None:
    decisions = decide(kept, ledger("b1", **of("p")), ledger("c1"), ledger("b2", **of("p")))
    found = [store.decision(one["decision_id"], tenant="default") for one in decisions]
    names = [
        {row["account_id"] for row in one.content["inputs"]["rows"]["debts"]}
        for one in found
        if one is not None and one.content is not None
    ]
    assert names == [{"b1", "b2"}, {"c1"}, {"b1", "b2"}]
