"""``mapping.yaml`` as frozen models: sources, and for each canonical table which of their columns become which of its.

What a file says alone is checked here; what it says of tables and sources, in ``features.mapping.checking``.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, Field, field_validator, model_validator

from domain.clock import zone_of

Decimals = Literal["plain", "point", "comma"]
"""``plain`` is 1234.56, ``point`` also 1,234.56, ``comma`` 1.234,56 and 1234,56; the last two also with a currency."""
Encoding = Literal["utf-8", "latin-1", "utf-16"]


def _as_text(value: object) -> object:
    """What YAML made a number or a date of is text again; yes and no cannot be, since both have many spellings."""
    if isinstance(value, bool):
        raise ValueError("found yes, no, true or false, needed text; put it in quotes")
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, int | float) else value


def _several(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _known_zone(value: str | None) -> str | None:
    if value is not None and zone_of(None, value) is None:
        raise ValueError("needed an IANA time zone such as America/Sao_Paulo or UTC")
    return value


Text = Annotated[str, BeforeValidator(_as_text)]
Texts = Annotated[tuple[Text, ...], BeforeValidator(_several)]
Zone = Annotated[str | None, BeforeValidator(_known_zone)]


class Source(BaseModel, frozen=True, extra="forbid"):
    """Files of one shape; what is said of them here holds for every column of theirs that says nothing else.

    ``missing`` are texts that stand for no value, beside the empty one.
    """

    files: Annotated[tuple[str, ...], BeforeValidator(_several)] = Field(min_length=1)
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    encoding: Encoding = "utf-8"
    decimal: Decimals = "plain"
    time_zone: Zone = None
    missing: Texts = ()


class Part(BaseModel, frozen=True, extra="forbid"):
    """One part of a text that is put together: a column, by its name, or a text of its own."""

    column: str | None = None
    text: Text | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.column is None) == (self.text is None):
            raise ValueError("needed the name of a column, or {text: …}")
        return self


class Rule(BaseModel, frozen=True, extra="forbid"):
    """Where the values of one canonical column come from, and how they are written there.

    One of ``column``, ``constant``, ``concat`` and ``hash``. ``values`` translates texts and refuses others, unless
    ``otherwise`` says what they become (null: no value). ``format`` is one or more of strptime's. ``plus_days`` shifts
    a time or a day, ``negate`` turns the sign of a number.
    """

    column: str | None = None
    constant: Text | None = None
    concat: tuple[Part, ...] = ()
    hash: tuple[str, ...] = ()
    values: dict[Text, Text | None] | None = Field(default=None, min_length=1)
    otherwise: Text | None = None
    missing: Texts = ()
    format: Texts = ()
    time_zone: Zone = None
    decimal: Decimals | None = None
    plus_days: int = Field(default=0, ge=-366, le=366)
    negate: bool = False

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"column": value}
        if not isinstance(value, dict):
            raise ValueError("needed the name of a column, or a mapping such as {column: …} or {constant: …}")
        return value

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [name for name in ("column", "constant", "concat", "hash") if getattr(self, name) not in (None, ())]
        if len(given) != 1:
            raise ValueError(f"found {' and '.join(given) or 'none'}, needed one of column, constant, concat and hash")
        if "otherwise" in self.model_fields_set and self.values is None:
            raise ValueError("found otherwise without values, which it adds to; add them, or leave it out")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the source that the rule reads."""
        parts = tuple(part.column for part in self.concat if part.column is not None)
        return (*((self.column,) if self.column is not None else ()), *parts, *self.hash)

    @property
    def takes_others(self) -> bool:
        """Whether texts that ``values`` does not have become something, be it no value."""
        return "otherwise" in self.model_fields_set


Comparison = Literal["is", "is_not", "given", "above", "below"]


class Condition(BaseModel, frozen=True, extra="forbid"):
    """Which rows of a source are meant, by one of its columns; what it says holds all at once.

    A number that cannot be read is no reason to pass over its row: it is kept, and refused where it is used.
    """

    column: str
    is_: Texts | None = Field(default=None, alias="is", min_length=1)
    is_not: Texts | None = Field(default=None, min_length=1)
    given: bool | None = None
    above: float | None = None
    below: float | None = None
    decimal: Decimals | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(said is None for said in (self.is_, self.is_not, self.given, self.above, self.below)):
            raise ValueError("found a column alone, needed one of is, is_not, given, above and below")
        return self


class Keep(BaseModel, frozen=True, extra="forbid"):
    """Of the rows that agree in canonical columns, one: the first or last by another; where it ties, by all others."""

    one_per: Annotated[tuple[str, ...], BeforeValidator(_several)] = Field(min_length=1)
    take: Literal["first", "last"]
    by: str


class Entry(BaseModel, frozen=True, extra="forbid"):
    """Rows of one source as rows of one canonical table; up to a share of ``may_leave_out`` of them may be unusable."""

    source: str
    columns: dict[str, Rule]
    where: tuple[Condition, ...] = ()
    keep: Keep | None = None
    may_leave_out: float = Field(default=0.0, ge=0, lt=1)


class MappingConfig(BaseModel, frozen=True, extra="forbid"):
    """The whole file; ``time_zone`` is that of times without offset where neither source nor column has another."""

    sources: dict[str, Source]
    tables: dict[str, tuple[Entry, ...]]
    time_zone: Zone = None

    @field_validator("tables", mode="before")
    @classmethod
    def _lists(cls, value: Any) -> Any:
        for name, entries in value.items() if isinstance(value, dict) else ():
            if not isinstance(entries, list):
                raise ValueError(f"found {name} without a dash before source, needed a list: one item for each source")
        return value

    def zone(self, entry: Entry, rule: Rule) -> str | None:
        """The time zone in which a rule's times are read."""
        return rule.time_zone or self.sources[entry.source].time_zone or self.time_zone

    def decimals(self, entry: Entry, rule: Rule | Condition) -> Decimals:
        """How numbers are written there; constants are plain unless they say otherwise."""
        constant = isinstance(rule, Rule) and rule.constant is not None
        return rule.decimal or ("plain" if constant else self.sources[entry.source].decimal)
