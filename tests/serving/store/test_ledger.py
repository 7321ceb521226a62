from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from canonical_files import write_files
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from domain.errors import ConflictError
from domain.tables import TABLES
from features.tables import read_tables
from serving.store.ledger import Appended, append_rows, families, given_tables
from serving.store.opening import reading, writing
from serving.store.rows import stored_row, table_of, values_of

DAY = 86_400_000_000
PAYMENT = {"payment_id": "p1", "account_id": "a1", "amount": 1000, "occurred_at": DAY}


def append(engine: Engine, table: str, *rows: dict[str, Any], tenant: str = "default") -> Appended:
    with writing(engine) as connection:
        stored = [stored_row(table, row) for row in rows]
        return Appended.of(append_rows(connection, table, stored, tenant=tenant, received_us=1))


def load(engine: Engine, *accounts: str, tenant: str = "default") -> Any:
    with reading(engine) as connection:
        return families(connection, accounts, tenant=tenant)


def account(account_id: str, debtor_id: str | None = None, **keys: Any) -> dict[str, Any]:
    return {"account_id": account_id, "debtor_id": debtor_id, **keys}


def test_the_identical_row_again_counts_once(engine: Engine) -> None:
    assert append(engine, "payments", PAYMENT, PAYMENT) == Appended(new=1, same=1)
    assert append(engine, "payments", PAYMENT) == Appended(same=1)


def test_the_same_id_with_a_later_record_is_a_correction(engine: Engine) -> None:
    append(engine, "payments", PAYMENT)
    later = {**PAYMENT, "amount": 900, "recorded_at": 2 * DAY}
    assert append(engine, "payments", later) == Appended(corrected=1)
    assert append(engine, "payments", later) == Appended(same=1)


def test_a_missing_record_time_is_when_it_happened(engine: Engine) -> None:
    append(engine, "payments", PAYMENT)
    assert append(engine, "payments", {**PAYMENT, "recorded_at": DAY}) == Appended(same=1)


@pytest.mark.parametrize("before", [0, 1])
def test_the_same_identity_with_other_content_is_refused_by_its_place(engine: Engine, before: int) -> None:
    rows = [PAYMENT, {**PAYMENT, "payment_id": "p0"}, {**PAYMENT, "amount": 1}]
    append(engine, "payments", *rows[:before])
    with pytest.raises(ConflictError, match="later recorded_at") as refused:
        append(engine, "payments", *rows)
    assert refused.value.place == 2
    assert "p1" not in str(refused.value)


def test_a_refused_row_keeps_its_whole_company_out(engine: Engine) -> None:
    with pytest.raises(ConflictError):
        append(engine, "payments", PAYMENT, {**PAYMENT, "amount": 1})
    assert append(engine, "payments", PAYMENT) == Appended(new=1)


def test_the_same_id_in_another_table_or_of_another_creditor_is_another_row(engine: Engine) -> None:
    append(engine, "payments", PAYMENT)
    assert append(engine, "payments", {**PAYMENT, "amount": 2}, tenant="other") == Appended(new=1)
    assert append(engine, "holds", {"hold_id": "p1", "account_id": "a1", "kind": "fraud", "occurred_at": DAY}).new == 1


def test_an_account_brings_all_accounts_of_its_debtor_and_no_others(engine: Engine) -> None:
    append(engine, "accounts", account("a1", "d"), account("a2", "d"), account("a3", "e"), account("a4"))
    append(engine, "payments", *({**PAYMENT, "payment_id": f"p{n}", "account_id": f"a{n}"} for n in range(1, 5)))
    found = load(engine, "a1")
    assert found.debtor == {"a1": "d", "a2": "d"}
    assert {row["payment_id"] for row in found.rows["payments"]} == {"p1", "p2"}
    assert load(engine, "a4", "a3").debtor == {"a3": "e", "a4": "a4"}


def test_an_account_belongs_to_the_debtor_of_its_first_version(engine: Engine) -> None:
    append(engine, "accounts", account("a1", "late", recorded_at=2 * DAY), account("a1", "first", recorded_at=DAY))
    append(engine, "accounts", account("a2", "late", recorded_at=DAY))
    assert load(engine, "a1").debtor == {"a1": "first"}
    assert load(engine, "a2").debtor == {"a2": "late"}


def test_nothing_of_one_creditor_is_seen_by_another(engine: Engine) -> None:
    append(engine, "accounts", account("a1"), tenant="one")
    append(engine, "payments", PAYMENT, tenant="one")
    assert load(engine, "a1", tenant="two").debtor == {}
    with reading(engine) as connection:
        assert given_tables(connection, tenant="two") == frozenset()


def test_a_table_given_by_no_row_is_given(engine: Engine) -> None:
    append(engine, "contacts")
    assert load(engine).given == {"contacts"}


def test_the_latest_row_is_counted_on_and_never_again(engine: Engine) -> None:
    append(engine, "accounts", account("a1"))
    before = load(engine, "a1").through
    append(engine, "payments", PAYMENT)
    assert load(engine, "a1").through == before + 1


def test_1200_accounts_are_found_at_once(engine: Engine) -> None:
    append(engine, "accounts", *(account(f"a{number}", f"d{number}") for number in range(1_200)))
    assert len(load(engine, *(f"a{number}" for number in range(1_200))).debtor) == 1_200


HASHED: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "consents": {
        "channel": st.sampled_from(["sms", "e-mail"]), "status": st.sampled_from(["granted", "revoked"]),
        "contact_point_id": st.sampled_from([None, "x"]), "expires_at": st.sampled_from([None, 3 * DAY]),
    },
    "holds": {
        "kind": st.sampled_from(["fraud", "legal"]), "debt_id": st.sampled_from([None, "d1"]),
        "scope": st.sampled_from([None, "account", "debtor"]), "released_at": st.sampled_from([None, 3 * DAY]),
    },
}  # fmt: skip


@pytest.mark.parametrize("table", HASHED)
@given(data=st.data())
def test_rows_without_an_id_get_the_one_that_reading_a_file_gives_them(
    table: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    row = {name: data.draw(kind) for name, kind in HASHED[table].items()}
    row |= {"account_id": "a1", "occurred_at": DAY, "recorded_at": data.draw(st.sampled_from([None, DAY, 2 * DAY]))}
    folder = write_files(tmp_path_factory.mktemp("files") / "data", {table: [row]})
    read = read_tables(folder, attributes={}, tables=[table])
    assert stored_row(table, next(values_of(read, table))) == stored_row(table, row)


def test_stored_rows_come_back_as_the_columns_they_were(tmp_path: Path) -> None:
    rows = [
        PAYMENT | {"method": "pix", "debt_id": None},
        PAYMENT | {"payment_id": "p2", "amount": -250, "recorded_at": 2 * DAY},
    ]
    read = read_tables(write_files(tmp_path / "data", {"payments": rows}), attributes={}, tables=["payments"])
    contents = [json.loads(stored_row("payments", row).content) for row in values_of(read, "payments")]
    back = table_of("payments", contents, TABLES["payments"].columns)
    assert list(values_of(type(read)({"payments": back}), "payments")) == list(values_of(read, "payments"))
