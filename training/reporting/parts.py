"""What a section is made of: lights, tables and figures with numbers, before anything is worded or drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from training.reporting.lights import Figure, Light

Kind = Literal["text", "word", "code", "count", "number", "percent", "money", "bool"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its stable name, whose word heads it, and how its values are written.

    ``word`` values are names of words, written in the reader's language; ``text`` and ``code`` stay as they are.
    """

    name: str
    kind: Kind = "number"
    places: int = 4


Value = float | int | str | bool | None | Figure
"""A cell; a ``Figure`` is written with its interval."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under columns; ``name`` is stable, its word is the caption."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]

    def as_json(self) -> list[dict[str, Any]]:
        """One object per row, unrounded."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, map(_plain, row), strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG; ``table`` names the table with the numbers that it shows, ``says`` fills the alternative text."""

    name: str
    png: bytes
    table: str
    says: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence: the name of its words, and what is put into them. ``raw`` is said as it stands instead."""

    name: str
    says: Mapping[str, Any]
    raw: str | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """One section. Where ``missing`` is set nothing else is known: it names the words of why, and how to get it."""

    code: str
    lights: tuple[Light, ...] = ()
    notes: tuple[Note, ...] = ()
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    missing: Note | None = None

    def as_json(self) -> dict[str, Any]:
        """Everything that the section shows, as plain values."""
        return {
            "code": self.code,
            "available": self.missing is None,
            "missing": None if self.missing is None else self.missing.name,
            "lights": [light.as_json() for light in self.lights],
            "notes": [
                {"name": note.name, **{key: _plain(value) for key, value in note.says.items()}} for note in self.notes
            ],
            "tables": {table.name: table.as_json() for table in self.tables},
            "pictures": {picture.name: picture.table for picture in self.pictures},
        }


def note(name: str, **says: Any) -> Note:
    """A sentence by the name of its words."""
    return Note(name, says)


def not_available(code: str, cause: str, lights: Sequence[Light] = (), **says: Any) -> Section:
    """A section of which nothing can be said, and why."""
    return Section(code, lights=tuple(lights), missing=Note(cause, says))


def table(name: str, columns: Sequence[Column], rows: Sequence[Sequence[Value]]) -> Table:
    """A table from lists."""
    return Table(name, tuple(columns), tuple(tuple(row) for row in rows))


def _plain(value: Any) -> Any:
    if isinstance(value, Figure):
        bounds = {} if value.bounds is None else {"low": value.low, "high": value.high}
        return {"value": value.value, **bounds, "n": value.n, "debtors": value.debtors, "method": value.method}
    return value.item() if hasattr(value, "item") else value
