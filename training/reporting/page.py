"""What page and PDF show: every text in the reader's language, every number as the reader writes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from training.reporting.certainty import without_interval
from training.reporting.formatting import DASH, interval, number, plain
from training.reporting.lights import WORSE, Colour, Figure, Light
from training.reporting.parts import Column, Note, Picture, Section, Table, Value
from training.reporting.words import Words

NUMBERS = ("count", "number", "percent", "money")
_COLOURS: tuple[Colour, ...] = ("green", "amber", "red", "not_available")
_DOUBLED = re.compile(r"([.?!:])\.(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: what it says, and in small print its interval and number of rows."""

    text: str
    small: str = ""


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table in words; ``numeric`` says of each column whether it is set to the right, ``code`` whether it is code.

    ``certain`` says which columns have no interval, and why; empty where all numbers have one, or none is measured.
    """

    name: str
    caption: str
    heads: tuple[str, ...]
    numeric: tuple[bool, ...]
    code: tuple[bool, ...]
    rows: tuple[tuple[Cell, ...], ...]
    certain: str


@dataclass(frozen=True, slots=True)
class ShownLight:
    """A light in words."""

    code: str
    colour: Colour
    named: str
    question: str
    found: Cell
    limits: str
    size: str
    about: str
    section: str


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture with its alternative text."""

    name: str
    png: bytes
    alt: str


@dataclass(frozen=True, slots=True)
class ShownSection:
    """A section in words, numbered from 1."""

    number: int
    code: str
    title: str
    missing: str | None
    lights: tuple[ShownLight, ...]
    notes: tuple[str, ...]
    tables: tuple[ShownTable, ...]
    pictures: tuple[ShownPicture, ...]


def shown(sections: Sequence[Section], said: Words) -> list[ShownSection]:
    """All sections in words."""
    return [_section(number, one, said) for number, one in enumerate(sections, start=1)]


def counted(sections: Sequence[ShownSection], said: Words) -> str:
    """How many lights there are of each colour."""
    colours = [light.colour for section in sections for light in section.lights]
    return said("counts", **{colour: colours.count(colour) for colour in _COLOURS})


def _section(number_: int, section: Section, said: Words) -> ShownSection:
    title = said(f"section.{section.code}")
    missing = section.missing
    return ShownSection(
        number_, section.code, title,
        None if missing is None else _sentence(said(f"missing.{missing.name}", **missing.says)),
        tuple(_light(one, said, title) for one in section.lights),
        tuple(_note(one, said) for one in section.notes),
        tuple(_table(one, said) for one in section.tables),
        tuple(_picture(one, said) for one in section.pictures),
    )  # fmt: skip


def _note(one: Note, said: Words) -> str:
    return one.raw if one.raw is not None else _sentence(said(f"note.{one.name}", **one.says))


def _sentence(text: str) -> str:
    """A reason that was put into a sentence may bring its own full stop."""
    return _DOUBLED.sub(r"\1", text)


def _picture(one: Picture, said: Words) -> ShownPicture:
    says = {key: _worded(value, said) for key, value in one.says.items()}
    return ShownPicture(one.name, one.png, said(f"picture.{one.name}", below=said("table_below"), **says))


def _worded(value: object, said: Words) -> object:
    return said(f"word.{value}") if isinstance(value, str) and said.has(f"word.{value}") else value


def _light(one: Light, said: Words, section: str) -> ShownLight:
    column = Column("figure", places=_places(one))
    limits = said(
        f"limit_{WORSE[one.code]}",
        amber=plain(one.limit.amber, column, said.locale), red=plain(one.limit.red, column, said.locale),
    )  # fmt: skip
    debtors = "" if one.figure.debtors is None else f" / {number(one.figure.debtors, 0, said.locale)}"
    size = DASH if one.figure.n is None else number(one.figure.n, 0, said.locale) + debtors
    found = _cell(one.figure, column, said)
    if one.reason is not None:
        found = Cell(said(f"reason.{one.reason}"))
    elif one.figure.method != "count":
        found = Cell(found.text, f"{interval(one.figure, column, said.locale)} {said(f'method.{one.figure.method}')}")
    about = one.about or ""
    return ShownLight(
        one.code, one.colour, said(one.colour), said(f"light.{one.code}"), found, limits, size,
        str(_worded(about, said)), section,
    )  # fmt: skip


def _places(light: Light) -> int:
    """Decimals that tell the figure from its limits."""
    if light.code == "SHAP_ADDITIVITY":
        return 9
    whole = all(float(one).is_integer() for one in (light.limit.amber, light.limit.red))
    return 0 if whole and float(light.figure.value or 0.0).is_integer() else 3


def _table(one: Table, said: Words) -> ShownTable:
    rows = tuple(
        tuple(_cell(value, column, said) for value, column in zip(row, one.columns, strict=True)) for row in one.rows
    )
    return ShownTable(
        one.name, said(f"table.{one.name}"), tuple(said(f"column.{column.name}") for column in one.columns),
        tuple(column.kind in NUMBERS for column in one.columns), tuple(column.kind == "code" for column in one.columns),
        rows, _certain(one, said),
    )  # fmt: skip


def _certain(one: Table, said: Words) -> str:
    """The columns without an interval, together by their reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in without_interval(one).items():
        by_reason.setdefault(reason, []).append(said(f"column.{name}"))
    told = [f"{', '.join(names)} ({said(f'certain.{reason}')})" for reason, names in by_reason.items()]
    return said("certain", columns="; ".join(told)) if told else ""


def _cell(value: Value, column: Column, said: Words) -> Cell:
    if isinstance(value, Figure):
        if value.value is None:
            return Cell(DASH)
        rows = "" if value.n is None else f" n={number(value.n, 0, said.locale)}"
        return Cell(plain(value.value, column, said.locale), f"{interval(value, column, said.locale)}{rows}".strip())
    if value is None:
        return Cell(said("unknown_fact") if column.name == "is" else DASH)
    if column.kind == "bool" or isinstance(value, bool):
        return Cell(said("yes" if value else "no"))
    if isinstance(value, str):
        return Cell(_word(value, said) if column.kind == "word" else value)
    return Cell(plain(value, column, said.locale))


def _word(value: str, said: Words) -> str:
    return said(value if value.startswith("light.") else f"word.{value}")
