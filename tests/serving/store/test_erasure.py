from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from moving_clock import MovingClock

from domain.errors import ConfigError
from serving.store import Outcome, Record, Store, stored_row
from serving.store.config import ServiceConfig, TenantConfig, load_service_config
from serving.store.opening import sqlite_url

TENANT = "default"
ROOT = Path(__file__).parents[3]


@pytest.fixture
def store(clocked: Store) -> Store:
    """On a database of each kind."""
    return clocked


def id_of(account_id: str) -> str:
    """As the engine makes it: a hash, which stays in the chain when everything else is gone."""
    return sha256(account_id.encode()).hexdigest()[:32]


def fill(store: Store, *, debtor: str = "p1", accounts: tuple[str, ...] = ("a1", "a2"), tenant: str = TENANT) -> None:
    """A debtor with accounts, a payment and a decision on each, and an outcome."""
    known = [stored_row("accounts", {"account_id": name, "debtor_id": debtor}) for name in accounts]
    paid = [
        stored_row("payments", {"payment_id": f"y-{name}", "account_id": name, "amount": 1, "occurred_at": 5})
        for name in accounts
    ]
    store.append({"accounts": known, "payments": paid}, tenant=tenant).result(10)
    decide(store, debtor=debtor, accounts=accounts, tenant=tenant)


def decide(store: Store, *, debtor: str, accounts: tuple[str, ...], tenant: str = TENANT) -> None:
    records = [Record.of(id_of(name), name, debtor, 7, content={"answer": name}) for name in accounts]
    store.record(records, tenant=tenant).result(10)
    store.outcome(Outcome(id_of(accounts[0]), "sent", 9, {}), tenant=tenant).result(10)


def content(store: Store, name: str, tenant: str = TENANT) -> Any:
    kept = store.decision(id_of(name), tenant=tenant)
    assert kept is not None
    return kept.content


def test_everything_of_the_debtor_goes_and_nothing_of_others(store: Store) -> None:
    fill(store)
    fill(store, debtor="p2", accounts=("b1",))
    assert store.erase("p1", tenant=TENANT)._asdict() == {"ledger_rows": 4, "decisions": 2, "outcomes": 1, "reviews": 0}
    assert store.families(["a1", "a2"], tenant=TENANT).debtor == {}
    assert content(store, "a1") is content(store, "a2") is None
    assert store.families(["b1"], tenant=TENANT).debtor == {"b1": "p2"}
    assert content(store, "b1") is not None


def test_the_chain_holds_after_an_erasure_and_goes_on(store: Store) -> None:
    fill(store)
    store.erase("p1", tenant=TENANT)
    fill(store, debtor="p2", accounts=("b1",))
    head, breaks = store.verify(tenant=TENANT)
    assert (head.sequence, breaks) == (4, [])


def test_an_erased_debtor_of_another_creditor_stays(store: Store) -> None:
    fill(store)
    fill(store, tenant="other")
    store.erase("p1", tenant=TENANT)
    assert content(store, "a1", "other") is not None
    assert set(store.families(["a1"], tenant="other").debtor) == {"a1", "a2"}


def test_a_debtor_that_only_requests_named_is_forgotten_too(store: Store) -> None:
    decide(store, debtor="p9", accounts=("c1",))
    assert store.erase("p9", tenant=TENANT).decisions == 1
    assert content(store, "c1") is None


def test_rows_that_came_without_their_account_are_forgotten_by_its_id(store: Store) -> None:
    row = stored_row("payments", {"payment_id": "y", "account_id": "a9", "amount": 1, "occurred_at": 5})
    store.append({"payments": [row]}, tenant=TENANT).result(10)
    assert store.erase("a9", tenant=TENANT).ledger_rows == 1


def test_the_account_of_another_debtor_is_not_forgotten_by_its_id(store: Store) -> None:
    fill(store)
    assert not any(store.erase("a1", tenant=TENANT))
    assert content(store, "a1") is not None


def test_an_outcome_of_a_forgotten_decision_is_not_kept(store: Store) -> None:
    fill(store)
    store.erase("p1", tenant=TENANT)
    assert store.outcome(Outcome(id_of("a1"), "failed", 9, {}), tenant=TENANT).result(10) == "forgotten"
    assert store.outcome(Outcome(id_of("zz"), "failed", 9, {}), tenant=TENANT).result(10) == "unknown"


def test_a_debtor_who_comes_back_is_known_again(store: Store) -> None:
    fill(store)
    store.erase("p1", tenant=TENANT)
    fill(store)
    assert content(store, "a1") is not None
    assert store.verify(tenant=TENANT)[1] == []


def test_numbers_of_erased_rows_are_not_given_again(store: Store) -> None:
    fill(store)
    before = store.families(["a1"], tenant=TENANT).through
    store.erase("p1", tenant=TENANT)
    fill(store, debtor="p2", accounts=("b1",))
    assert store.families(["b1"], tenant=TENANT).through > before


def test_nothing_of_a_forgotten_debtor_is_left_in_the_file(tmp_path: Path) -> None:
    mark = "Joana-Prado-4111"
    store = Store.open(sqlite_url(tmp_path / "acerto.db"))
    fill(store, debtor=mark, accounts=(f"{mark}-1", f"{mark}-2"))
    fill(store, debtor="p2", accounts=("b1",))
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert mark.encode() in everything
    store.erase(mark, tenant=TENANT)
    assert mark.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    store.close()


def test_debtors_without_news_expire_and_others_do_not(store: Store, clock: MovingClock) -> None:
    fill(store, debtor="old", accounts=("a1", "a2"))
    fill(store, debtor="paid", accounts=("b1",))
    fill(store, debtor="decided", accounts=("c1",))
    decide(store, debtor="request", accounts=("d1",))
    clock.now += timedelta(days=100)
    row = stored_row("payments", {"payment_id": "new", "account_id": "b1", "amount": 1, "occurred_at": 6})
    store.append({"payments": [row]}, tenant=TENANT).result(10)
    store.record([Record.of(id_of("c1"), "c1", "decided", 8, content={"answer": {}})], tenant=TENANT).result(10)
    assert store.erase_expired(tenant=TENANT, retention_days=101) == 0
    assert store.erase_expired(tenant=TENANT, retention_days=99) == 2
    assert set(store.families(["a1", "b1", "c1"], tenant=TENANT).debtor) == {"b1", "c1"}
    assert content(store, "d1") is None
    assert store.verify(tenant=TENANT)[1] == []


def test_erasing_in_the_middle_of_writing_leaves_a_chain_that_holds(store: Store) -> None:
    writes = []
    for number in range(60):
        record = Record.of(f"i{number}", f"a{number % 3}", f"p{number % 3}", 1, content={})
        writes.append(store.record([record], tenant=TENANT))
        if number % 20 == 19:
            store.erase(f"p{number % 3}", tenant=TENANT)
    assert sum(done.result(10) for done in writes) == 60
    assert store.verify(tenant=TENANT)[1] == []


def test_the_configuration_that_ships_is_read() -> None:
    config = load_service_config(ROOT / "configs")
    assert config.of("default") == config.of("nobody-named-it")
    assert config.of("default").retention_days == 1825


def test_without_the_file_nothing_expires(tmp_path: Path) -> None:
    assert load_service_config(tmp_path) == ServiceConfig()
    assert ServiceConfig().of("x") == TenantConfig()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("tenants: {default: {retention_day: 5}}", "did you mean 'retention_days'"),
        ("tenants: {default: {retention_days: 0}}", "retention_days"),
        ("tenant: {}", "did you mean 'tenants'"),
        ("tenants: {'Big Bank': {}}", "tenants"),
    ],
)
def test_a_wrong_configuration_is_refused(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "service.yaml").write_text(text)
    with pytest.raises(ConfigError, match=told):
        load_service_config(tmp_path)
