"""What is wrong with a mapping is told with its line, what was found, what was needed, and the way out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mapped import BASICS, mapping_of, run, write_csv

from domain.errors import AcertoError, ConfigError, DataError


def refusal(tmp_path: Path, mapping: dict[str, Any], *, kind: type[AcertoError] = ConfigError) -> str:
    if not (tmp_path / "s.csv").exists():
        write_csv(tmp_path / "s.csv", [{"id": "a1", "Valor": "1,50"}])
    with pytest.raises(kind) as error:
        run(tmp_path, mapping)
    return str(error.value)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"method": "valr"}, r"found no column 'valr' in s, needed one of its header; did you mean 'Valor'?"),
        ({"metod": "id"}, "found the column 'metod', needed one of payments; did you mean 'method'?"),
        ({"method": {"column": "id", "formt": "%d"}}, "unknown key; did you mean 'format'?"),
        ({"method": {"column": "id", "decimal": "comma"}}, "found decimal, which is for columns of money and cost"),
        ({"amount": {"column": "id", "format": "%d"}}, "found format, which is for columns of moment and day"),
        ({"occurred_at": {"column": "id", "format": "%Q", "time_zone": "UTC"}}, "found the format '%Q', needed one of"),
        ({"occurred_at": {"column": "id", "format": ["%Y", "%Y%z"]}}, "found formats with and without offset (%z)"),
        ({"occurred_at": {"column": "id", "format": "%d/%m/%Y"}}, "found a time without offset, needed to know whose"),
        ({"occurred_at": {"column": "id", "time_zone": "Sao_Paulo"}}, "needed an IANA time zone such as"),
        ({"method": {"column": "id", "constant": "x"}}, "found column and constant, needed one of"),
        ({"method": {"decimal": "comma"}}, "found none, needed one of column, constant, concat and hash"),
        ({"method": {"column": "id", "otherwise": "x"}}, "found otherwise without values"),
        ({"method": {"column": "id", "values": {True: "x"}}}, "put it in quotes"),
        ({"method": ["id"]}, "needed the name of a column, or a mapping such as"),
    ],
)
def test_a_wrong_rule_says_what_is_wrong_with_it(tmp_path: Path, rule: dict[str, Any], said: str) -> None:
    assert said in refusal(tmp_path, mapping_of(**rule))


def test_every_problem_is_told_at_once_and_with_its_line(tmp_path: Path) -> None:
    told = refusal(tmp_path, mapping_of(method="nothing", promise_id="nobody"))
    lines = (tmp_path / "mapping.yaml").read_text(encoding="utf-8").splitlines()
    for name in ("method", "promise_id"):
        number = next(n for n, line in enumerate(lines, 1) if name in line)
        assert f"line {number}: tables.payments.0.columns.{name}: found no column" in told


def test_a_code_outside_the_vocabulary_is_refused(tmp_path: Path) -> None:
    mapping = mapping_of()
    columns = {"account_id": "id", "kind": {"constant": "disput"}, "occurred_at": {"constant": "2026-01-01T00:00:00Z"}}
    mapping["tables"]["holds"] = [{"source": "s", "columns": columns}]
    assert "found the code 'disput', needed one of kind; did you mean 'dispute'?" in refusal(tmp_path, mapping)


def test_a_compulsory_column_that_is_not_mapped_is_named(tmp_path: Path) -> None:
    mapping = mapping_of()
    mapping["tables"]["accounts"] = [{"source": "s", "columns": {"debtor_id": "id"}}]
    assert "tables.accounts.0.columns: found no account_id, needed it in every row" in refusal(tmp_path, mapping)


@pytest.mark.parametrize("table", sorted(BASICS))
def test_a_compulsory_table_that_is_not_mapped_is_named(tmp_path: Path, table: str) -> None:
    mapping = mapping_of()
    mapping["tables"] = {name: entries for name, entries in mapping["tables"].items() if name != table}
    assert f"found no {table}, needed accounts, debts and payments" in refusal(tmp_path, mapping)


def test_a_table_that_does_not_exist_is_refused_with_the_nearest(tmp_path: Path) -> None:
    mapping = mapping_of()
    mapping["tables"] = {**mapping["tables"], "payment": []}
    assert "found the table 'payment', needed a canonical one; did you mean 'payments'?" in refusal(tmp_path, mapping)


def test_a_source_that_does_not_exist_is_refused_with_the_nearest(tmp_path: Path) -> None:
    mapping = mapping_of()
    mapping["sources"]["invoices"] = {"files": "s.csv"}
    mapping["tables"]["accounts"] = [{"source": "invoice", "columns": {"account_id": "id"}}]
    assert "found the source 'invoice', needed one of sources; did you mean 'invoices'?" in refusal(tmp_path, mapping)


def test_a_source_without_files_is_refused(tmp_path: Path) -> None:
    mapping = mapping_of()
    mapping["sources"]["s"]["files"] = "none*.csv"
    told = refusal(tmp_path, mapping)
    assert f"sources.s: found no file none*.csv in {tmp_path}, needed one; mend files, or give --source DIR" in told


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    (tmp_path / "s.xlsx").write_bytes(b"x")
    mapping = mapping_of()
    mapping["sources"]["s"]["files"] = "s.*"
    assert "found files that end in .csv, .xlsx, needed one of .parquet, .csv" in refusal(tmp_path, mapping)


def test_a_table_that_is_no_list_is_refused(tmp_path: Path) -> None:
    mapping = mapping_of()
    mapping["tables"] = {**mapping["tables"], "accounts": BASICS["accounts"][0]}
    assert "found accounts without a dash before source, needed a list" in refusal(tmp_path, mapping)


def test_an_undeclared_attribute_says_where_to_declare_it(tmp_path: Path) -> None:
    mapping = mapping_of()
    mapping["tables"]["accounts"] = [{"source": "s", "columns": {"account_id": "id", "rating": "Valor"}}]
    assert "declared under attributes in features.yaml" in refusal(tmp_path, mapping)


def test_keep_names_mapped_columns(tmp_path: Path) -> None:
    mapping = mapping_of()
    mapping["tables"]["payments"][0]["keep"] = {"one_per": "payment_id", "take": "last", "by": "recorded_at"}
    assert "found 'recorded_at', needed a canonical column that is mapped here" in refusal(tmp_path, mapping)


def test_ids_that_are_fractions_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1.5]}), tmp_path / "s.parquet")
    mapping = mapping_of()
    mapping["sources"]["s"]["files"] = "s.parquet"
    assert "found DOUBLE, needed text or whole numbers" in refusal(tmp_path, mapping)


def test_a_damaged_file_is_named_and_no_line_of_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("id,Valor\na1,1,Maria\n", encoding="utf-8")
    told = refusal(tmp_path, mapping_of(), kind=DataError)
    assert "s: found s.csv, line 2 unreadable" in told
    assert "Maria" not in told


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "s.csv", [{"id": "São"}], encoding="latin-1")
    assert "the text is not UTF-8" in refusal(tmp_path, mapping_of(), kind=DataError)
