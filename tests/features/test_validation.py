"""The data-quality report: one row of trouble at a time, each with its severity, place, count and ids."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from domain.errors import DataError
from features.config import Attribute
from features.tables import read_tables
from features.validation import Finding, Report, raise_if_critical, validate

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ATTRIBUTES = {"income": Attribute(kind="numeric")}
T = "2026-01-10T12:00:00Z"
LATER = "2026-03-01T00:00:01Z"
ACCOUNTS = "account_id,region,income,recorded_at\n"
DEBTS = "debt_id,account_id,amount,due_on,occurred_at,recorded_at\n"
PAYMENTS = "payment_id,account_id,amount,occurred_at,recorded_at,debt_id\n"
CONTACTS = "contact_id,account_id,channel,occurred_at,recorded_at\n"
RESPONSES = "response_id,account_id,kind,occurred_at,recorded_at,contact_id\n"
PROMISES = "promise_id,account_id,occurred_at,recorded_at,resolved_at,outcome,amount,instalments\n"
HOLDS = "hold_id,account_id,kind,occurred_at,recorded_at,released_at\n"
EVENTS = "event_id,account_id,debt_id,kind,amount,occurred_at,recorded_at\n"
DECISIONS = "decision_id,account_id,decided_at,channel,offer,moment,action_prob,recorded_at\n"
CLEAN = {
    "accounts": f"{ACCOUNTS}a1,BR-SP,1000,{T}\n",
    "debts": f"{DEBTS}d1,a1,100,2026-01-10,{T},{T}\n",
    "payments": f"{PAYMENTS}p1,a1,10,{T},{T},d1\n",
}


def write(folder: Path, **tables: str) -> Path:
    for name, text in (CLEAN | tables).items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def report(folder: Path, **tables: str) -> Report:
    return validate(write(folder, **tables), attributes=ATTRIBUTES, now=NOW)


def told(finding: Finding) -> str:
    place = f"{finding.table}.{finding.column}" if finding.column else finding.table
    return " ".join([finding.severity, place, finding.code, str(finding.count), *finding.examples])


def test_clean_data_have_no_findings(tmp_path: Path) -> None:
    assert report(tmp_path).findings == ()


FOUND = [
    # what lies there
    ("accounts", f"{ACCOUNTS}", "critical accounts no_rows 0"),
    ("payments", f"{PAYMENTS}", "warning payments no_rows 0"),
    ("contacts", f"{CONTACTS}", "note contacts no_rows 0"),
    ("payments", "", "critical payments unreadable 0"),
    ("payments", f"{PAYMENTS}p1,a1\n", "critical payments unreadable 0"),
    ("contact", CONTACTS, "note contact.csv unknown_file 0"),
    # columns and types
    ("payments", f"payment_id,account_id,occurred_at,recorded_at\np,a1,{T},{T}\n",
     "critical payments.amount missing_column 0"),
    ("payments", f"{PAYMENTS}p1,a1,ten,{T},{T},d1\n", "critical payments.amount wrong_type 1 p1"),
    ("payments", f"{PAYMENTS}p1,a1,NaN,{T},{T},d1\n", "critical payments.amount missing_value 1 p1"),
    ("payments", f"{PAYMENTS}p1,a1,1,{T[:-1]},{T},d1\n", "critical payments.occurred_at no_offset 1 p1"),
    ("accounts", f"account_id,region,income,recorded_at,incme\na1,BR-SP,1,{T},1\n",
     "note accounts.incme unknown_column 0"),
    ("accounts", f"account_id,region,recorded_at\na1,BR-SP,{T}\n", "note accounts.income absent_attribute 0"),
    # identity
    ("payments", f"{PAYMENTS}p1,a1,1,{T},{T},d1\np1,a1,1,{T},{T},d1\n", "note payments.payment_id repeated_row 1 p1"),
    ("payments", f"{PAYMENTS}p1,a1,1,{T},{T},d1\np1,a1,2,{T},{T},d1\n",
     "critical payments.payment_id conflicting_identity 2 p1"),
    ("accounts", f"{ACCOUNTS}a1,BR-SP,1,{T}\na1,BR-RJ,1,{T}\n",
     "critical accounts.account_id conflicting_identity 2 a1"),
    # references
    ("payments", f"{PAYMENTS}p1,a9,1,{T},{T},\np2,a9,1,{T},{T},\n",
     "critical payments.account_id orphan_account 2 p1 p2"),
    ("payments", f"{PAYMENTS}p1,a1,1,{T},{T},d9\n", "warning payments.debt_id orphan_debt 1 p1"),
    # time
    ("payments", f"{PAYMENTS}p1,a1,1,{LATER},{LATER},d1\n", "critical payments.occurred_at future 1 p1"),
    ("payments", f"{PAYMENTS}p1,a1,1,{T},2027-01-01T00:00:00Z,d1\n", "warning payments.recorded_at future 1 p1"),
    ("payments", f"{PAYMENTS}p1,a1,1,{T},2026-01-09T00:00:00Z,d1\n",
     "warning payments.recorded_at recorded_before_occurred 1 p1"),
    ("payments", f"{PAYMENTS}p1,a1,1,{T},,d1\n", "warning payments.recorded_at missing_recorded_at 1 p1"),
    ("accounts", f"{ACCOUNTS}a1,BR-SP,1,\n", "warning accounts.recorded_at missing_recorded_at 1 a1"),
    ("debts", f"{DEBTS}d1,a1,1,2020-01-01,{T},{T}\n", "warning debts.due_on due_before_issue 1 d1"),
    ("debts", f"{DEBTS}d1,a1,1,9999-12-31,{T},{T}\n", "warning debts.due_on implausible_date 1 d1"),
    ("accounts", f"{ACCOUNTS}a1,SP,1,{T}\n", "warning accounts.region unknown_region 1 a1"),
    ("accounts", f"{ACCOUNTS}a1,,1,{T}\n", "warning accounts.timezone no_time_zone 1 a1"),
    ("accounts", f"account_id,timezone,income,recorded_at\na1,Brasilia,1,{T}\n",
     "warning accounts.timezone unknown_time_zone 1 a1"),
    ("promises", f"{PROMISES}r1,a1,{T},{T},,kept,1,1\n", "warning promises.outcome outcome_without_resolved_at 1 r1"),
    ("holds", f"{HOLDS}h1,a1,dispute,{T},{T},2026-01-01T00:00:00Z\n",
     "warning holds.released_at ended_before_begun 1 h1"),
    # values
    ("debts", f"{DEBTS}d1,a1,0,2026-01-10,{T},{T}\n", "critical debts.amount amount_not_positive 1 d1"),
    ("payments", f"{PAYMENTS}p1,a1,-1,{T},{T},d1\n", "critical payments.amount negative_without_payment 1 p1"),
    ("payments", f"{PAYMENTS}p1,a1,0,{T},{T},d1\n", "note payments.amount zero_amount 1 p1"),
    ("promises", f"{PROMISES}r1,a1,{T},{T},,,-1,1\n", "warning promises.amount negative 1 r1"),
    ("promises", f"{PROMISES}r1,a1,{T},{T},,,1,0\n", "warning promises.instalments not_positive 1 r1"),
    ("contacts", f"{CONTACTS}c1,a1,pigeon,{T},{T}\n", "warning contacts.channel unknown_channel 1 c1"),
    ("responses", f"{RESPONSES}s1,a1,shrugged,{T},{T},\n", "warning responses.kind unknown_code 1 s1"),
    ("holds", f"{HOLDS}h1,a1,siesta,{T},{T},\n", "critical holds.kind unknown_code 1 h1"),
    ("debt_events", f"{EVENTS}e1,a1,d1,gift,-5,{T},{T}\n", "critical debt_events.kind unknown_code 1 e1"),
    ("debt_events", f"{EVENTS}e1,a1,d1,letter,,{T},{T}\n", "warning debt_events.kind unknown_code 1 e1"),
    ("decisions", f"{DECISIONS}x,a1,{T},wait,none,any,0,{T}\n", "critical decisions.action_prob not_a_probability 1 x"),
    ("decisions", f"{DECISIONS}x,a1,{T},wait,none,any,1.1,{T}\n",
     "critical decisions.action_prob not_a_probability 1 x"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "text", "expected"), FOUND)
def test_each_trouble_is_found_alone_with_its_place_and_ids(
    tmp_path: Path, table: str, text: str, expected: str
) -> None:
    found = [told(finding) for finding in report(tmp_path, **{table: text}).findings]
    consequences = {"orphan_account", "account_without_debt", "orphan_debt"}  # of a table that lost its only row
    assert expected in found
    assert {item.split()[2] for item in found} - consequences <= {expected.split()[2]}


@pytest.mark.parametrize("table", ["accounts", "debts", "payments"])
def test_a_missing_compulsory_table_is_critical(tmp_path: Path, table: str) -> None:
    folder = write(tmp_path)
    (folder / f"{table}.csv").unlink()
    findings = validate(folder, attributes={}, now=NOW).critical
    assert f"critical {table} missing_table 0" in [told(finding) for finding in findings]


def test_a_response_to_an_unknown_contact_is_a_warning(tmp_path: Path) -> None:
    tables = {"contacts": f"{CONTACTS}c1,a1,sms,{T},{T}\n", "responses": f"{RESPONSES}s1,a1,read,{T},{T},c9\n"}
    findings = report(tmp_path, **tables).findings
    assert [told(f) for f in findings] == ["warning responses.contact_id orphan_contact 1 s1"]


def test_a_payment_of_the_debt_of_another_account_is_a_warning(tmp_path: Path) -> None:
    accounts = f"{ACCOUNTS}a1,BR-SP,1,{T}\na2,BR-SP,1,{T}\n"
    payments = f"{PAYMENTS}p1,a2,1,{T},{T},d1\n"
    findings = report(tmp_path, accounts=accounts, payments=payments).findings
    assert [f.code for f in findings] == ["debt_of_another_account", "account_without_debt"]


def test_a_reversal_of_an_earlier_payment_is_no_finding(tmp_path: Path) -> None:
    payments = f"{PAYMENTS}p2,a1,-10,{T},{T},d1\np1,a1,10,{T},{T},d1\n"
    assert report(tmp_path, payments=payments).findings == ()


def test_few_reversals_without_payment_are_a_warning_since_data_begin_somewhere(tmp_path: Path) -> None:
    rows = "".join(f"p{i},a1,1,2026-01-11T12:00:00Z,2026-01-11T12:00:00Z,d1\n" for i in range(30))
    findings = report(tmp_path, payments=f"{PAYMENTS}p,a1,-10,{T},{T},d1\n{rows}").findings
    assert [(f.severity, f.code, f.examples) for f in findings] == [("warning", "negative_without_payment", ("p",))]


def test_a_correction_with_a_later_recorded_at_is_no_finding(tmp_path: Path) -> None:
    payments = f"{PAYMENTS}p1,a1,10,{T},{T},d1\np1,a1,12,{T},2026-01-20T12:00:00Z,d1\n"
    assert report(tmp_path, payments=payments).findings == ()


def test_a_declared_channel_is_known(tmp_path: Path) -> None:
    folder = write(tmp_path, contacts=f"{CONTACTS}c1,a1,pigeon,{T},{T}\n")
    assert validate(folder, attributes=ATTRIBUTES, now=NOW, channels=["pigeon"]).findings == ()


def test_three_examples_are_the_smallest_ids_whatever_the_order_of_rows(tmp_path: Path) -> None:
    rows = [f"p{i},a1,ten,{T},{T},d1\n" for i in (5, 2, 9, 1, 7)]
    (finding,) = report(tmp_path, payments=PAYMENTS + "".join(rows)).critical
    assert finding.count == 5
    assert finding.examples == ("p1", "p2", "p5")


def test_a_finding_never_tells_a_value(tmp_path: Path) -> None:
    accounts = f"{ACCOUNTS}a1,Joana Silva,secret,{T}\n"
    text = json.dumps(report(tmp_path, accounts=accounts).to_json())
    assert "Joana" not in text
    assert "secret" not in text


def test_parquet_times_without_zone_are_critical(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "payments.csv").unlink()
    at = pa.array([NOW.replace(tzinfo=None)], pa.timestamp("us"))
    table = {"payment_id": ["p1"], "account_id": ["a1"], "amount": [1.0], "occurred_at": at}
    pq.write_table(pa.table(table), folder / "payments.parquet")
    codes = [told(finding) for finding in validate(folder, attributes=ATTRIBUTES, now=NOW).critical]
    assert codes == ["critical payments.occurred_at no_offset 1 p1"]


@pytest.mark.parametrize(("table", "text", "expected"), [case for case in FOUND if case[2].startswith("critical")])
def test_training_stops_on_every_critical_finding(tmp_path: Path, table: str, text: str, expected: str) -> None:
    with pytest.raises(DataError, match=expected.split()[2]):
        raise_if_critical(report(tmp_path, **{table: text}))


@pytest.mark.parametrize(("table", "text", "expected"), FOUND)
def test_what_reading_refuses_is_critical(tmp_path: Path, table: str, text: str, expected: str) -> None:
    found = report(tmp_path, **{table: text})
    try:
        read_tables(tmp_path, attributes=ATTRIBUTES)
    except DataError:
        assert found.critical


def test_warnings_stop_nothing(tmp_path: Path) -> None:
    raise_if_critical(report(tmp_path, payments=f"{PAYMENTS}p1,a1,1,{T},,d1\n"))


def test_the_report_tells_rows_and_range_of_each_table(tmp_path: Path) -> None:
    summaries = {summary.table: summary for summary in report(tmp_path).tables}
    assert (summaries["payments"].rows, summaries["payments"].first) == (1, T)
    assert "payments             1 rows" in report(tmp_path).text()


def test_csv_and_parquet_of_the_same_data_give_the_same_findings(tmp_path: Path) -> None:
    (tmp_path / "csv").mkdir()
    (tmp_path / "parquet").mkdir()
    payments = f"{PAYMENTS}p1,a9,-10,{T},{T},d1\np2,a1,10,2027-01-01T00:00:00Z,,d9\n"
    csv = write(tmp_path / "csv", payments=payments)
    for name in ("accounts", "debts", "payments"):
        pq.write_table(pacsv.read_csv(csv / f"{name}.csv"), tmp_path / "parquet" / f"{name}.parquet")
    both = [validate(tmp_path / kind, attributes=ATTRIBUTES, now=NOW).findings for kind in ("csv", "parquet")]
    assert both[0] == both[1] != ()


def test_the_order_of_findings_is_by_severity_then_table(tmp_path: Path) -> None:
    payments = f"{PAYMENTS}p1,a9,-10,{T},,d1\n"
    findings = report(tmp_path, accounts=f"{ACCOUNTS}a1,,1,\n", payments=payments).findings
    assert [(f.severity, f.table) for f in findings] == [
        ("critical", "payments"), ("critical", "payments"), ("warning", "accounts"), ("warning", "accounts"),
        ("warning", "payments"), ("warning", "payments"),
    ]  # fmt: skip


def test_a_directory_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such directory"):
        validate(tmp_path / "nowhere", attributes={}, now=NOW)
