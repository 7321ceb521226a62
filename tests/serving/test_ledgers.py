from __future__ import annotations

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
