"""Data directories as tables, and rows as files: the reading and writing that commands share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from domain.config import load_section
from domain.errors import DataError
from domain.tables import Tables
from features.config import Attribute, FeaturesConfig


def attributes_of(configs: Path) -> Mapping[str, Attribute]:
    """The attributes declared in ``features.yaml``."""
    return load_section(configs / "features.yaml", FeaturesConfig).attributes


def read(data: Path, *, configs: Path) -> Tables:
    """All canonical tables of a directory."""
    from features.tables import read_tables

    return read_tables(data, attributes=attributes_of(configs))


def check_suffix(path: Path) -> None:
    """Refuse an output whose suffix names no format, before any work is done."""
    if path.suffix not in {".parquet", ".csv"}:
        raise DataError(f"found the output {path.name}, needed a name ending in .parquet or .csv")


def account_list(path: Path) -> list[str]:
    """The ``account_id`` column of a CSV or Parquet file, in its order."""
    import duckdb

    if not path.is_file():
        raise DataError(f"found no file {path}, needed a CSV or Parquet with a column account_id")
    reader = "read_parquet" if path.suffix == ".parquet" else "read_csv"
    options = "" if path.suffix == ".parquet" else ", all_varchar = true, header = true"
    with duckdb.connect() as connection:
        try:
            rows = connection.execute(f"SELECT account_id FROM {reader}(?{options})", [str(path)]).fetchall()
        except duckdb.Error as error:
            raise DataError(f"{path.name}: found no column account_id that can be read; give one per row") from error
    return [str(row[0]) for row in rows if row[0] is not None]
