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
from features.reading import LoadedTable, connect, example_ids, load_table
from features.reading_files import find_files
from features.reading_problems import NEVER_EMPTY, NO_ROWS, missing_table, refusal


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
                    raise DataError(f"{spec.name}: {missing_table(spec.name)}; look in {data_dir}")
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


def _refuse_problems(loaded: LoadedTable) -> None:
    refusals = [
        refusal(loaded, problem, count=len(problem.rows), examples=example_ids(loaded, problem.rows))
        for problem in loaded.problems
    ]
    if refusals:
        raise DataError("; ".join(refusals))
    if loaded.spec.name in NEVER_EMPTY and loaded.rows == 0:
        raise DataError(f"{loaded.spec.name}: {NO_ROWS}")
