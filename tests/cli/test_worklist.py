from __future__ import annotations

import csv
import json
import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from decisioning.nonpayment import KINDS
from domain.clock import parse_moment

AS_OF = "2026-03-02T12:00:00Z"
LATER = "2026-03-02T12:30:00Z"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def decided(project: Path, acerto_in) -> pd.DataFrame:
    for name in ("list.parquet", "list.csv"):
        assert acerto_in(project, "decide", "--data", "data", "--as-of", AS_OF, "--out", name) == 0
    return pd.read_parquet(project / "list.parquet")


@pytest.fixture
def paid(project: Path, tmp_path: Path, decided: pd.DataFrame) -> str:
    """The account worth most to contact pays, a minute after the decision; the folder is that of ``paid_data``."""
    best = max(contacts(decided), key=lambda row: row["incremental_net_value"])
    shutil.copytree(project / "data", tmp_path / "data", ignore=shutil.ignore_patterns("truth"))
    payments = pd.read_parquet(tmp_path / "data/payments.parquet")
    at = parse_moment(AS_OF) + timedelta(minutes=1)
    new = payments.tail(1).assign(
        payment_id="since", account_id=best["account_id"], amount=1.0, occurred_at=at, recorded_at=at,
        debt_id=best["debt_ids"][0],
    )  # fmt: skip
    pd.concat([payments, new.astype(payments.dtypes.to_dict())], ignore_index=True).to_parquet(
        tmp_path / "data/payments.parquet", index=False
    )
    return best["account_id"]


def contacts(decided: pd.DataFrame) -> list[dict]:
    wanted = decided[(decided["channel"] != "wait") & (decided["arm"] != "holdout")]
    return wanted.to_dict("records")


def test_the_list_holds_every_contact_once_and_no_waiting(acerto, project, decided):
    assert acerto("worklist", "--decisions", "list.parquet", "--out", "w.csv").code == 0
    found = [row["decision_id"] for row in rows_of(project / "w.csv")]
    assert len(found) == len({*found})
    assert {*found} == {row["decision_id"] for row in contacts(decided)}


def test_the_hold_out_is_never_in_the_list(acerto, project, decided):
    held = decided.assign(arm="holdout")
    held.to_parquet(project / "held.parquet", index=False)
    told = json.loads(acerto("worklist", "--decisions", "held.parquet", "--out", "w.csv", "--json").out)
    assert (told["contacts"], told["without_contact"]) == (0, len(decided))
    assert rows_of(project / "w.csv") == []


def test_the_list_is_ordered_by_worth_and_numbered(acerto, project, decided):
    acerto("worklist", "--decisions", "list.parquet", "--out", "w.csv")
    rows = rows_of(project / "w.csv")
    order = [(-float(row["incremental_net_value"]), row["decision_id"]) for row in rows]
    assert order == sorted(order)
    assert [int(row["priority"]) for row in rows] == list(range(1, len(rows) + 1))


def test_csv_and_parquet_give_the_same_list(acerto, project, decided):
    for name in ("list.csv", "list.parquet"):
        acerto("worklist", "--decisions", name, "--out", f"of-{name}.csv")
    assert (project / "of-list.csv.csv").read_bytes() == (project / "of-list.parquet.csv").read_bytes()


def test_a_row_says_what_the_decision_says(acerto, project, decided):
    acerto("worklist", "--decisions", "list.parquet", "--out", "w.csv")
    of = {row["decision_id"]: row for row in contacts(decided)}
    for row in rows_of(project / "w.csv"):
        one = of[row["decision_id"]]
        assert "/".join(row[part] for part in ("channel", "offer", "moment")) == one["action"]
        assert float(row["offer_amount"]) == one["offer_amount"]
        assert parse_moment(row["not_before"]) == one["not_before"]
        assert parse_moment(row["valid_until"]) == one["valid_until"]
        assert row["instalment_amount"] == (
            "" if pd.isna(one["instalment_amount"]) else f"{one['instalment_amount']:.2f}"
        )


def test_a_channel_is_listed_alone_and_the_limit_takes_the_best(acerto, project, decided):
    channel = max(contacts(decided), key=lambda row: row["incremental_net_value"])["channel"]
    acerto("worklist", "--decisions", "list.parquet", "--out", "all.csv")
    told = json.loads(
        acerto(
            "worklist", "--decisions", "list.parquet", "--out", "w.csv", "--channel", channel, "--limit", 3, "--json"
        ).out
    )
    best = [row["decision_id"] for row in rows_of(project / "all.csv") if row["channel"] == channel][:3]
    assert [row["decision_id"] for row in rows_of(project / "w.csv")] == best
    others = sum(row["channel"] != channel for row in contacts(decided))
    assert (told["other_channels"], told["channels"]) == (others, {channel: len(best)})


def test_reasons_come_in_the_language_asked_for(acerto, project, decided):
    said = {}
    for locale in ("pt-BR", "en"):
        acerto("worklist", "--decisions", "list.parquet", "--out", "w.csv", "--locale", locale)
        said[locale] = rows_of(project / "w.csv")[0]["reason"]
    assert said["pt-BR"].startswith("Vale R$ ")
    assert said["en"].startswith("Worth R$ ")


def test_without_the_data_reasons_say_the_same_as_with_them(acerto, project, decided):
    acerto("worklist", "--decisions", "list.parquet", "--out", "plain.csv")
    acerto("worklist", "--decisions", "list.parquet", "--out", "w.csv", "--data", "data", "--at", LATER)
    plain, told = ([row["reason"] for row in rows_of(project / name)] for name in ("plain.csv", "w.csv"))
    assert plain == told
    assert any(re.search(r"; .*R\$ \d{1,3}(\.\d{3})*,\d\d\b", reason) for reason in plain)


def test_reasons_of_an_older_file_are_codes_and_not_half_a_sentence(acerto, project, decided):
    decided.drop(columns="reason_values").to_parquet(project / "older.parquet", index=False)
    acerto("worklist", "--decisions", "older.parquet", "--out", "w.csv")
    of = {row["decision_id"]: row for row in contacts(decided)}
    for row in rows_of(project / "w.csv"):
        said = row["reason"].split(". ", 1)[1].split("; ")
        codes = [code for code in of[row["decision_id"]]["reasons"] if code not in KINDS]
        assert [part for part in said if part.isupper()] == codes


def test_rechecked_with_the_same_data_nothing_is_dropped(acerto, project, decided):
    arguments = ("--decisions", "list.parquet", "--out", "w.csv", "--data", "data", "--at", LATER, "--json")
    told = json.loads(acerto("worklist", *arguments).out)
    assert (told["dropped"], told["contacts"]) == (0, len(contacts(decided)))


def test_rechecked_moments_have_the_debtors_offset(acerto, project, decided):
    acerto("worklist", "--decisions", "list.parquet", "--out", "w.csv", "--data", "data", "--at", LATER)
    rows = rows_of(project / "w.csv")
    assert {datetime.fromisoformat(row["not_before"]).utcoffset() for row in rows} <= {
        timedelta(hours=-hours) for hours in (2, 3, 4, 5)
    }


def test_who_paid_since_is_dropped_and_told(acerto, project, tmp_path, paid):
    arguments = ("--decisions", "list.parquet", "--out", "w.csv", "--data", tmp_path / "data", "--at", LATER)
    told = json.loads(acerto("worklist", *arguments, "--dropped", "gone.csv", "--locale", "en", "--json").out)
    assert told["dropped_by_code"] == {"PAID_SINCE": 1}
    assert paid not in {row["account_id"] for row in rows_of(project / "w.csv")}
    gone = rows_of(project / "gone.csv")
    assert [(row["account_id"], row["codes"].split()[0]) for row in gone] == [(paid, "PAID_SINCE")]
    assert gone[0]["reason"].startswith("After the decision a payment of its debts became known.")


def test_a_payment_not_yet_recorded_drops_nobody(acerto, project, tmp_path, paid):
    arguments = ("--decisions", "list.parquet", "--out", "w.csv", "--data", tmp_path / "data")
    told = json.loads(acerto("worklist", *arguments, "--at", "2026-03-02T12:01:00Z", "--json").out)
    assert told["dropped"] == 0


def test_a_day_later_all_has_expired(acerto, project, decided):
    arguments = ("--decisions", "list.parquet", "--out", "w.csv", "--data", "data", "--at", "2026-03-04T12:00:00Z")
    told = json.loads(acerto("worklist", *arguments, "--json").out)
    assert (told["contacts"], told["dropped"]) == (0, len(contacts(decided)))


def test_the_summary_is_told_to_people(acerto, decided):
    found = acerto("worklist", "--decisions", "list.parquet", "--out", "w.csv")
    assert "contacts in w.csv" in found.out
    assert "not rechecked" in found.err


@pytest.mark.parametrize(
    "arguments, code, told",
    [
        (("--decisions", "no.parquet", "--out", "w.csv"), 1, "found no file no.parquet"),
        (("--decisions", "configs/actions.yaml", "--out", "w.csv"), 1, ".parquet or .csv"),
        (("--decisions", "data/debts.parquet", "--out", "w.csv"), 1, "found no column decision_id"),
        (("--decisions", "list.parquet", "--out", "w.xlsx"), 1, "ending in .csv"),
        (("--decisions", "list.parquet", "--out", "w.csv", "--channel", "pigeon"), 2, "pigeon"),
        (("--decisions", "list.parquet", "--out", "w.csv", "--locale", "fr"), 2, "pt-BR or en"),
        (("--decisions", "list.parquet", "--out", "w.csv", "--data", "data"), 2, "--at"),
        (("--decisions", "list.parquet", "--out", "w.csv", "--at", LATER), 2, "--data"),
        (("--decisions", "list.parquet", "--out", "w.csv", "--dropped", "d.csv"), 2, "--data"),
        (("--decisions", "list.parquet", "--out", "w.csv", "--data", "data", "--at", "noon"), 2, "offset"),
        (("--decisions", "list.parquet", "--out", "w.csv", "--limit", 0), 2, "--limit"),
    ],
)
def test_a_wrong_call_says_what_was_needed(acerto, decided, arguments, code, told):
    result = acerto("worklist", *arguments)
    assert (result.code, "Traceback" in result.err) == (code, False)
    assert told in result.err


DAMAGE = {
    "not_before": lambda frame: frame.assign(not_before="soon"),
    "debt_ids": lambda frame: frame.assign(debt_ids="d1"),
    "decided on more than once": lambda frame: pd.concat([frame, frame.head(1)]),
    "found no column valid_until": lambda frame: frame.drop(columns="valid_until"),
}


@pytest.mark.parametrize("told", DAMAGE)
def test_a_damaged_file_is_refused_with_its_place_and_without_values(acerto, project, decided, told):
    DAMAGE[told](pd.read_csv(project / "list.csv", dtype=str)).to_csv(project / "bad.csv", index=False)
    result = acerto("worklist", "--decisions", "bad.csv", "--out", "w.csv")
    assert (result.code, "Traceback" in result.err) == (1, False)
    assert told in result.err
    assert not any(account in result.err for account in decided["account_id"])


def test_a_file_that_only_claims_to_be_parquet_is_refused(acerto, project):
    (project / "claim.parquet").write_bytes(b"no parquet")
    result = acerto("worklist", "--decisions", "claim.parquet", "--out", "w.csv")
    assert (result.code, "no Parquet" in result.err) == (1, True)


def test_decisions_on_other_data_are_refused(acerto, project, decided):
    decided.assign(account_id=[f"x{row}" for row in range(len(decided))]).to_parquet(project / "other.parquet")
    arguments = ("--decisions", "other.parquet", "--out", "w.csv", "--data", "data", "--at", LATER)
    result = acerto("worklist", *arguments)
    assert (result.code, "these ledgers do not hold" in result.err) == (1, True)
