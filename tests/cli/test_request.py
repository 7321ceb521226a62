"""The request that the demo sends: an account of a directory as the ledger of contract §5."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cli.ledger import ledger_json
from domain.clock import parse_moment, to_us
from features.tables import read_tables

AS_OF = "2026-03-02T12:00:00Z"


@pytest.mark.parametrize("alone", [True, False])
def test_a_request_brings_every_contact_with_the_debtor_elsewhere(project: Path, alone: bool) -> None:
    accounts = pd.read_parquet(project / "data/accounts.parquet")[["account_id", "debtor_id"]].drop_duplicates()
    contacts = pd.read_parquet(project / "data/contacts.parquet").merge(accounts, on="account_id")
    contacts = contacts[contacts["recorded_at"] < AS_OF]
    sizes = accounts.groupby("debtor_id")["account_id"].size()
    contacted = sizes[sizes.index.isin(contacts["debtor_id"])]
    debtor = contacted[(contacted == 1) == alone].index[0]
    account = accounts.loc[accounts["debtor_id"] == debtor, "account_id"].iloc[0]
    body = ledger_json(read_tables(project / "data", attributes={}), account, before_us=to_us(parse_moment(AS_OF)))
    elsewhere = contacts[(contacts["debtor_id"] == debtor) & (contacts["account_id"] != account)]
    assert sorted(row["contact_id"] for row in body["debtor_contacts"]) == sorted(elsewhere["contact_id"])
    assert (body["debtor_contacts"] == []) or not alone
