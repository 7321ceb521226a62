"""The mapping to start from has every table and column of the schema, and nothing else."""

from __future__ import annotations

import re

import pytest
import yaml

from domain.meanings import TABLE_MEANINGS, meaning
from domain.tables import TABLES
from features.config import Attribute
from features.mapping.rules import MappingConfig
from features.mapping.template import mapping_template

ATTRIBUTES = {"income": Attribute(kind="numeric")}
TEMPLATE = mapping_template(ATTRIBUTES)
COLUMNS = [(spec.name, column) for spec in TABLES.values() for column in spec.columns]


def uncommented(text: str) -> str:
    """With every optional line taken in: a # at the beginning of a line, and two blanks or more behind it, are it."""
    head, _, tables = text.partition("\ntables:\n")
    return f"{head}\ntables:\n" + re.sub(r"(?m)^#(?=  )", "", tables)


def test_as_it_is_written_it_maps_what_is_compulsory() -> None:
    found = MappingConfig.model_validate(yaml.safe_load(TEMPLATE))
    mapped = {table: set(entries[0].columns) for table, entries in found.tables.items()}
    assert mapped == {
        spec.name: {column.name for column in spec.columns if column.required}
        for spec in TABLES.values()
        if spec.required
    }


def test_with_every_line_taken_in_it_maps_every_column_of_every_table() -> None:
    found = MappingConfig.model_validate(yaml.safe_load(uncommented(TEMPLATE)))
    mapped = {table: set(entries[0].columns) for table, entries in found.tables.items()}
    expected = {spec.name: {column.name for column in spec.columns} for spec in TABLES.values()}
    assert mapped == expected | {"accounts": expected["accounts"] | {"income"}}


@pytest.mark.parametrize(("table", "column"), COLUMNS, ids=[f"{table}.{column.name}" for table, column in COLUMNS])
def test_every_column_says_its_kind_whether_it_is_needed_and_what_it_means(table: str, column) -> None:  # type: ignore[no-untyped-def]
    block = TEMPLATE.partition(f"\n  # {table} (")[2].partition("\n\n")[0]
    line = next(line for line in block.splitlines() if re.match(rf"#? +{column.name}: ", line))
    needed = "needed" if column.required else "optional"
    assert f"# {column.kind}, {needed}; {meaning(table, column.name)}" in line
    assert all(code in line for code in column.codes)


def test_every_table_has_a_meaning_and_no_other_name_has() -> None:
    assert TABLE_MEANINGS.keys() == TABLES.keys()


def test_every_column_has_a_meaning() -> None:
    assert [(table, column.name) for table, column in COLUMNS if not meaning(table, column.name)] == []


def test_no_meaning_is_of_a_column_that_does_not_exist() -> None:
    from domain import meanings

    columns = {spec.name: {column.name for column in spec.columns} for spec in TABLES.values()}
    stray = [(t, name) for t, found in meanings._OF_TABLE.items() for name in found if name not in columns[t]]
    anywhere = set().union(*columns.values())
    assert (stray, [name for name in meanings._ANYWHERE if name not in anywhere]) == ([], [])
