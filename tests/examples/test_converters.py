"""The converters of real portfolios, a script and a mapping: what they write is clean, and point in time."""

# ruff: noqa: E501  (rows of the source files, as wide as they are)

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from example_scripts import load

from domain.config import load_section
from domain.errors import ConfigError
from features.config import FeaturesConfig
from features.mapping.converting import convert
from features.tables import read_tables
from features.validation import validate

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("ACERTO_DATA", ROOT / ".." / "shared" / "data"))
FOLDERS = {"superlender": "superlender", "ibm_invoices": "ibm_ar_invoices"}
MAPPING = ROOT / "examples" / "ibm_invoices" / "mapping.yaml"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def source_of(name: str) -> Path:
    source = DATA / FOLDERS[name]
    if not source.is_dir():
        pytest.skip(f"{source} is not there; set ACERTO_DATA to the folder of the real data sets")
    return source


@pytest.fixture(scope="module", params=sorted(FOLDERS))
def converted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    out = tmp_path_factory.mktemp(request.param)
    written(request.param, source_of(request.param), out)
    return request.param, out


def written(name: str, source: Path, out: Path) -> None:
    """The canonical tables of a portfolio: superlender's by its script, IBM's by its mapping."""
    if name == "superlender":
        load(name).convert(source, out)
        return
    convert(MAPPING, out, folder=source, attributes=attributes(name).attributes)


def attributes(name: str) -> FeaturesConfig:
    return load_section(ROOT / "examples" / "configs" / name / "features.yaml", FeaturesConfig)


def count(query: str) -> int:
    with duckdb.connect() as connection:
        return int(connection.execute(query).fetchall()[0][0])


def test_converted_tables_have_no_critical_finding(converted: tuple[str, Path]) -> None:
    name, folder = converted
    report = validate(folder, attributes=attributes(name).attributes, now=NOW)
    assert report.critical == ()
    assert {finding.code for finding in report.findings} <= {"missing_recorded_at"}


def test_every_declared_attribute_is_there(converted: tuple[str, Path]) -> None:
    name, folder = converted
    declared = attributes(name).attributes
    tables = read_tables(folder, attributes=declared)
    for attribute in declared:
        values = tables.columns["accounts"][attribute]
        filled = values.codes >= 0 if hasattr(values, "codes") else values > 0
        assert filled.mean() > 0.1, attribute


def test_nothing_is_known_before_it_happened(converted: tuple[str, Path]) -> None:
    _, folder = converted
    tables = read_tables(folder, attributes={})
    for table in ("debts", "payments"):
        assert (tables.ints(table, "recorded_at") >= tables.ints(table, "occurred_at")).all()


def test_no_debt_is_paid_before_it_is_issued(converted: tuple[str, Path]) -> None:
    _, folder = converted
    early = f"FROM '{folder}/payments.parquet' p JOIN '{folder}/debts.parquet' d USING (debt_id)"
    assert count(f"SELECT count(*) {early} WHERE p.occurred_at < d.occurred_at") == 0


def test_a_source_without_its_files_is_refused(tmp_path: Path) -> None:
    for name in FOLDERS:
        with pytest.raises((FileNotFoundError, ConfigError), match="needed"):
            written(name, tmp_path, tmp_path / "out")


# Two customers with an earlier loan each, and a current one: the first Good, the second Bad.
PREVIOUS = """,customerid,systemloanid,loannumber,approveddate,creationdate,loanamount,totaldue,termdays,closeddate,referredby,firstduedate,firstrepaiddate
0,c1,1,1,2017-05-01 10:00:00.000000,2017-05-01 09:00:00.000000,10000.0,11500.0,15,2017-05-14 10:00:00.000000,,2017-05-16 00:00:00.000000,2017-05-14 10:00:00.000000
1,c2,3,1,2017-05-01 10:00:00.000000,2017-05-01 09:00:00.000000,10000.0,11500.0,15,2017-05-14 10:00:00.000000,,2017-05-16 00:00:00.000000,2017-05-14 10:00:00.000000
"""
CURRENT = """customerid,systemloanid,loannumber,approveddate,creationdate,loanamount,totaldue,termdays,referredby,good_bad_flag
c1,2,2,2017-07-01 00:30:00.000000,2017-06-30 23:30:00.000000,10000.0,11500.0,60,,Good
c2,4,2,2017-07-01 00:30:00.000000,2017-06-30 23:30:00.000000,10000.0,11500.0,60,,Bad
"""
PEOPLE = """customerid,bank_account_type,bank_name_clients,bank_branch_clients,employment_status_clients,level_of_education_clients,birth_year
c1,Savings,GT Bank,,Permanent,,1980
"""


@pytest.fixture
def loans(tmp_path: Path) -> Path:
    for name, text in (("trainprevloans", PREVIOUS), ("trainperf", CURRENT), ("traindemographics_nogps", PEOPLE)):
        (tmp_path / f"{name}.csv").write_text(text)
    load("superlender").convert(tmp_path, tmp_path / "out")
    return tmp_path / "out"


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET file_search_path = '{folder}'")
        found: list[tuple[object, ...]] = connection.execute(query).fetchall()
    return found


def test_a_good_current_loan_is_paid_as_its_due_day_begins_in_lagos(loans: Path) -> None:
    paid = rows(loans, "SELECT debt_id, epoch_us(occurred_at) FROM 'payments.parquet' WHERE debt_id IN (2, 4)")
    due_begins = datetime(2017, 7, 30, 23, tzinfo=UTC)  # 30 days of a 60-day term, from 1 July in Lagos
    assert paid == [(2, int(due_begins.timestamp() * 1e6))]


def test_a_bad_current_loan_leaves_observation_when_a_good_one_is_paid(loans: Path) -> None:
    left = rows(loans, "SELECT debt_id, kind, epoch_us(occurred_at) FROM 'debt_events.parquet'")
    (paid,) = rows(loans, "SELECT epoch_us(occurred_at) FROM 'payments.parquet' WHERE debt_id = 2")
    assert left == [(4, "assigned", paid[0])]


def test_closing_is_read_in_lagos_time_and_creation_in_utc(loans: Path) -> None:
    closed = rows(loans, "SELECT epoch_us(occurred_at) FROM 'payments.parquet' WHERE debt_id = 1")
    issued = rows(loans, "SELECT epoch_us(occurred_at) FROM 'debts.parquet' WHERE debt_id = 1")
    assert closed == [(int(datetime(2017, 5, 14, 9, tzinfo=UTC).timestamp() * 1e6),)]
    assert issued == [(int(datetime(2017, 5, 1, 9, tzinfo=UTC).timestamp() * 1e6),)]


INVOICES = """countryCode,customerID,PaperlessDate,invoiceNumber,InvoiceDate,DueDate,InvoiceAmount,Disputed,SettledDate,PaperlessBill,DaysToSettle,DaysLate
391,k1,4/6/2013,0000611365,1/2/2013,2/1/2013,55.94,Yes,2/1/2013,Paper,30,0
"""


@pytest.fixture
def invoices(tmp_path: Path) -> Path:
    (tmp_path / "WA_Fn-UseC_-Accounts-Receivable.csv").write_text(INVOICES)
    written("ibm_invoices", tmp_path, tmp_path / "out")
    return tmp_path / "out"


def test_paperless_is_known_from_its_day_on(invoices: Path) -> None:
    versions = rows(
        invoices, "SELECT bill_format, strftime(recorded_at, '%Y-%m-%d') FROM 'accounts.parquet' ORDER BY 2"
    )
    assert versions == [("paper", "2012-01-01"), ("electronic", "2013-04-06")]


def test_hindsight_without_a_date_is_left_out(invoices: Path) -> None:
    tables = ("accounts", "debts", "payments")
    columns = {name for table in tables for name, *_ in rows(invoices, f"DESCRIBE FROM '{table}.parquet'")}
    assert not columns & {"Disputed", "disputed", "DaysLate", "DaysToSettle", "PaperlessBill"}


def test_a_settlement_is_unseen_on_its_own_day(invoices: Path) -> None:
    tables = read_tables(invoices, attributes={})
    day = 86_400_000_000
    assert (tables.ints("payments", "recorded_at") - tables.ints("payments", "occurred_at")).tolist() == [day]


def test_an_invoice_settled_on_its_due_day_counts_as_paid_within_thirty_days_of_issue(invoices: Path) -> None:
    tables = read_tables(invoices, attributes={})
    taken = tables.ints("payments", "occurred_at") - tables.ints("debts", "occurred_at")
    assert np.array_equal(taken, np.array([30 * 86_400_000_000]))


def by_hand(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of IBM's tables by plain Python, which knows nothing of mappings."""

    def at(text: str) -> datetime:
        return datetime.strptime(text, "%m/%d/%Y").replace(tzinfo=UTC)

    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            account = {"account_id": row["customerID"], "timezone": "Etc/UTC", "country_code": row["countryCode"]}
            yield "accounts", account | {"bill_format": "paper", "recorded_at": datetime(2012, 1, 1, tzinfo=UTC)}
            yield "accounts", account | {"bill_format": "electronic", "recorded_at": at(row["PaperlessDate"])}
            debt = {
                "debt_id": row["invoiceNumber"],
                "account_id": row["customerID"],
                "amount": Decimal(row["InvoiceAmount"]),
            }
            issued, settled = at(row["InvoiceDate"]), at(row["SettledDate"])
            yield "debts", debt | {"due_on": at(row["DueDate"]).date(), "occurred_at": issued, "recorded_at": issued}
            known = {"occurred_at": settled, "recorded_at": settled + timedelta(days=1)}
            yield "payments", {"payment_id": f"payment-{row['invoiceNumber']}"} | debt | known


@pytest.mark.parametrize("table", ["accounts", "debts", "payments"])
def test_the_mapping_makes_of_the_invoices_what_plain_python_makes(tmp_path: Path, table: str) -> None:
    source = source_of("ibm_invoices")
    written("ibm_invoices", source, tmp_path)
    made = by_hand(source / "WA_Fn-UseC_-Accounts-Receivable.csv")
    expected = {tuple(sorted(row.items())) for found, row in made if found == table}
    rows = [tuple(sorted(row.items())) for row in pq.read_table(tmp_path / f"{table}.parquet").to_pylist()]
    assert len(rows) == len(expected)
    assert set(rows) == expected


@pytest.mark.parametrize("name", sorted(FOLDERS))
def test_the_configurations_can_be_loaded(name: str) -> None:
    from decisioning.config import DecisionConfig
    from domain.actions import ActionCatalogue, ActionsConfig
    from training.config import load_training_config

    folder = ROOT / "examples" / "configs" / name
    decision = load_section(folder / "decision.yaml", DecisionConfig)
    catalogue = ActionCatalogue(load_section(folder / "actions.yaml", ActionsConfig))
    load_training_config(folder / "training.yaml")
    assert decision.contact_policy == "open"
    assert set(decision.priors.reach) == set(catalogue.channels)
    assert (folder / "contact_policy" / "open.yaml").is_file()
