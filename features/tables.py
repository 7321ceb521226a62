"""Reading a data directory into ``Tables``: Parquet or CSV, one file or a folder of parts per table.

Reading refuses what nothing after it could make sense of: a missing table or column, a wrong type, a time without
offset. What is merely doubtful is the business of ``features.validation``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from domain.errors import DataError
from domain.tables import TABLES, TableData, Tables, TableSpec
from features.config import Attribute
from features.identity import without_repeats
from features.reading import LoadedTable, Problem, connect, example_ids, load_table
from features.reading_files import find_files

NEVER_EMPTY = ("accounts", "debts")
"""Tables without which there is nothing to score; no payments yet, on the contrary, is a fact about a new portfolio."""


def read_tables(data_dir: Path, *, attributes: Mapping[str, Attribute], tables: Sequence[str] | None = None) -> Tables:
    """The canonical tables of a directory, in memory.

    Parameters
    ----------
    data_dir : the directory, holding ``<table>.parquet``, ``<table>.csv`` or a folder ``<table>/`` of parts
    attributes : declared columns of accounts, by name; numeric ones come as float64, categorical ones as ``Coded``
    tables : which tables to read; all that are there where not given

    Returns
    -------
    Columns in the order of the rows in the files, parts in the order of their names, identical rows once. Optional
    columns that the files lack are filled with the contract's defaults or missing values.

    Raises
    ------
    DataError : a compulsory table or column is missing, a file is empty or unreadable, a column has a wrong type, a
        time has no offset, or a compulsory value is missing
    """
    connection = connect()
    columns: dict[str, TableData] = {}
    try:
        for spec in _wanted(tables):
            files = find_files(data_dir, spec.name)
            if files is None:
                if spec.required:
                    raise DataError(missing_table(spec.name, data_dir))
                continue
            loaded = load_table(connection, files, spec=spec, attributes=attributes)
            _refuse_problems(loaded)
            columns[spec.name] = without_repeats(loaded.data, id_column=spec.id_column)
    finally:
        connection.close()
    return Tables(columns)


def _wanted(tables: Sequence[str] | None) -> list[TableSpec]:
    for name in tables or ():
        if name not in TABLES:
            near = get_close_matches(name, TABLES, n=1)
            known = f"did you mean {near[0]!r}?" if near else f"known tables: {', '.join(TABLES)}"
            raise DataError(f"found the table name {name!r}, needed a canonical one; {known}")
    return [spec for spec in TABLES.values() if tables is None or spec.name in tables]


def missing_table(table: str, data_dir: Path) -> str:
    """What to say where a compulsory table is missing."""
    return (
        f"{table}: found no {table}.parquet, {table}.csv or folder {table}/ in {data_dir}, needed one of them; "
        "accounts, debts and payments are compulsory"
    )


def _refuse_problems(loaded: LoadedTable) -> None:
    if loaded.problems:
        raise DataError("; ".join(problem_text(loaded, problem) for problem in loaded.problems))
    if loaded.spec.name in NEVER_EMPTY and loaded.rows == 0:
        raise DataError(empty_table(loaded.spec.name))


def empty_table(table: str) -> str:
    """What to say where a table without which there is nothing to score has no rows."""
    return f"{table}: found no rows, needed at least one; without {table} there is nothing to score"


def problem_text(loaded: LoadedTable, problem: Problem) -> str:
    """A problem in words: table, column, count, three ids, what was needed and the way out; never a value."""
    place = f"{loaded.spec.name}.{problem.column.name}"
    if problem.code == "missing_column":
        near = get_close_matches(problem.column.name, loaded.unknown, n=1, cutoff=0.6)
        only = loaded.unknown[0] if len(loaded.unknown) == 1 and not loaded.given else ""
        way_out = f"is it the column {near[0]!r}?" if near else "add it"
        way_out = "the file is separated by semicolons: write it with commas" if ";" in only else way_out
        return f"{place}: found no such column in {loaded.files.place}, needed it; {way_out}"
    rows = f"{len(problem.rows)} rows" if len(problem.rows) != 1 else "1 row"
    examples = ", ".join(example_ids(loaded, problem.rows))
    return f"{place}: {_found_and_needed(problem, rows)} (for example {examples})"


_NEEDED = {
    "id": "text or whole numbers",
    "text": "text",
    "code": "text",
    "money": "amounts as DECIMAL or DOUBLE, in text with a decimal point and no thousands separator",
    "cost": "numbers, in text with a decimal point and no thousands separator",
    "number": "numbers, in text with a decimal point and no thousands separator",
    "integer": "whole numbers",
    "moment": "times with offset: RFC 3339 in text, TIMESTAMP WITH TIME ZONE in Parquet",
    "day": "dates: YYYY-MM-DD in text, DATE in Parquet",
    "list": "a list of texts, in CSV joined by |",
}


def _found_and_needed(problem: Problem, rows: str) -> str:
    needed = _NEEDED[problem.column.kind]
    if problem.code == "no_offset":
        return f"found times without offset or time zone in {rows}, needed {needed}; say where the clock stood"
    if problem.code == "missing_value":
        return f"found no value (or NaN) in {rows}, needed one in each; fill it or leave the rows out"
    return f"found {problem.found} that cannot be read in {rows}, needed {needed}; convert the column"
