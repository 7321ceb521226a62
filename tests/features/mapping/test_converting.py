"""What a mapping makes of one's own tables, and what it refuses to make."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from mapped import BASICS, mapping_of, run, values, write_csv

from domain.errors import DataError
from features.config import Attribute
from features.tables import read_tables

ROWS = [{"id": "a1", "x": "R$ 1.234,56"}, {"id": "a2", "x": "(0,10)"}]
ROOT = Path(__file__).parents[3]
PLAIN = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=12)
"""Without blanks, which are trimmed, and line ends, which not every CSV writer keeps."""


def with_x(tmp_path: Path, *texts: str, **rule: Any) -> list[Any]:
    """Payment amounts or, where the rule says so, other columns, made of a column ``x`` with these texts."""
    write_csv(tmp_path / "s.csv", [{"id": f"a{n}", "x": text} for n, text in enumerate(texts)])
    run(tmp_path, mapping_of(**rule))
    return values(tmp_path, next(iter(rule)))


def test_amounts_become_decimals_of_two_places(tmp_path: Path) -> None:
    found = with_x(tmp_path, "R$ 1.234,56", "(0,10)", amount={"column": "x", "decimal": "comma"})
    assert found == [Decimal("1234.56"), Decimal("-0.10")]


def test_a_sign_can_be_turned(tmp_path: Path) -> None:
    assert with_x(tmp_path, "-12.50", amount={"column": "x", "negate": True}) == [Decimal("12.50")]


def test_texts_are_translated_and_the_others_are_what_otherwise_says(tmp_path: Path) -> None:
    rule = {"column": "x", "values": {"PX": "pix", "n/a": None}, "otherwise": "other"}
    assert with_x(tmp_path, "PX", "n/a", "cash", "", method=rule) == ["pix", None, "other", None]


def test_a_text_that_values_does_not_have_stops_the_conversion_without_being_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"method a text that values does not have in 1, such as 'aaaaa aaaa'") as error:
        with_x(tmp_path, "Maria Lima", method={"column": "x", "values": {"PX": "pix"}})
    assert "Maria" not in str(error.value)


def test_texts_are_put_together_and_lack_a_value_where_a_part_does(tmp_path: Path) -> None:
    rule = {"concat": [{"text": "p-"}, "id", {"text": "/"}, "x"]}
    assert with_x(tmp_path, "1", "", promise_id=rule) == ["p-a0/1", None]


def test_a_hash_of_columns_tells_rows_apart_that_put_together_are_the_same(tmp_path: Path) -> None:
    write_csv(tmp_path / "s.csv", [{"id": "1", "x": "12", "y": "3"}, {"id": "2", "x": "1", "y": "23"}])
    run(tmp_path, mapping_of(promise_id={"hash": ["x", "y"]}))
    assert len(set(values(tmp_path, "promise_id"))) == 2


def test_what_is_not_said_stays_missing(tmp_path: Path) -> None:
    write_csv(tmp_path / "s.csv", ROWS)
    run(tmp_path, mapping_of())
    assert pq.read_schema(tmp_path / "out" / "payments.parquet").names == [
        "payment_id", "account_id", "amount", "occurred_at",
    ]  # fmt: skip


def test_texts_for_no_value_are_no_value(tmp_path: Path) -> None:
    assert with_x(tmp_path, "NULL", " - ", "pix", method={"column": "x", "missing": ["NULL", "-"]}) == [
        None,
        None,
        "pix",
    ]


def test_where_leaves_rows_out_by_text_presence_and_number(tmp_path: Path) -> None:
    write_csv(tmp_path / "s.csv", [{"id": f"a{n}", "x": x} for n, x in enumerate(["1,5", "-2", "", "9"])])
    mapping = mapping_of()
    where = [{"column": "x", "given": True, "above": 0, "decimal": "comma"}, {"column": "id", "is_not": "a3"}]
    mapping["tables"]["payments"][0]["where"] = where
    run(tmp_path, mapping)
    assert values(tmp_path, "payment_id") == ["a0"]


def test_a_number_that_cannot_be_read_is_no_reason_to_pass_over_its_row(tmp_path: Path) -> None:
    write_csv(tmp_path / "s.csv", [{"id": "a1", "x": "1.234,5"}])
    mapping = mapping_of(amount="x")
    mapping["tables"]["payments"][0]["where"] = [{"column": "x", "above": 0}]
    with pytest.raises(DataError, match="amount not written as stated in 1"):
        run(tmp_path, mapping)


def test_several_sources_make_one_table(tmp_path: Path) -> None:
    write_csv(tmp_path / "s.csv", ROWS[:1])
    write_csv(tmp_path / "t.csv", [{"nr": "b1"}], delimiter=";", encoding="latin-1")
    mapping = mapping_of()
    mapping["sources"]["t"] = {"files": "t.csv", "delimiter": ";", "encoding": "latin-1"}
    mapping["tables"]["accounts"] = [*BASICS["accounts"], {"source": "t", "columns": {"account_id": "nr"}}]
    run(tmp_path, mapping)
    assert values(tmp_path, "account_id", table="accounts") == ["a1", "b1"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_files_are_read_in_their_encoding(tmp_path: Path, encoding: str) -> None:
    write_csv(tmp_path / "s.csv", [{"id": "São João", "Nº": "ação"}], encoding=encoding)
    mapping = mapping_of(method="Nº")
    mapping["sources"]["s"]["encoding"] = encoding.removesuffix("-sig")
    run(tmp_path, mapping)
    assert (values(tmp_path, "payment_id"), values(tmp_path, "method")) == (["São João"], ["ação"])


def test_rows_that_are_the_same_in_everything_are_kept_once_and_counted(tmp_path: Path) -> None:
    write_csv(tmp_path / "s.csv", [*ROWS, *ROWS])
    accounts = run(tmp_path, mapping_of()).tables[0]
    assert (accounts.rows, accounts.merged) == (2, 2)


def test_of_rows_that_agree_the_last_by_a_time_is_kept(tmp_path: Path) -> None:
    days = ["02/01/2026", "10/01/2026", "03/01/2026"]
    write_csv(tmp_path / "s.csv", [{"id": "a1", "x": x} for x in days])
    mapping = mapping_of(occurred_at={"column": "x", "format": "%d/%m/%Y", "time_zone": "UTC"})
    mapping["tables"]["payments"][0]["keep"] = {"one_per": "payment_id", "take": "last", "by": "occurred_at"}
    payments = run(tmp_path, mapping).tables[2]
    assert values(tmp_path, "strftime(occurred_at, '%d')") == ["10"]
    assert payments.entries[0].kept == 1


@settings(max_examples=8)
@given(seed=st.integers(0, 2**32))
def test_the_order_of_rows_and_files_changes_nothing(seed: int) -> None:
    rows = [{"id": f"a{n % 7}", "x": f"{n % 5}.50"} for n in range(40)]
    random.Random(seed).shuffle(rows)
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_csv(folder / "s1.csv", rows[:13])
        write_csv(folder / "s2.csv", rows[13:])
        mapping = mapping_of(payment_id={"hash": ["id", "x"]}, amount="x")
        mapping["sources"]["s"]["files"] = "s*.csv"
        run(folder, mapping)
        found = list(zip(values(folder, "payment_id"), values(folder, "amount"), strict=True))
    assert found == sorted(set(found))
    assert len(found) == 35


def test_broken_rows_stop_the_conversion_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"(?s)payments from s: found 1 of 2 rows .* such as '99/99/9999'.*may_leave_out"
    ):
        with_x(tmp_path, "2026-01-01", "31/12/2025", occurred_at={"column": "x", "time_zone": "UTC"})
    assert not (tmp_path / "out").exists()


def test_a_compulsory_value_that_is_not_there_makes_a_row_unusable(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="amount no value, and the column needs one in 1"):
        with_x(tmp_path, "", amount="x")


def test_broken_rows_are_left_out_and_counted_as_far_as_it_is_allowed(tmp_path: Path) -> None:
    write_csv(tmp_path / "s.csv", [{"id": f"a{n}", "x": x} for n, x in enumerate(["1", "2", "3", "four"])])
    mapping = mapping_of(amount="x")
    mapping["tables"]["payments"][0]["may_leave_out"] = 0.25
    payments = run(tmp_path, mapping).tables[2]
    assert values(tmp_path, "amount") == [1, 2, 3]
    assert [(one.column, one.rows, one.shape) for one in payments.entries[0].left_out] == [("amount", 1, "aaaa")]


def test_the_types_of_a_parquet_file_are_taken_as_they_are(tmp_path: Path) -> None:
    columns = {
        "id": pa.array([1, 2]), "amount": pa.array([0.125, 1e6]), "when": pa.array([0, 1], pa.timestamp("ms")),
        "income": pa.array([float("nan"), 3.5]),
    }  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "s.parquet")
    mapping = mapping_of(amount="amount", occurred_at={"column": "when", "time_zone": "America/Sao_Paulo"})
    mapping["sources"]["s"]["files"] = "s.parquet"
    mapping["tables"]["accounts"] = [{"source": "s", "columns": {"account_id": "id", "income": "income"}}]
    attributes = {"income": Attribute(kind="numeric")}
    run(tmp_path, mapping, attributes=attributes)
    assert values(tmp_path, "amount") == [Decimal("0.12"), Decimal("1000000.00")]
    assert values(tmp_path, "epoch_ms(occurred_at)") == [10_800_000, 10_800_001]
    assert values(tmp_path, "income", table="accounts") == [None, 3.5]


def test_what_comes_out_can_be_read_as_canonical_tables(tmp_path: Path) -> None:
    write_csv(tmp_path / "s.csv", ROWS)
    run(tmp_path, mapping_of(amount={"column": "x", "decimal": "comma"}))
    tables = read_tables(tmp_path / "out", attributes={})
    assert tables.ints("payments", "amount").tolist() == [123_456, -10]


@settings(max_examples=20)
@given(names=st.lists(PLAIN, min_size=2, max_size=2, unique_by=str.lower), text=PLAIN, other=PLAIN, part=PLAIN)
def test_names_and_texts_stay_names_and_texts_whatever_they_hold(
    names: list[str], text: str, other: str, part: str
) -> None:
    with TemporaryDirectory() as folder:
        place = Path(folder)
        write_csv(place / "s.csv", [{names[0]: text, names[1]: other}])
        mapping = mapping_of(
            payment_id=names[0], account_id=names[0], method={"constant": part},
            promise_id={"concat": [{"text": part}, names[1]]}, debt_id={"column": names[1], "values": {other: part}},
        )  # fmt: skip
        mapping["tables"]["payments"][0]["where"] = [{"column": names[0], "is": [text], "is_not": [text + part]}]
        mapping["tables"]["accounts"] = [{"source": "s", "columns": {"account_id": names[0]}}]
        mapping["tables"]["debts"][0] = {**BASICS["debts"][0]}
        mapping["tables"]["debts"] = [
            {
                **BASICS["debts"][0],
                "columns": {**BASICS["debts"][0]["columns"], "debt_id": names[0], "account_id": names[0]},
            }
        ]
        run(place, mapping)
        found = [values(place, column)[0] for column in ("payment_id", "method", "promise_id", "debt_id")]
    assert found == [text, part, part + other, part]


@pytest.mark.parametrize(
    "name", ['x"; DROP TABLE accounts; --', "x'); COPY (SELECT 1) TO 'stolen.csv'; --", "x\\", "%s{0}"]
)
def test_a_column_named_like_an_attack_is_a_column(tmp_path: Path, name: str) -> None:
    write_csv(tmp_path / "s.csv", [{"id": "a1", name: "pix"}])
    run(tmp_path, mapping_of(method=name))
    assert values(tmp_path, "method") == ["pix"]


def test_it_is_said_when_rows_are_taken_to_be_known(tmp_path: Path) -> None:
    write_csv(tmp_path / "s.csv", [{"id": "a1", "x": "2026-01-01"}])
    rule = {"column": "x", "format": "%Y-%m-%d", "time_zone": "UTC"}
    notes = run(tmp_path, mapping_of(occurred_at=rule)).notes
    said = [
        "accounts: without recorded_at",
        "debts: without",
        "payments: without",
        "payments from s: days without hours",
    ]
    assert [note.startswith(start) for note, start in zip(notes, said, strict=True)] == [True] * 4


def test_columns_that_nothing_uses_are_named(tmp_path: Path) -> None:
    write_csv(tmp_path / "s.csv", ROWS)
    assert run(tmp_path, mapping_of()).notes[-1] == "s: not used: x"


def test_the_mapping_of_the_documentation_does_what_it_says(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "your_data.md").read_text(encoding="utf-8").partition("```yaml\n")[2].partition("```")[0]
    row = {"CLIENTE": "João", "UF": "SP", "FATURA": "7", "VALOR": "R$ 1.234,56", "VENCIMENTO": "10/02/2026"}
    paid = {"EMISSAO": "01/02/2026", "PAGAMENTO": "12/02/2026", "FORMA": "PX"}
    unpaid = {"EMISSAO": "01/03/2026", "PAGAMENTO": "NULL", "FORMA": "", "FATURA": "8"}
    write_csv(tmp_path / "faturas_1.csv", [row | paid, row | unpaid], delimiter=";", encoding="latin-1")
    run(tmp_path, yaml.safe_load(text))
    columns = "payment_id, account_id, debt_id, amount::VARCHAR, strftime(recorded_at, '%d/%m %H:%M'), method"
    assert values(tmp_path, f"[{columns}]") == [["p-7", "João", "7", "1234.56", "13/02 03:00", "pix"]]
    assert values(tmp_path, "region", table="accounts") == ["BR-SP"]
    assert values(tmp_path, "debt_id", table="debts") == ["7", "8"]
