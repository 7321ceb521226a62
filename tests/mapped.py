"""A mapping of a few columns and the files that it reads, converted: what tests of mappings share."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import yaml

from features.config import Attribute
from features.mapping.converting import convert
from features.mapping.fates import Converted

BASICS: dict[str, Any] = {
    "accounts": [{"source": "s", "columns": {"account_id": "id"}}],
    "debts": [
        {
            "source": "s",
            "columns": {
                "debt_id": "id",
                "account_id": "id",
                "amount": {"constant": 10},
                "due_on": {"constant": "2026-01-10"},
                "occurred_at": {"constant": "2026-01-01T00:00:00Z"},
            },
        }
    ],
    "payments": [
        {
            "source": "s",
            "columns": {
                "payment_id": "id",
                "account_id": "id",
                "amount": {"constant": 10},
                "occurred_at": {"constant": "2026-01-02T00:00:00Z"},
            },
        }
    ],
}


def mapping_of(**columns: Any) -> dict[str, Any]:
    """The least mapping of a source ``s`` with a column ``id``; ``columns`` are rules for payments beside it."""
    payments = BASICS["payments"][0]
    entry = {**payments, "columns": {**payments["columns"], **columns}}
    return {"sources": {"s": {"files": "s.csv"}}, "tables": {**BASICS, "payments": [entry]}}


def write_csv(path: Path, rows: Sequence[Mapping[str, str]], *, delimiter: str = ",", encoding: str = "utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def run(folder: Path, mapping: Mapping[str, Any], *, attributes: Mapping[str, Attribute] | None = None) -> Converted:
    """Write the mapping to the folder and convert into ``folder/out``."""
    path = folder / "mapping.yaml"
    path.write_text(yaml.safe_dump(dict(mapping), allow_unicode=True, sort_keys=False), encoding="utf-8")
    return convert(path, folder / "out", folder=folder, attributes=attributes or {})


def values(folder: Path, column: str, *, table: str = "payments") -> list[Any]:
    """A column of a converted table in the order of its rows; moments in microseconds."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(f"SELECT {column} FROM '{folder}/out/{table}.parquet'").fetchall()
    return [row[0] for row in found]
