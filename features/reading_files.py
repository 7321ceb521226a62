"""Where each canonical table lies in a data directory, and how DuckDB scans it: one file, or a folder of parts."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

import duckdb
from pyarrow import ArrowInvalid
from pyarrow.parquet import read_metadata

from domain.errors import DataError
from domain.tables import TABLES
from features.quoting import text_sql

SUFFIXES = (".parquet", ".csv")
_BYTES_PER_CSV_ROW = 80
_BYTES_OF_MOMENT = len("2026-03-02T12:00Z")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written, where it is not as canonical ones are; the encoding is one that DuckDB knows."""

    delimiter: str = ","
    encoding: str = "utf-8"

    @property
    def words(self) -> str:
        """What was needed, in an error."""
        if self == Dialect():
            return "comma-separated UTF-8 text with a header (RFC 4180)"
        return f"text in {self.encoding} with a header, its columns separated by {self.delimiter!r}"


@dataclass(frozen=True, slots=True)
class TableFiles:
    """The file or part files of one table, all of one format, in the order of their names."""

    table: str
    format: Literal["parquet", "csv"]
    paths: tuple[Path, ...]
    place: str
    dialect: Dialect = Dialect()


@dataclass(frozen=True, slots=True)
class Scan:
    """A table as DuckDB reads it: the FROM clause, the type of each column, and which times carry no zone."""

    sql: str
    types: dict[str, str]
    naive: frozenset[str]


def find_files(data_dir: Path, table: str) -> TableFiles | None:
    """The files of one table, or ``None`` where the directory has none.

    Raises
    ------
    DataError : the directory does not exist, the table lies there twice, or its folder is empty or mixes formats
    """
    if not data_dir.is_dir():
        raise DataError(f"{data_dir}: found no such directory, needed one with the canonical tables; check --data")
    places = [data_dir / f"{table}{suffix}" for suffix in SUFFIXES] + [data_dir / table]
    found = [place for place in places if place.is_file() or (place.suffix == "" and place.is_dir())]
    if not found:
        return None
    if len(found) > 1:
        names = " and ".join(place.name for place in found)
        raise DataError(f"{table}: found {names}, needed one of them; move the others out of {data_dir}")
    paths = _parts(found[0]) if found[0].is_dir() else (found[0],)
    return TableFiles(table, _format_of(table, paths), paths, found[0].name)


def _parts(folder: Path) -> tuple[Path, ...]:
    """Part files below a folder; names starting with ``_`` or ``.`` are what writers leave beside the data."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(("_", ".")))
    return tuple(sorted(path for path in files if path.suffix in SUFFIXES))


def _format_of(table: str, paths: Sequence[Path]) -> Literal["parquet", "csv"]:
    suffixes = {path.suffix for path in paths}
    if not suffixes:
        raise DataError(f"{table}/: found no part files, needed .parquet or .csv; fill the folder or remove it")
    if len(suffixes) > 1:
        raise DataError(
            f"{table}/: found Parquet and CSV parts together, needed one format; convert or remove one kind"
        )
    return "parquet" if suffixes == {".parquet"} else "csv"


def estimated_rows(data_dir: Path) -> int:
    """About how many rows all tables have together, without reading them: Parquet says, CSV is judged by its size.

    Raises
    ------
    DataError : as ``find_files``
    """
    found = (find_files(data_dir, table) for table in TABLES)
    return sum(_rows_told(files, csv_row=_BYTES_PER_CSV_ROW) for files in found if files)


def most_rows(tables: Iterable[TableFiles]) -> int:
    """A number of rows with a moment that these tables have not more of, without reading them."""
    return sum(_rows_told(files, csv_row=_BYTES_OF_MOMENT) for files in tables)


def _rows_told(files: TableFiles, *, csv_row: int) -> int:
    """Rows as Parquet tells them, and as the size of CSV does at so many bytes each."""
    rows = 0
    for path in files.paths:
        if path.suffix == ".csv":
            rows += path.stat().st_size // csv_row
        else:
            # A damaged file is told by whoever reads it, and has no rows for anybody.
            with suppress(ArrowInvalid, OSError):
                rows += read_metadata(path).num_rows
    return rows


def stray_files(data_dir: Path) -> list[tuple[str, str | None]]:
    """Names in the directory that are no table but look like one, each with the nearest table name."""
    strays = []
    for path in sorted(data_dir.iterdir()):
        name = path.stem if path.suffix in SUFFIXES else path.name
        near = get_close_matches(name, TABLES, n=1, cutoff=0.75)
        if name not in TABLES and (path.suffix in SUFFIXES or (path.is_dir() and near)):
            strays.append((path.name, near[0] if near else None))
    return strays


def open_scan(connection: Any, files: TableFiles) -> Scan:
    """How to read the files of a table.

    Raises
    ------
    DataError : a file is empty, damaged, or not what its suffix says
    """
    for path in files.paths:
        if path.stat().st_size == 0:
            raise DataError(
                f"{files.table}: found the empty file {path.name}, needed columns; write it again or remove it"
            )
    try:
        return _scan_parquet(connection, files) if files.format == "parquet" else _scan_csv(files)
    except (duckdb.Error, OSError, UnicodeDecodeError, csv.Error) as error:
        raise unreadable(files, error) from error


def unreadable(files: TableFiles, error: Exception) -> DataError:
    """What DuckDB said, without the line it quotes: that line may hold values of people."""
    text = str(error)
    line = re.search(r"CSV Error on Line: (\d+)", text)
    reasons = {
        r"Expected Number of Columns: \d+ Found: \d+": "the row has another number of columns than the header",
        r"unicode|codec": f"the text is not {files.dialect.encoding.upper()}",
        r"unterminated quote": "a quoted value does not end",
        r"state machine": "line ends or quotes are mixed",
        r"too small|No magic bytes|magic bytes": "it is no Parquet file",
        r"[Mm]emory": "it does not fit into memory",
    }
    reason = next((words for pattern, words in reasons.items() if re.search(pattern, text)), type(error).__name__)
    where = f", line {line.group(1)}" if line else ""
    needed = "Parquet" if files.format == "parquet" else files.dialect.words
    return DataError(
        f"{files.table}: found {files.place}{where} unreadable ({reason}), needed {needed}; write it again"
    )


def _scan_parquet(connection: Any, files: TableFiles) -> Scan:
    paths = _sql_list(files.paths)
    sql = f"read_parquet({paths}, union_by_name=true, hive_partitioning=false)"
    described = connection.execute(f"DESCRIBE SELECT * FROM {sql}").fetchall()
    # Parts are unified before we see them, and a time without zone beside one with a zone would become UTC unsaid.
    schema = connection.execute(f"SELECT name, logical_type, type FROM parquet_schema({paths})").fetchall()
    naive = {name for name, logical, physical in schema if "isAdjustedToUTC=0" in str(logical) or physical == "INT96"}
    return Scan(sql, {row[0]: row[1] for row in described}, frozenset(naive))


def _scan_csv(files: TableFiles) -> Scan:
    """CSV as text, one call per header: DuckDB's own detection may take a ragged first row for the header."""
    by_header: dict[tuple[str, ...], list[Path]] = {}
    for path in files.paths:
        by_header.setdefault(_header(files, path), []).append(path)
    calls = [_csv_call(header, paths, files.dialect) for header, paths in by_header.items()]
    types = {name: "VARCHAR" for header in by_header for name in header}
    sql = calls[0] if len(calls) == 1 else "(" + " UNION ALL BY NAME ".join(f"SELECT * FROM {c}" for c in calls) + ")"
    return Scan(sql, types, frozenset())


def _header(files: TableFiles, path: Path) -> tuple[str, ...]:
    table, dialect = files.table, files.dialect
    encoding = "utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding
    with path.open(encoding=encoding, newline="") as lines:
        header = tuple(next(csv.reader(lines, delimiter=dialect.delimiter), ()))
    if not any(header):
        raise DataError(f"{table}: found no header in {path.name}, needed the names of the columns in its first line")
    lowered = [name.lower() for name in header]
    twice = sorted({name for name in lowered if lowered.count(name) > 1})
    if twice:
        raise DataError(
            f"{table}: found the columns {twice} twice in {path.name}, needed each once; rename or drop one"
        )
    return header


def _csv_call(header: Sequence[str], paths: Sequence[Path], dialect: Dialect) -> str:
    columns = ", ".join(f"{text_sql(name)}: 'VARCHAR'" for name in header)
    written = f"delim={text_sql(dialect.delimiter)}, encoding={text_sql(dialect.encoding)}, quote='\"', escape='\"'"
    return f"read_csv({_sql_list(paths)}, auto_detect=false, header=true, {written}, nullstr='', columns={{{columns}}})"


def _sql_list(paths: Sequence[Path]) -> str:
    return "[" + ", ".join(text_sql(str(path)) for path in paths) + "]"
