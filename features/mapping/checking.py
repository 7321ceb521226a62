"""What a mapping says of tables and sources, held against the tables and the sources: every problem, with its line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import duckdb

from domain.config import Place
from domain.tables import TABLES, Column, TableSpec
from features.config import Attribute
from features.mapping.rules import Entry, MappingConfig, Rule
from features.mapping.times import has_offset
from features.mapping.values import NUMBERS, TIMES, Target, lacks_zone, misfit
from features.quoting import text_sql
from features.reading import columns_of
from features.reading_files import Scan

Problem = tuple[Place, str]
"""Where in the file, and what was found, what was needed, and the way out."""
_MODIFIERS = {"format": TIMES, "time_zone": TIMES, "plus_days": TIMES, "decimal": NUMBERS, "negate": NUMBERS}


def nearest(name: str, known: Collection[str]) -> str:
    """The way out of a wrong name: the nearest right one, or all of them."""
    near = get_close_matches(name.lower(), {one.lower(): one for one in known}, n=1, cutoff=0.6)
    right = next((one for one in known if near and one.lower() == near[0]), None)
    return f"did you mean {right!r}?" if right else f"there are: {', '.join(map(repr, known)) or 'none'}"


def table_problems(mapping: MappingConfig) -> Iterator[Problem]:
    """Tables that do not exist, and compulsory ones that are not mapped."""
    for name, entries in mapping.tables.items():
        if name not in TABLES:
            yield ("tables", name), f"found the table {name!r}, needed a canonical one; {nearest(name, TABLES)}"
        elif not entries:
            yield ("tables", name), f"found {name} without a source, needed one at least; take it out, or say it"
    for name, spec in TABLES.items():
        if spec.required and name not in mapping.tables:
            yield ("tables",), f"found no {name}, needed accounts, debts and payments; say where {name} come from"


def entry_problems(
    place: Place, spec: TableSpec, entry: Entry, attributes: Mapping[str, Attribute]
) -> Iterator[Problem]:
    """Columns that the table has not, or needs and does not get."""
    columns = {column.name: column for column in columns_of(spec, attributes)}
    for name in entry.columns:
        if name not in columns:
            own = " (a column of your own is declared under attributes in features.yaml)"
            yield (
                (*place, "columns", name),
                f"found the column {name!r}, needed one of {spec.name}{own if spec.name == 'accounts' else ''}; "
                f"{nearest(name, columns)}",
            )
    for column in columns.values():
        if column.required and column.name not in entry.columns:
            yield (
                (*place, "columns"),
                f"found no {column.name}, needed it in every row of {spec.name}; say where it comes from",
            )
    if entry.keep is not None:
        for name in (*entry.keep.one_per, entry.keep.by):
            if name not in entry.columns:
                way_out = nearest(name, entry.columns)
                yield (*place, "keep"), f"found {name!r}, needed a canonical column that is mapped here; {way_out}"


def source_problems(place: Place, entry: Entry, scan: Scan) -> Iterator[Problem]:
    """Columns that are not in the source."""
    read = [((*place, "columns", name), column) for name, rule in entry.columns.items() for column in rule.columns]
    read += [((*place, "where", number), condition.column) for number, condition in enumerate(entry.where)]
    for where, column in read:
        if column not in scan.types:
            way_out = nearest(column, scan.types)
            yield where, f"found no column {column!r} in {entry.source}, needed one of its header; {way_out}"


def target_problems(place: Place, target: Target, scan: Scan, connection: Any) -> Iterator[Problem]:
    """Rules that do not fit the kind of their column, its vocabulary, or what the source holds."""
    yield from ((place, text) for text in _modifier_problems(target.column, target.rule))
    yield from ((place, text) for text in _format_problems(target.rule, connection))
    yield from ((place, text) for text in _code_problems(target.column, target.rule))
    wrong = misfit(target, scan)
    if wrong is not None:
        yield place, wrong
    elif lacks_zone(target, scan):
        yield (
            place,
            "found a time without offset, needed to know whose clock it is; say time_zone: here, for the source, "
            "or for the whole mapping",
        )


def _modifier_problems(column: Column, rule: Rule) -> Iterator[str]:
    for modifier, kinds in _MODIFIERS.items():
        if modifier in rule.model_fields_set and column.kind not in kinds:
            yield f"found {modifier}, which is for columns of {' and '.join(kinds)}; {column.name} is {column.kind}"


def _format_problems(rule: Rule, connection: Any) -> Iterator[str]:
    for format_ in rule.format:
        try:
            connection.execute(f"SELECT try_strptime('', {text_sql(format_)})")
        except duckdb.Error:
            yield f"found the format {format_!r}, needed one of strptime, such as %d/%m/%Y or %Y-%m-%d %H:%M:%S"
            return
    if len({has_offset(format_) for format_ in rule.format}) > 1:
        yield "found formats with and without offset (%z), needed all of one sort; part the rows with where"


def _code_problems(column: Column, rule: Rule) -> Iterator[str]:
    said = [*(rule.values or {}).values(), rule.otherwise, rule.constant]
    for code in dict.fromkeys(said):
        if column.codes and code is not None and code not in column.codes:
            yield f"found the code {code!r}, needed one of {column.name}; {nearest(code, column.codes)}"
