from __future__ import annotations

from domain.tables import TABLES
from serving.ledgers import batches
from serving.schemas import account_columns, build_schemas

LEDGER = {"debts": [{"debt_id": "d", "amount": 10.0, "due_on": "2026-01-10"}], "payments": []}
SCHEMAS = build_schemas({})


def batches_of(*accounts):
    body = SCHEMAS.scores.model_validate({"accounts": [LEDGER | account for account in accounts]})
    return list(batches(body.accounts, account_columns({})))


def test_an_account_whose_ledger_names_another_debtor_may_have_others_that_nobody_told_of():
    found = batches_of(
        {"account_id": "a"},
        {"account_id": "b", "account": {"debtor_id": "p"}},
        {"account_id": "c", "account": {"debtor_id": "c"}},
    )
    assert {batch.whole_debtors: batch.account_ids for batch in found} == {True: ("a", "c"), False: ("b",)}


def test_accounts_that_give_other_tables_stand_apart():
    found = batches_of({"account_id": "a"}, {"account_id": "b", "contacts": []})
    assert [batch.account_ids for batch in found] == [("a",), ("b",)]
    assert [batch.tables.has("contacts") for batch in found] == [False, True]


def test_a_table_has_all_its_columns_whichever_were_read_before():
    [batch] = batches_of({"account_id": "a"})
    debts = batch.tables.columns["debts"]
    assert batch.tables.ints("debts", "amount").tolist() == [1_000]
    assert list(debts) == [column.name for column in TABLES["debts"].columns] == [name for name, _ in debts.items()]
    assert debts.get("colour", "none") == "none"


def test_rows_of_all_tables_name_their_account_by_its_place_among_all():
    [batch] = batches_of({"account_id": "b"}, {"account_id": "a"})
    whose = batch.tables.text("debts", "account_id")
    assert whose.decode() == ["b", "a"]
    assert whose.among(batch.tables.text("accounts", "account_id")).tolist() == [0, 1]
