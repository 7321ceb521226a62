"""What is wrong with a table, in words: what was found, what was needed, the way out; never a value of anybody."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Protocol

from features.reading import Problem
from features.reading_files import TableFiles

NEVER_EMPTY = ("accounts", "debts")
"""Tables without which there is nothing to score; no payments yet, on the contrary, is a fact about a new portfolio."""
NO_ROWS = "found no rows, needed at least one; without it there is nothing to score"

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


class Described(Protocol):
    """A table of which it is known where it lies and what columns it has; loaded or not."""

    @property
    def files(self) -> TableFiles:
        """Where it lies."""

    @property
    def given(self) -> frozenset[str]:
        """The canonical columns found."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """The columns left out."""


def missing_table(table: str) -> str:
    """For a compulsory table that is not there."""
    return (
        f"found no {table}.parquet, {table}.csv or folder {table}/, needed one of them; "
        "accounts, debts and payments are compulsory"
    )


def refusal(table: Described, problem: Problem, *, count: int, examples: Sequence[str]) -> str:
    """For a problem that stops reading: where, what and how often."""
    told = f"{table.files.table}.{problem.column.name}: {explain(table, problem)}"
    return told + rows_and_examples(count, examples)


def explain(table: Described, problem: Problem) -> str:
    """For a problem that reading met, without its count and examples."""
    if problem.code == "missing_column":
        return _missing_column(table, problem.column.name)
    needed = _NEEDED[problem.column.kind]
    if problem.code == "no_offset":
        return f"found times without offset or time zone, needed {needed}; say where the clock stood"
    if problem.code == "missing_value":
        return "found no value (or NaN), needed one in every row; fill it or leave the rows out"
    return f"found {problem.found} that cannot be read, needed {needed}; convert the column"


def _missing_column(table: Described, column: str) -> str:
    near = get_close_matches(column, table.unknown, n=1, cutoff=0.6)
    way_out = f"is it the column {near[0]!r}?" if near else "add it"
    if not table.given and any(";" in name for name in table.unknown):
        way_out = "the file is separated by semicolons: write it with commas"
    return f"found no such column in {table.files.place}, needed it; {way_out}"


def rows_and_examples(count: int, examples: Sequence[str]) -> str:
    """How often and where, for the end of a sentence; empty where there are no rows to point at.

    >>> rows_and_examples(1200, ["p1", "p2"])
    ' (1,200 rows, for example p1, p2)'
    """
    if count == 0:
        return ""
    return f" ({count:,} row{'' if count == 1 else 's'}, for example {', '.join(examples)})"
