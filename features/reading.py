"""One canonical table from its files into columns, with a list of what is wrong instead of a refusal.

Reading (which refuses) and validation (which reports) both start here, so that they can never disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest
from types import MappingProxyType
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from domain.clock import MISSING
from domain.coded import Coded
from domain.money import to_cents
from domain.tables import COPIED_DEFAULTS, VALUE_DEFAULTS, Column, ColumnData, TableData, TableSpec
from features.config import Attribute
from features.reading_columns import NO_OFFSET, WRONG, ColumnSql, absent_sql, column_sql, texts_sql
from features.reading_files import Scan, TableFiles, open_scan, unreadable
from features.texts import Texts, coded_from

Rows = npt.NDArray[np.int64]
EXAMPLES = 3
"""Rows that a finding names."""

_DEFAULTS = {place: f'"{other}"' for place, other in COPIED_DEFAULTS.items()} | {
    place: f"'{value}'" if isinstance(value, str) else repr(value) for place, value in VALUE_DEFAULTS.items()
}
_HASHED = {("consents", "consent_id"), ("holds", "hold_id")}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a column: ``missing_column`` (no rows), ``wrong_type``, ``no_offset`` or ``missing_value``."""

    code: str
    column: Column
    rows: Rows
    found: str


@dataclass(frozen=True, slots=True)
class LoadedTable:
    """One table as its files hold it, every row kept.

    ``data`` has every canonical column (and, for accounts, every declared attribute), wrong values as missing ones;
    ``unrecorded`` are the rows whose ``recorded_at`` was filled in; ``given`` are the columns found, ``unknown`` those
    left out. Where it is a piece of a table, ``first_row`` rows come before it.
    """

    spec: TableSpec
    files: TableFiles
    data: TableData
    problems: tuple[Problem, ...]
    given: frozenset[str]
    unknown: tuple[str, ...]
    unrecorded: Rows
    first_row: int = 0

    @property
    def rows(self) -> int:
        """Number of rows in the files."""
        return len(self.data[self.spec.id_column])


def connect() -> Any:
    """A DuckDB connection that never reaches for the network, with strings that may pass 2 GiB per column."""
    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET arrow_large_buffer_size = true")
    # It would be drawn on stdout, where results for machines are. In a notebook without ipywidgets there is none, and
    # DuckDB refuses to be told so.
    ((drawn,),) = connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()
    if drawn:
        connection.execute("SET enable_progress_bar = false")
    return connection


def columns_of(spec: TableSpec, attributes: Mapping[str, Attribute]) -> tuple[Column, ...]:
    """The canonical columns and, for accounts, the declared attributes; a canonical column keeps its own kind."""
    if spec.name != "accounts":
        return spec.columns
    extra = (
        Column(name, "number" if attribute.kind == "numeric" else "text")
        for name, attribute in attributes.items()
        if spec.column(name) is None
    )
    return (*spec.columns, *extra)


@dataclass(frozen=True, slots=True)
class TypedQuery:
    """A table as DuckDB gives it: canonical columns, and ``<name> fault`` beside each of ``faulty``.

    Values are as ``ColumnSql`` says, wrong ones NULL, with the contract's defaults laid over them. ``types`` are those
    of the columns found, ``unknown`` those left out.
    """

    spec: TableSpec
    files: TableFiles
    columns: tuple[Column, ...]
    sql: str
    types: Mapping[str, str]
    faulty: frozenset[str]

    @property
    def given(self) -> frozenset[str]:
        """The canonical columns that the files have."""
        return frozenset(self.types) & {column.name for column in self.columns}

    @property
    def unknown(self) -> tuple[str, ...]:
        """Columns of the files that are left out."""
        return tuple(sorted(set(self.types) - self.given))


def typed_query(
    connection: Any,
    files: TableFiles,
    *,
    spec: TableSpec,
    attributes: Mapping[str, Attribute],
    instead: Mapping[str, str] = MappingProxyType({}),
) -> TypedQuery:
    """How a table is read; nothing is, but what the files say of their columns.

    Parameters
    ----------
    instead : for columns of lists, a text to give in their place: an expression of the table's columns, of which that
        column is a list

    Raises
    ------
    DataError : a file cannot be read at all
    """
    columns = columns_of(spec, attributes)
    scan = open_scan(connection, files)
    parts = {column.name: _sql_of(column, scan) for column in columns}
    given = {name: sql for name, sql in instead.items() if name in scan.types}
    parts |= {name: replace(parts[name], value=texts_sql(name, scan.types[name])) for name in given}
    faulty = frozenset(name for name, part in parts.items() if part.fault)
    return TypedQuery(spec, files, columns, _query(spec, parts, scan, given), scan.types, faulty)


def load_table(
    connection: Any, files: TableFiles, *, spec: TableSpec, attributes: Mapping[str, Attribute]
) -> LoadedTable:
    """Every row of a table's files, converted.

    Raises
    ------
    DataError : a file cannot be read at all
    """
    query = typed_query(connection, files, spec=spec, attributes=attributes)
    try:
        arrow = connection.sql(query.sql).to_arrow_table()
    except duckdb.Error as error:
        raise unreadable(files, error) from error
    # One chunk first: encoding chunk by chunk and unifying afterwards copies the dictionary once per chunk.
    data = {column.name: in_memory(arrow.column(column.name).combine_chunks(), column) for column in query.columns}
    return loaded_from(arrow, data, query=query)


def loaded_from(arrow: Any, data: TableData, *, query: TypedQuery, first_row: int = 0) -> LoadedTable:
    """What the query gave, or a piece of it: ``arrow`` has the faults, ``data`` the values."""
    problems = [problem for column in query.columns for problem in _problems(arrow, column, data=data, query=query)]
    unrecorded = _fill_recorded_at(data)
    return LoadedTable(
        query.spec, query.files, data, tuple(problems), query.given, query.unknown, unrecorded, first_row
    )


def _sql_of(column: Column, scan: Scan) -> ColumnSql:
    if column.name not in scan.types:
        return absent_sql(column.kind)
    return column_sql(column.kind, name=column.name, found=scan.types[column.name], naive=column.name in scan.naive)


def _query(spec: TableSpec, parts: Mapping[str, ColumnSql], scan: Scan, instead: Mapping[str, str]) -> str:
    """Values and faults in one pass over the files, with the contract's defaults laid over the values."""
    inner = [f'{part.value} AS "{name}"' for name, part in parts.items()]
    faults = [f'CAST({part.fault} AS UTINYINT) AS "{name} fault"' for name, part in parts.items() if part.fault]
    outer = [f'{instead.get(name) or _with_default(spec, name)} AS "{name}"' for name in parts]
    kept = [f'"{name} fault"' for name, part in parts.items() if part.fault]
    return f"SELECT {', '.join(outer + kept)} FROM (SELECT {', '.join(inner + faults)} FROM {scan.sql})"


def _with_default(spec: TableSpec, name: str) -> str:
    key = (spec.name, name)
    if key in _HASHED:
        others = (f"coalesce(CAST(\"{c.name}\" AS VARCHAR), '')" for c in spec.columns if c.name != name)
        return f'coalesce("{name}", md5(concat_ws(chr(31), {", ".join(others)})))'
    return f'coalesce("{name}", {_DEFAULTS[key]})' if key in _DEFAULTS else f'"{name}"'


def in_memory(whole: Any, column: Column) -> ColumnData:
    """One Arrow array as numpy or ``Coded``."""
    if column.kind in ("id", "text", "code", "list"):
        return coded_from(whole.dictionary_encode())
    if column.kind in ("money", "cost", "number"):
        floats: npt.NDArray[np.float64] = _filled(whole, float("nan")).astype(np.float64)
        return to_cents(floats) if column.kind == "money" else floats
    integers: npt.NDArray[np.int64] = _filled(whole, MISSING).astype(np.int64)
    return integers


def _filled(values: Any, missing: float) -> npt.NDArray[Any]:
    filled: npt.NDArray[Any] = values.fill_null(missing).to_numpy(zero_copy_only=False)
    return filled


def is_missing(values: ColumnData) -> npt.NDArray[np.bool_]:
    """Which rows of a column hold no value."""
    if isinstance(values, Coded):
        return values.codes < 0
    return np.isnan(values) if values.dtype.kind == "f" else values == MISSING


def _problems(arrow: Any, column: Column, *, data: TableData, query: TypedQuery) -> list[Problem]:
    found = query.types.get(column.name, "nothing")
    if column.name not in query.types:
        none = np.empty(0, dtype=np.int64)
        return [Problem("missing_column", column, none, found)] if column.required else []
    problems = []
    missing = is_missing(data[column.name]) if column.required else None
    name = f"{column.name} fault"
    if column.name in query.faulty:
        faults = arrow.column(name).to_numpy()
        for code, fault in (("wrong_type", WRONG), ("no_offset", NO_OFFSET)):
            if (faults == fault).any():
                problems.append(Problem(code, column, np.flatnonzero(faults == fault), found))
        missing = None if missing is None else missing & (faults == 0)
    if missing is not None and missing.any():
        problems.append(Problem("missing_value", column, np.flatnonzero(missing), found))
    return problems


def _fill_recorded_at(data: TableData) -> Rows:
    """``recorded_at`` is ``occurred_at`` where not given (``decided_at`` for decisions); accounts are always known."""
    recorded = data["recorded_at"]
    assert not isinstance(recorded, Coded)
    rows = np.flatnonzero(recorded == MISSING)
    happened = data.get("occurred_at", data.get("decided_at"))
    if happened is not None and not isinstance(happened, Coded):
        recorded[rows] = happened[rows]
    return rows


def only(table: LoadedTable, rows: Rows) -> LoadedTable:
    """Some of the rows, rising; problems stay those of the files."""
    data = {
        name: values.take(rows) if isinstance(values, Coded) else values[rows] for name, values in table.data.items()
    }
    kept = np.zeros(table.rows, dtype=np.bool_)
    kept[rows] = True
    unrecorded = (np.cumsum(kept) - 1)[table.unrecorded[kept[table.unrecorded]]]
    return replace(table, data=data, unrecorded=unrecorded)


class RowPlace(str):
    """Stands for the id of a row that has none: ``row 7``."""

    __slots__ = ()


def example_ids(table: LoadedTable, rows: Rows) -> tuple[str, ...]:
    """The three smallest ids among some rows; ``row 7`` where no row has an id. Independent of the order of rows."""
    ids = table.data[table.spec.id_column]
    assert isinstance(ids, Coded)
    codes = ids.codes[rows]
    named = smallest(ids.values, codes[codes >= 0])
    return named or tuple(RowPlace(f"row {table.first_row + row + 1}") for row in rows[:EXAMPLES])


def smallest(values: Sequence[str], places: npt.NDArray[np.integer]) -> tuple[str, ...]:
    """The first few texts at some places, each once."""
    if isinstance(values, Texts):
        return values.smallest(places, EXAMPLES)
    return tuple(nsmallest(EXAMPLES, {values[place] for place in places.tolist()}))
