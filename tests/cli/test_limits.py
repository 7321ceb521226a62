from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cli.serve_command import environment
from serving import handling
from serving.engine import load_engine
from serving.schemas import build_schemas
from serving.settings import read_settings

AS_OF = "2026-03-02T11:00:00Z"
LIMITS = {
    "capacities": {
        "letter": {"per_day": 5},
        "agent_call": {"minutes_per_day": 16, "minutes_per_contact": 4, "min_per_day": 2},
    },
    "budgets": {"contact_cost": {"per_day": 20.0}},
    "segments": {"late": {"min_days_past_due": 90, "per_day": 12}},
}


@pytest.fixture(scope="module")
def limited(project, acerto_in):
    """The folder of one run under limits."""
    shutil.copytree(project / "configs", project / "limited", dirs_exist_ok=True)
    path = project / "limited/decision.yaml"
    path.write_text(
        yaml.safe_dump(yaml.safe_load(path.read_text(encoding="utf-8")) | LIMITS, sort_keys=False), encoding="utf-8"
    )
    options = ("--data", "data", "--as-of", AS_OF, "--configs", "limited", "--log-probs")
    assert acerto_in(project, "decide", *options, "--out", "limited.parquet", "--candidates") == 0
    return project


@pytest.fixture(scope="module")
def rows(limited):
    return pd.read_parquet(limited / "limited.parquet")


@pytest.fixture(scope="module")
def prices(limited):
    told = json.loads((limited / "limited.parquet.allocation.json").read_text(encoding="utf-8"))
    return told | {"resources": {one["name"]: one for one in told["resources"]}}


def test_every_limit_is_kept(rows):
    assert (rows["channel"] == "letter").sum() <= 5
    assert 2 <= (rows["channel"] == "agent_call").sum() <= 4
    assert rows["expected_cost"].sum() <= 20.0 + 0.005 * len(rows)


def test_the_price_list_tells_what_the_decisions_use(rows, prices):
    used = {name: one["used"] for name, one in prices["resources"].items()}
    assert used["letter.contacts"] == (rows["channel"] == "letter").sum()
    assert used["agent_call.minutes"] == 4 * (rows["channel"] == "agent_call").sum()
    assert used["contact_cost"] == pytest.approx(rows["expected_cost"].sum(), abs=0.005 * len(rows))


def test_the_price_list_says_of_which_day_and_how_good_it_is(prices):
    assert (prices["made_at"], prices["local_days"]) == (AS_OF, ["2026-03-02"])
    assert 0 <= prices["gap"] < 0.02


def test_a_scarce_resource_has_a_price_in_words(prices):
    cost = prices["resources"]["contact_cost"]
    assert cost["price"] > 0
    assert "contact budget brings R$" in cost["said"]["en"]


def test_what_was_lost_to_a_budget_is_in_the_rows(rows):
    lost = rows["lost_to_budget"].dropna()
    assert len(lost) > 0
    assert {one["code"] for one in lost} <= {"BUDGET_CONTACT_COST", "BUDGET_CONTACTS", "BUDGET_SEGMENT",
                                             "BUDGET_MINUTES", "MINIMUM_CONTACTS"}  # fmt: skip


def test_candidates_tell_their_factors(rows):
    best = rows["candidates"].iloc[0][0]
    assert {"p_sent", "p_reached", "p_agreed", "p_pay", "complaint_cost", "resource_charge"} <= set(best)


def test_two_runs_write_the_same_bytes(acerto, limited):
    names = [("one.csv", "one.csv.allocation.json"), ("two.csv", "two.csv.allocation.json")]
    for table, _ in names:
        assert acerto("decide", "--data", "data", "--as-of", AS_OF, "--configs", "limited", "--out", table).code == 0
    written = [[(limited / name).read_bytes() for name in pair] for pair in names]
    assert written[0] == written[1]


def test_people_see_prices_and_how_far_from_the_best(acerto, limited):
    result = acerto("decide", "--data", "data", "--as-of", AS_OF, "--configs", "limited", "--out", "seen.csv")
    assert "capacities and budgets" in result.out
    assert "no plan within the limits could gain more" in result.err


def test_machines_get_the_price_list_with_the_summary(acerto, limited):
    options = ("--data", "data", "--as-of", AS_OF, "--configs", "limited", "--out", "seen.csv", "--json")
    assert json.loads(acerto("decide", *options).out)["allocation"]["currency"] == "BRL"


def test_the_service_decides_by_the_prices_that_were_written(limited, monkeypatch):
    monkeypatch.chdir(limited)
    environ = environment("champion", configs=Path("limited"), prices=Path("limited.parquet.allocation.json"))
    settings = read_settings(environ)
    assert settings.prices == limited / "limited.parquet.allocation.json"
    account = {"account_id": "a1", "debts": [{"debt_id": "d1", "amount": 900.0, "due_on": "2026-01-10"}]}
    body = json.dumps({"as_of": AS_OF, "accounts": [account | {"account": {"region": "BR-SP"}}]}).encode()
    found = handling.decisions(body, load_engine(settings), build_schemas({})).answers[0]
    assert found["resource_charge"] >= 0


def test_without_limits_there_is_no_price_list(acerto, project):
    assert acerto("decide", "--data", "data", "--as-of", AS_OF, "--out", "free.csv").code == 0
    assert not (project / "free.csv.allocation.json").exists()
    assert not {"resource_charge", "lost_to_budget"} & set(pd.read_csv(project / "free.csv").columns)
