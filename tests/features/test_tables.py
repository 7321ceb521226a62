"""Reading canonical tables from Parquet and CSV."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.clock import MISSING, to_day, to_us
from domain.coded import Coded
from domain.errors import DataError
from domain.tables import Tables
from features.config import Attribute
from features.tables import read_tables

AT = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
ATTRIBUTES = {
    "income": Attribute(kind="numeric"),
    "employment": Attribute(kind="categorical"),
    "birth_year": Attribute(kind="numeric", protected=True),
}
CSV = {
    "accounts": "account_id,region,income,employment,birth_year\na1,BR-SP,1200.5,formal,1980\na2,,,,\n",
    "debts": "debt_id,account_id,amount,due_on,occurred_at\nd1,a1,1500.00,2026-01-10,2025-12-10T09:00:00-03:00\n",
    "payments": "payment_id,account_id,amount,occurred_at\np1,a1,10.5,2026-01-10T12:00:00Z\n",
}


def write(folder: Path, **tables: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (CSV | tables).items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return folder


def read(folder: Path) -> Tables:
    return read_tables(folder, attributes=ATTRIBUTES)


def texts(tables: Tables, table: str, column: str) -> list[str | None]:
    return tables.text(table, column).decode()


def plain(tables: Tables) -> dict[str, dict[str, list[Any]]]:
    """Tables as lists, so that two can be compared whatever their codes; missing numbers as -9.5."""
    return {
        name: {
            column: values.decode() if isinstance(values, Coded) else np.nan_to_num(values, nan=-9.5).tolist()
            for column, values in data.items()
        }
        for name, data in tables.columns.items()
    }


def test_money_is_cents_moments_microseconds_days_days(tmp_path: Path) -> None:
    tables = read(write(tmp_path))
    assert tables.ints("debts", "amount").tolist() == [150_000]
    assert tables.ints("debts", "occurred_at").tolist() == [to_us(datetime(2025, 12, 10, 12, tzinfo=UTC))]
    assert tables.ints("debts", "due_on").tolist() == [to_day(date(2026, 1, 10))]


def test_declared_attributes_are_columns_of_accounts(tmp_path: Path) -> None:
    tables = read(write(tmp_path))
    assert tables.floats("accounts", "income")[0] == 1200.5
    assert np.isnan(tables.floats("accounts", "income")[1])
    assert texts(tables, "accounts", "employment") == ["formal", None]
    assert tables.ints("accounts", "birth_year").tolist() == [1980, MISSING]


def test_optional_columns_are_filled_with_the_defaults_of_the_contract(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        promises="promise_id,account_id,occurred_at\nr1,a1,2026-01-01T00:00:00Z\n",
        holds="account_id,kind,occurred_at\na1,dispute,2026-01-01T00:00:00Z\n",
    )
    tables = read(folder)
    assert texts(tables, "accounts", "debtor_id") == ["a1", "a2"]
    assert texts(tables, "debts", "contract_id") == ["d1"]
    assert tables.floats("debts", "penalty_pct").tolist() == [0.0]
    assert tables.floats("debts", "monthly_interest_pct").tolist() == [0.0]
    assert texts(tables, "promises", "kind") == ["promise"]
    assert texts(tables, "promises", "outcome") == [None]
    assert texts(tables, "holds", "scope") == ["account"]


def test_a_missing_recorded_at_is_when_it_happened_and_never_for_accounts(tmp_path: Path) -> None:
    rows = "p1,a1,1,2026-01-10T12:00:00Z,\np2,a1,1,2026-01-10T12:00:00Z,2026-01-11T12:00:00Z\n"
    tables = read(write(tmp_path, payments=f"payment_id,account_id,amount,occurred_at,recorded_at\n{rows}"))
    day = 86_400_000_000
    assert (tables.ints("payments", "recorded_at") - to_us(AT)).tolist() == [0, day]
    assert tables.ints("accounts", "recorded_at").tolist() == [MISSING, MISSING]


def test_decisions_are_recorded_when_decided(tmp_path: Path) -> None:
    head = "decision_id,account_id,decided_at,channel,offer,moment,action_prob,eligible\n"
    tables = read(write(tmp_path, decisions=f"{head}x,a1,2026-01-10T12:00:00Z,wait,none,any,1.0,wait/none/any\n"))
    assert tables.ints("decisions", "recorded_at").tolist() == [to_us(AT)]


def test_a_consent_without_id_has_one_that_depends_on_its_row_alone(tmp_path: Path) -> None:
    head = "account_id,channel,status,occurred_at\n"
    rows = ["a1,whatsapp,granted,2026-01-01T00:00:00Z\n", "a1,sms,granted,2026-01-01T00:00:00Z\n"]
    one = read(write(tmp_path / "one", consents=head + "".join(rows)))
    other = read(write(tmp_path / "other", consents=head + "".join(reversed(rows))))
    assert texts(one, "consents", "consent_id") == texts(other, "consents", "consent_id")[::-1]
    assert len(set(texts(one, "consents", "consent_id"))) == 2


@pytest.mark.parametrize(
    "cell", ["a/x/any|wait/none/any", '"[""a/x/any"", ""wait/none/any""]"', '"[a/x/any, wait/none/any]"']
)
def test_a_list_in_csv_may_be_joined_by_bars_or_bracketed(tmp_path: Path, cell: str) -> None:
    head = "decision_id,account_id,decided_at,channel,offer,moment,action_prob,eligible\n"
    tables = read(write(tmp_path, decisions=f"{head}x,a1,2026-01-10T12:00:00Z,wait,none,any,1.0,{cell}\n"))
    assert texts(tables, "decisions", "eligible") == ["a/x/any|wait/none/any"]


def test_identical_rows_count_once_and_corrections_stay(tmp_path: Path) -> None:
    head = "payment_id,account_id,amount,occurred_at,recorded_at\n"
    row = "p1,a1,10,2026-01-10T12:00:00Z,2026-01-10T12:00:00Z\n"
    correction = "p1,a1,12,2026-01-10T12:00:00Z,2026-01-12T12:00:00Z\n"
    tables = read(write(tmp_path, payments=head + row + correction + row + row))
    assert tables.ints("payments", "amount").tolist() == [1000, 1200]


def test_rows_that_differ_only_in_a_given_and_a_defaulted_recorded_at_are_one(tmp_path: Path) -> None:
    head = "payment_id,account_id,amount,occurred_at,recorded_at\n"
    rows = "p1,a1,10,2026-01-10T12:00:00Z,\np1,a1,10.00,2026-01-10T09:00:00-03:00,2026-01-10T12:00:00Z\n"
    assert read(write(tmp_path, payments=head + rows)).rows("payments") == 1


def test_an_absent_table_is_absent_and_an_empty_one_is_empty(tmp_path: Path) -> None:
    tables = read(write(tmp_path, contacts="contact_id,account_id,channel,occurred_at\n"))
    assert tables.has("contacts")
    assert tables.rows("contacts") == 0
    assert not tables.has("responses")


def test_no_payments_yet_can_be_read(tmp_path: Path) -> None:
    assert read(write(tmp_path, payments="payment_id,account_id,amount,occurred_at\n")).rows("payments") == 0


def test_unknown_columns_are_left_out(tmp_path: Path) -> None:
    tables = read(write(tmp_path, accounts="account_id,phone\na1,1\n"))
    assert "phone" not in tables.columns["accounts"]


def test_only_the_tables_asked_for_are_read(tmp_path: Path) -> None:
    assert set(read_tables(write(tmp_path), attributes={}, tables=["payments"]).columns) == {"payments"}


def test_parts_of_a_folder_may_order_their_columns_differently(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "payments.csv").unlink()
    (folder / "payments").mkdir()
    (folder / "payments" / "part-0.csv").write_text(CSV["payments"])
    other = "occurred_at,amount,account_id,payment_id,method\n2026-01-10T12:00:00Z,7,a2,p2,pix\n"
    (folder / "payments" / "part-1.csv").write_text(other)
    (folder / "payments" / "_SUCCESS").write_text("")
    tables = read(folder)
    assert texts(tables, "payments", "payment_id") == ["p1", "p2"]
    assert texts(tables, "payments", "method") == [None, "pix"]


cents = st.integers(min_value=-(10**10), max_value=10**10)
moments = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2050, 1, 1))  # noqa: DTZ001  (made aware below)
payment = st.tuples(st.sampled_from("pqrs"), st.sampled_from(["a1", "a2"]), cents, moments, st.none() | moments)


@settings(max_examples=10, deadline=None)
@given(rows=st.lists(payment, min_size=1, max_size=8))
def test_csv_and_parquet_of_the_same_data_give_equal_tables(
    rows: list[tuple[str, str, int, datetime, datetime | None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("both")
    stamp = pa.timestamp("us", "UTC")
    table = pa.table(
        {
            "payment_id": [row[0] for row in rows],
            "account_id": [row[1] for row in rows],
            "amount": pa.array([Decimal(row[2]) / 100 for row in rows], pa.decimal128(18, 2)),
            "occurred_at": pa.array([row[3].replace(tzinfo=UTC) for row in rows], stamp),
            "recorded_at": pa.array([row[4] and row[4].replace(tzinfo=UTC) for row in rows], stamp),
        }
    )
    parquet, csv = write(folder / "parquet"), write(folder / "csv")
    (parquet / "payments.csv").unlink()
    pq.write_table(table, parquet / "payments.parquet")
    pacsv.write_csv(table, csv / "payments.csv")
    assert plain(read(parquet)) == plain(read(csv))


@pytest.mark.parametrize(
    ("kind", "amounts"),
    [("double", [1.005, 0.125, 2.675]), ("decimal", [Decimal("1.005"), Decimal("0.125"), Decimal("2.675")])],
)
def test_amounts_are_rounded_half_to_even_from_any_type(tmp_path: Path, kind: str, amounts: list[Any]) -> None:
    folder = write(tmp_path)
    (folder / "payments.csv").unlink()
    table = pa.table(
        {
            "payment_id": pa.array([1, 2, 3]),
            "account_id": ["a1"] * 3,
            "amount": pa.array(amounts, pa.float64() if kind == "double" else pa.decimal128(10, 3)),
            "occurred_at": pa.array([AT] * 3, pa.timestamp("ns", "America/Sao_Paulo")),
        }
    )
    pq.write_table(table, folder / "payments.parquet")
    tables = read(folder)
    assert tables.ints("payments", "amount").tolist() == [100, 12, 268]
    assert tables.ints("payments", "occurred_at").tolist() == [to_us(AT)] * 3
    assert texts(tables, "payments", "payment_id") == ["1", "2", "3"]


def test_a_date_written_by_a_dataframe_library_is_a_day(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "debts.csv").unlink()
    midnight = pa.array([datetime(2026, 1, 10)], pa.timestamp("ns"))  # noqa: DTZ001  (naive on purpose)
    at = pa.array([AT], pa.timestamp("us", "UTC"))
    table = {"debt_id": ["d1"], "account_id": ["a1"], "amount": [5], "due_on": midnight, "occurred_at": at}
    pq.write_table(pa.table(table), folder / "debts.parquet")
    assert read(folder).ints("debts", "due_on").tolist() == [to_day(date(2026, 1, 10))]


HEAD = "payment_id,account_id,amount,occurred_at\n"
AT_TEXT = "2026-01-10T12:00:00Z"


@pytest.mark.parametrize(
    ("table", "text", "message"),
    [
        ("payments", f"{HEAD}p1,a1,ten,{AT_TEXT}\n", r"payments\.amount: found VARCHAR .* \(1 row, for example p1"),
        ("payments", f'{HEAD}p1,a1,"1.234,56",{AT_TEXT}\n', r"payments\.amount.*decimal point"),
        ("payments", f"{HEAD}p1,a1,inf,{AT_TEXT}\n", r"payments\.amount: found VARCHAR"),
        ("payments", f"{HEAD}p1,a1,NaN,{AT_TEXT}\n", r"payments\.amount: found no value \(or NaN\), needed.*\(1 row"),
        ("payments", f"{HEAD}p1,a1,,{AT_TEXT}\n", r"payments\.amount: found no value"),
        ("payments", f"{HEAD}p1,,1,{AT_TEXT}\n", r"payments\.account_id: found no value.*example p1"),
        ("payments", f"{HEAD},a1,1,{AT_TEXT}\n", r"payments\.payment_id: found no value.*row 1"),
        ("payments", f"{HEAD}p1,a1,1,2026-01-10T12:00:00\n", r"payments\.occurred_at: found times without offset.*p1"),
        ("payments", f"{HEAD}p1,a1,1,2026-01-10\n", r"payments\.occurred_at: found times without offset"),
        ("payments", f"{HEAD}p1,a1,1,2026-13-10T12:00:00Z\n", r"payments\.occurred_at: found VARCHAR"),
        ("payments", f"payment_id,account_id,occurred_at\np1,a1,{AT_TEXT}\n", "amount: found no such column"),
        ("payments", f"payment_id,account_id,amuont,occurred_at\np1,a1,1,{AT_TEXT}\n", r"is it the column 'amuont'"),
        ("payments", f"payment_id;account_id;amount;occurred_at\np1;a1;1;{AT_TEXT}\n", "separated by semicolons"),
        ("payments", f"{HEAD}p1,a1,1\n", r"payments\.csv, line 2 unreadable \(the row has another"),
        ("payments", "", r"payments: found the empty file payments\.csv"),
        ("payments", "\n", r"payments: found no header in payments\.csv"),
        ("payments", f"payment_id,account_id,amount,Amount,occurred_at\np,a,1,1,{AT_TEXT}\n", "'amount'.* twice"),
        ("debts", "debt_id,account_id,amount,due_on,occurred_at\n", "debts: found no rows"),
        ("debts", f"debt_id,account_id,amount,due_on,occurred_at\nd,a1,1,10/01/2026,{AT_TEXT}\n", r"due_on.*YYYY"),
        ("promises", f"promise_id,account_id,instalments,occurred_at\nr,a1,2.5,{AT_TEXT}\n", "instalments.*whole"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_refused_by_name(tmp_path: Path, table: str, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(write(tmp_path, **{table: text}))


def test_a_refusal_never_tells_the_value(tmp_path: Path) -> None:
    with pytest.raises(DataError) as refusal:
        read(write(tmp_path, payments=f"{HEAD}p1,a1,secret-7,{AT_TEXT},x\n"))
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("table", ["accounts", "debts", "payments"])
def test_a_missing_compulsory_table_is_refused(tmp_path: Path, table: str) -> None:
    folder = write(tmp_path)
    (folder / f"{table}.csv").unlink()
    with pytest.raises(DataError, match=f"{table}: found no {table}.parquet"):
        read(folder)


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such directory"):
        read(tmp_path / "nowhere")


def test_a_table_that_lies_there_twice_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "payments").mkdir()
    with pytest.raises(DataError, match=r"payments: found payments\.csv and payments, needed one of them"):
        read(folder)


@pytest.mark.parametrize(("parts", "message"), [([], "no part files"), (["a.csv", "b.parquet"], "together")])
def test_a_folder_without_parts_or_with_two_formats_is_refused(tmp_path: Path, parts: list[str], message: str) -> None:
    folder = write(tmp_path)
    (folder / "contacts").mkdir()
    for part in parts:
        (folder / "contacts" / part).write_text("x")
    with pytest.raises(DataError, match=message):
        read(folder)


def test_a_file_that_is_no_parquet_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "contacts.parquet").write_text("contact_id,account_id,channel\n" * 9)
    with pytest.raises(DataError, match="it is no Parquet file"):
        read(folder)


def _parquet_payments(folder: Path, *zones: str | None) -> Path:
    (folder / "payments.csv").unlink()
    (folder / "payments").mkdir()
    for index, zone in enumerate(zones):
        at = pa.array([AT.replace(tzinfo=None)], pa.timestamp("us", zone))
        table = {"payment_id": [f"p{index}"], "account_id": ["a1"], "amount": [1.0], "occurred_at": at}
        pq.write_table(pa.table(table), folder / "payments" / f"part-{index}.parquet")
    return folder


@pytest.mark.parametrize("zones", [[None], ["UTC", None]])
def test_a_parquet_time_without_zone_is_refused_even_in_one_part_of_many(
    tmp_path: Path, zones: list[str | None]
) -> None:
    with pytest.raises(DataError, match=r"payments\.occurred_at: found times without offset or time zone.*p0"):
        read(_parquet_payments(write(tmp_path), *zones))


def test_ids_written_as_fractions_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path)
    (folder / "accounts.csv").unlink()
    pq.write_table(pa.table({"account_id": [1.0, 2.0]}), folder / "accounts.parquet")
    with pytest.raises(DataError, match=r"accounts\.account_id: found DOUBLE.*text or whole numbers"):
        read(folder)


def test_an_unknown_table_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="did you mean 'payments'"):
        read_tables(write(tmp_path), attributes={}, tables=["payment"])
