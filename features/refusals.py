"""What reading refuses, counted by DuckDB over a table of any size: the same messages as reading it into memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np

from domain.errors import DataError
from domain.tables import Column
from features.reading import Problem, TypedQuery
from features.reading_columns import FINE, NO_OFFSET, WRONG
from features.reading_files import unreadable
from features.reading_problems import NEVER_EMPTY, NO_ROWS, refusal

_NO_ROWS = np.empty(0, dtype=np.int64)


def refuse_unusable(connection: Any, query: TypedQuery) -> int:
    """Scans a table once; the number of its rows.

    Raises
    ------
    DataError : as ``features.tables.read_tables`` refuses it, in the same words
    """
    possible = list(_possible(query))
    counts = [f"count(CASE WHEN {condition} THEN 1 END)" for _, condition in possible]
    try:
        rows, *found = connection.execute(f"SELECT {', '.join(['count(*)', *counts])} FROM ({query.sql})").fetchall()[0]
        refusals = [
            refusal(query, problem, count=count, examples=_examples(connection, query, condition) if count else ())
            for (problem, condition), count in zip(possible, found, strict=True)
            if count or problem.code == "missing_column"
        ]
    except duckdb.Error as error:
        raise unreadable(query.files, error) from error
    if refusals:
        raise DataError("; ".join(refusals))
    if query.spec.name in NEVER_EMPTY and rows == 0:
        raise DataError(f"{query.spec.name}: {NO_ROWS}")
    return int(rows)


def _possible(query: TypedQuery) -> Iterator[tuple[Problem, str]]:
    """What can be wrong with the columns, in their order, each with the condition on a row."""
    for column in query.columns:
        if column.name not in query.types:
            if column.required:
                yield Problem("missing_column", column, _NO_ROWS, "nothing"), "false"
            continue
        for code, condition in _conditions(column, faulty=column.name in query.faulty).items():
            yield Problem(code, column, _NO_ROWS, query.types[column.name]), condition


def _conditions(column: Column, *, faulty: bool) -> dict[str, str]:
    quoted, fault = f'"{column.name}"', f'"{column.name} fault"'
    conditions = {"wrong_type": f"{fault} = {WRONG}", "no_offset": f"{fault} = {NO_OFFSET}"} if faulty else {}
    if column.required:
        nan = f" OR isnan({quoted})" if column.kind in ("money", "cost", "number") else ""
        conditions["missing_value"] = f"({quoted} IS NULL{nan})" + (f" AND {fault} = {FINE}" if faulty else "")
    return conditions


def _examples(connection: Any, query: TypedQuery, condition: str) -> tuple[str, ...]:
    """The three smallest ids among the rows, as ``features.reading.example_ids`` gives them."""
    name = f'"{query.spec.id_column}"'
    named = f"SELECT DISTINCT {name} FROM ({query.sql}) WHERE {condition} AND {name} IS NOT NULL ORDER BY 1 LIMIT 3"
    ids = tuple(str(row[0]) for row in connection.execute(named).fetchall())
    if ids:
        return ids
    numbered = f"SELECT row_number() OVER () AS place, * FROM ({query.sql})"
    places = connection.execute(f"SELECT place FROM ({numbered}) WHERE {condition} ORDER BY 1 LIMIT 3").fetchall()
    return tuple(f"row {place}" for (place,) in places)
