"""Checks of one table by itself, every row of its files: columns, types, compulsory values, repeats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from domain.tables import TableSpec
from features.config import Attribute
from features.findings import Finding, Trouble, finding_at, finding_of
from features.identity import conflicting_rows, repeated_rows
from features.reading import LoadedTable, columns_of, example_ids
from features.reading_problems import NEVER_EMPTY, NO_ROWS, explain

REPEATED = Trouble("note", "repeated_row", "found rows that repeat another in every column; they count once")
CONFLICTING = Trouble(
    "critical",
    "conflicting_identity",
    "found the same id and recorded_at with different content, needed one truth per moment; "
    "give corrections a later recorded_at, or other rows other ids",
)


def findings_of(table: LoadedTable, attributes: Mapping[str, Attribute]) -> list[Finding]:
    """All findings about the structure of a table."""
    return [*findings_by_row(table, attributes), *emptiness(table.spec, table.rows), *_repeats(table)]


def findings_by_row(table: LoadedTable, attributes: Mapping[str, Attribute]) -> list[Finding]:
    """Those that are about its columns, or about rows by themselves: of parts of a table, they add up."""
    return [
        *_problems(table),
        *_unknown_columns(table, attributes),
        *_absent_attributes(table, attributes),
        *_unrecorded(table),
    ]


def _problems(table: LoadedTable) -> Iterator[Finding]:
    """What makes reading refuse: a column that is missing or of the wrong type, a time without offset, a gap."""
    for problem in table.problems:
        examples = example_ids(table, problem.rows)
        text = explain(table, problem)
        name = problem.column.name
        yield Finding("critical", table.spec.name, name, problem.code, len(problem.rows), examples, text)


def _unknown_columns(table: LoadedTable, attributes: Mapping[str, Attribute]) -> Iterator[Finding]:
    known = [column.name for column in columns_of(table.spec, attributes)]
    for name in table.unknown:
        near = get_close_matches(name.lower(), known, n=1, cutoff=0.6)
        way_out = f"is it {near[0]!r}?" if near and near[0] not in table.given else "it is left out"
        if table.spec.name == "accounts" and way_out == "it is left out":
            way_out = "it is left out unless declared under attributes in features.yaml"
        yield Finding("note", table.spec.name, name, "unknown_column", 0, (), f"found an unknown column; {way_out}")


def _absent_attributes(table: LoadedTable, attributes: Mapping[str, Attribute]) -> Iterator[Finding]:
    if table.spec.name == "accounts":
        for name in sorted(attributes.keys() - table.given):
            text = "declared in features.yaml, found in no row; its features stay missing"
            yield Finding("note", "accounts", name, "absent_attribute", 0, (), text)


def emptiness(spec: TableSpec, rows: int) -> Iterator[Finding]:
    """The finding about a table without rows, if it has none."""
    if rows:
        return
    if spec.name in NEVER_EMPTY:
        yield Finding("critical", spec.name, None, "no_rows", 0, (), NO_ROWS)
    elif spec.required:
        text = "found no rows: nobody ever paid, so nothing can be learned; leave it so only for a new portfolio"
        yield Finding("warning", spec.name, None, "no_rows", 0, (), text)
    else:
        text = "found no rows, which says that nothing of the kind happened; remove the file if it is unknown"
        yield Finding("note", spec.name, None, "no_rows", 0, (), text)


def _repeats(table: LoadedTable) -> Iterator[Finding]:
    id_column = table.spec.id_column
    repeated = repeated_rows(table.data, id_column=id_column)
    conflicting = conflicting_rows(table.data, id_column=id_column, apart_from=repeated)
    for trouble, rows in ((REPEATED, repeated), (CONFLICTING, conflicting)):
        yield from finding_of(table, rows, trouble, column=id_column)


def _unrecorded(table: LoadedTable) -> Iterator[Finding]:
    text = (
        "found no recorded_at, so that rows count as known when they happened; what was posted late is then seen too "
        "early in training"
    )
    if table.spec.name == "accounts":
        text = "found no recorded_at, so that attributes count as always known; what changed since leaks into the past"
    yield from finding_at(
        table, table.unrecorded, severity="warning", column="recorded_at", code="missing_recorded_at", text=text
    )
