"""The store from the command line: what is loaded comes back the same, and what is decided from it is the same."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from anyio.from_thread import start_blocking_portal

from cli.tables import attributes_of, read
from decisioning.bundle import ModelBundle
from decisioning.desk import load_desk
from decisioning.engine import decide
from decisioning.records import decision_json
from domain.clock import parse_moment
from features.encoding import encode
from serving.app import create_app
from serving.engine import load_engine
from serving.schemas import build_schemas
from serving.settings import Settings
from serving.store import Store

AS_OF = "2026-03-02T12:00:00Z"
SHARED = ["accounts", "consents", "contacts", "debt_events", "debts", "decisions", "holds", "payments", "promises",
          "responses"]  # fmt: skip


@pytest.fixture(scope="module")
def database(project: Path) -> Iterator[Path]:
    """An empty store for this module's commands."""
    path = project / "store" / "acerto.db"
    before = os.environ.get("ACERTO_DATABASE_URL")
    os.environ["ACERTO_DATABASE_URL"] = f"sqlite:///{path}"
    yield path
    del os.environ["ACERTO_DATABASE_URL"]
    if before is not None:
        os.environ["ACERTO_DATABASE_URL"] = before


@pytest.fixture(scope="module")
def loaded(project: Path, database: Path, acerto_in: Any) -> Path:
    """The store with the project's data in it."""
    assert acerto_in(project, "ingest", "--data", "data") == 0
    return database


class Service:
    """The service over the loaded store, asked in this process."""

    def __init__(self, project: Path) -> None:
        configs, url = project / "configs", os.environ["ACERTO_DATABASE_URL"]
        settings = Settings(bundle=project / "mlruns/bundles/1", configs=configs)
        schemas = build_schemas(attributes_of(configs))
        self.app = create_app(schemas, load=lambda: load_engine(settings), open_store=lambda: Store.open(url))

    def ask(self, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
        lifespan = self.app.router.lifespan_context(self.app)
        with start_blocking_portal() as portal, portal.wrap_async_context_manager(lifespan):
            http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://test")
            while portal.call(http.get, "/readyz").status_code != 200:
                pass
            answers = [portal.call(partial(http.post, "/v1/decisions", json=body, timeout=120)) for body in bodies]
            portal.call(http.aclose)
        assert [answer.status_code for answer in answers] == [200] * len(bodies)
        return [decision for answer in answers for decision in answer.json()["decisions"]]


@pytest.fixture(scope="module")
def decided(project: Path, loaded: Path) -> list[dict[str, Any]]:
    """Decisions that the service has taken, and kept, on some of the accounts."""
    some = sorted(pd.read_parquet(project / "data/accounts.parquet")["account_id"].unique())[:30]
    return Service(project).ask({"as_of": AS_OF, "accounts": [{"account_id": name} for name in some]})


def test_loading_again_changes_nothing(acerto: Any, loaded: Path) -> None:
    told = json.loads(acerto("ingest", "--data", "data", "--json").out)["tables"]
    assert sorted(told) == SHARED
    assert {(table["new"], table["corrected"]) for table in told.values()} == {(0, 0)}


def test_what_was_loaded_comes_back_as_the_same_features_byte_for_byte(
    acerto: Any, project: Path, loaded: Path
) -> None:
    assert acerto("export", "--out", "exported").code == 0
    for data, out in (("data", "one.parquet"), ("exported", "two.parquet")):
        assert acerto("features", "--data", data, "--as-of", AS_OF, "--out", out).code == 0
    assert (project / "one.parquet").read_bytes() == (project / "two.parquet").read_bytes()
    assert acerto("validate", "--data", "exported").code == 0


def test_the_service_decides_by_account_id_as_the_batch_does_on_the_same_data(
    project: Path, loaded: Path, bundle: ModelBundle
) -> None:
    tables = read(project / "data", configs=project / "configs")
    encoded = encode(tables, attributes=bundle.schema.attributes)
    # As `acerto decide` does it, in cli/decide_command.py.
    run = decide(encoded, as_of=parse_moment(AS_OF), bundle=bundle, desk=load_desk(project / "configs"))
    batch = [json.loads(json.dumps(decision_json(decision, explained=30))) for decision in run]
    # In an order of their own, and debtors torn apart: neither may matter.
    names = [{"account_id": decision["account_id"]} for decision in batch][::-1]
    bodies = [{"as_of": AS_OF, "commit": False, "accounts": names[start::3]} for start in range(3)]
    told = {decision["account_id"]: decision for decision in Service(project).ask(*bodies)}
    assert len(told) > 300
    assert [told[decision["account_id"]] for decision in batch] == batch


def test_decisions_of_the_service_are_rows_of_the_exported_decisions(
    acerto: Any, project: Path, decided: list[dict[str, Any]]
) -> None:
    assert acerto("export", "--out", "exported-log").code == 0
    found = pd.read_parquet(project / "exported-log/decisions.parquet").set_index("decision_id")
    before = len(pd.read_parquet(project / "data/decisions.parquet"))
    assert len(found) == before + len(decided)
    for decision in decided:
        row = found.loc[decision["decision_id"]]
        for name in ("account_id", "channel", "offer", "moment", "action_prob", "channel_prob", "arm"):
            assert row[name] == decision[name]
        assert decision["action"] in row["eligible"]
        told = row["refusal_codes"] if row["refusal_codes"] is not None else []
        assert list(told) == sorted({one["code"] for one in decision["refusals"]})
        assert row["decided_at"] == pd.Timestamp(AS_OF)
        assert row["recorded_at"] > row["decided_at"]
    tables = read(project / "exported-log", configs=project / "configs")
    assert len(encode(tables, attributes={}).account_ids) > 0


def test_an_export_is_never_mixed_with_tables_that_are_there(acerto: Any, project: Path, loaded: Path) -> None:
    before = (project / "data/payments.parquet").read_bytes()
    refused = acerto("export", "--out", "data")
    assert refused.code == 1
    assert "without canonical tables" in refused.err
    assert (project / "data/payments.parquet").read_bytes() == before


def test_a_directory_without_tables_is_refused(acerto: Any, project: Path, database: Path) -> None:
    (project / "nothing").mkdir()
    refused = acerto("ingest", "--data", "nothing")
    assert (refused.code, "canonical table" in refused.err) == (1, True)


def test_a_row_of_other_content_is_told_by_table_and_place_and_not_by_its_id(
    acerto: Any, project: Path, loaded: Path
) -> None:
    payments = pd.read_parquet(project / "data/payments.parquet")
    payments.loc[3, "amount"] += 1
    (project / "changed").mkdir()
    payments.to_parquet(project / "changed/payments.parquet")
    refused = acerto("ingest", "--data", "changed")
    assert refused.code == 1
    assert "row 4 of payments" in refused.err
    assert payments.loc[3, "payment_id"] not in refused.err


def test_another_creditor_has_nothing_of_it(acerto: Any, project: Path, loaded: Path) -> None:
    told = json.loads(acerto("export", "--out", "other", "--tenant", "other", "--json").out)
    assert told["tables"] == {}


def test_a_log_that_nobody_touched_holds(acerto: Any, decided: list[dict[str, Any]]) -> None:
    told = acerto("verify-log", "--json")
    assert told.code == 0
    assert json.loads(told.out)["default"]["entries"] == len(decided)


def test_a_head_that_was_noted_must_still_be_there(acerto: Any, decided: list[dict[str, Any]]) -> None:
    head = json.loads(acerto("verify-log", "--json").out)["default"]["head"]
    assert acerto("verify-log", "--noted", head).code == 0
    assert acerto("verify-log", "--noted", head[::-1]).code == 1
    assert "hexadecimal" in acerto("verify-log", "--noted", "x").err


def test_an_erased_debtor_is_in_no_export_and_the_log_holds(
    acerto: Any, project: Path, decided: list[dict[str, Any]]
) -> None:
    accounts = pd.read_parquet(project / "data/accounts.parquet")
    debtor = accounts.loc[accounts["account_id"] == decided[0]["account_id"], "debtor_id"].iloc[0]
    gone = set(accounts.loc[accounts["debtor_id"] == debtor, "account_id"])
    told = json.loads(acerto("erase", "--debtor", debtor, "--json").out)
    assert told["decisions"] >= 1
    assert acerto("verify-log").code == 0
    assert acerto("export", "--out", "without").code == 0
    for table in SHARED:
        assert not gone & set(pd.read_parquet(project / f"without/{table}.parquet")["account_id"])
    assert json.loads(acerto("erase", "--expired", "--json").out) == {"debtors": 0}
    again = acerto("erase", "--debtor", debtor)
    assert again.code == 1
    assert debtor not in again.err


def test_a_log_that_somebody_changed_is_told_with_exit_1(
    acerto: Any, loaded: Path, decided: list[dict[str, Any]]
) -> None:
    with closing(sqlite3.connect(loaded)) as owner, owner:
        owner.execute("UPDATE decision_log SET recorded_at = recorded_at + 1 WHERE sequence = 2")
    told = acerto("verify-log")
    assert told.code == 1
    assert "entry 2" in told.err
