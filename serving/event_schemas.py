"""What may be stored: rows of any canonical table with the id of their account, and what became of decisions.

The columns are read as those of ledgers in requests are; beyond that the contract holds in full: every row has its id
and its time, consents and holds alone may leave the id out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PlainValidator, WithJsonSchema, create_model, model_validator
from pydantic_core import PydanticCustomError

from domain.tables import TABLES, Column
from serving.fields import Code, Id, Moment, Text, Words, type_of
from serving.parsing import MOST_EVENTS
from serving.schemas import Schemas, Strict
from serving.store.outcomes import Status
from serving.store.rows import HASHED_IDS

_MOST_NAMES = 2_000
_MOST_NAME = 128
# As a text is, without the sign between names; half a surrogate, which JSON can escape, is no text.
_NAME = re.compile(rf"[^\x00-\x1f\x7f\ud800-\udfff|]{{1,{_MOST_NAME}}}")


class Rows(Strict, frozen=True):
    """Rows of one table."""

    table: str
    rows: list[Any]


class OutcomeRequest(Strict, frozen=True):
    """What became of a decision: it was carried out, or why not."""

    decision_id: Id
    status: Status
    at: Moment = Field(description="when that was")
    reason: Code | None = Field(default=None, description="why, in the words of whoever carried it out")
    action: Text | None = Field(default=None, description="what was done instead, where it was overridden")
    contact_id: Id | None = Field(default=None, description="the contact that it came to")


class ReviewRequest(Strict, frozen=True):
    """That a person look at a decision again was asked for, or what came of it (LGPD, art. 20)."""

    kind: Literal["request", "outcome"]
    by: Literal["debtor", "representative", "agent", "reviewer"] = Field(
        description="whose word it is: a role, no name"
    )
    reason: Code | None = Field(default=None, description="why, as a code")
    outcome: Literal["upheld", "changed"] | None = Field(default=None, description="of an outcome: does it stand?")
    text: Words | None = Field(default=None, description="what was said, in up to 2000 characters")

    @model_validator(mode="after")
    def _says_what_its_kind_needs(self) -> Self:
        if (self.kind == "outcome") != (self.outcome is not None):
            raise PydanticCustomError("needed", "an outcome needs the key outcome, and a request has none")
        return self


def rows_models(schemas: Schemas) -> Mapping[str, type[Rows]]:
    """A request model for each canonical table."""
    return {table: _rows_model(table, schemas) for table in TABLES}


def keys_of(schemas: Schemas) -> frozenset[str]:
    """Every key that may be named in an error about rows, outcomes or reviews."""
    return schemas.known_keys | {*Rows.model_fields, *OutcomeRequest.model_fields, *ReviewRequest.model_fields}


def _rows_model(table: str, schemas: Schemas) -> type[Rows]:
    spec, title = TABLES[table], "".join(part.capitalize() for part in table.rstrip("s").split("_"))
    columns = schemas.account_columns if table == "accounts" else spec.columns
    fields: dict[str, Any] = {column.name: _field(table, column) for column in columns}
    row = create_model(f"{title}Row", __base__=Strict, __doc__=f"A row of {table}, as it is stored.", **fields)
    own: dict[str, Any] = {
        "table": (Literal[table], ...),
        "rows": (Annotated[list[row], Field(max_length=MOST_EVENTS, fail_fast=True)], ...),  # type: ignore[valid-type]
    }
    return create_model(f"{title}Rows", __base__=Rows, __doc__=f"Rows of {table} to store.", **own)


def _field(table: str, column: Column) -> tuple[Any, Any]:
    kind = Names if column.kind == "list" else type_of(table, column)
    needed = column.required or (column.name == TABLES[table].id_column and table not in HASHED_IDS)
    return (kind, ...) if needed else (kind | None, None)


def _names(value: object) -> str:
    """A list of names as the one text that it is in memory."""
    fine = isinstance(value, list) and len(value) <= _MOST_NAMES
    if not fine or not all(isinstance(name, str) and _NAME.fullmatch(name) for name in value):  # type: ignore[attr-defined]
        raise PydanticCustomError("needed", f"needed a list of at most {_MOST_NAMES} names, without the sign |")
    return "|".join(value)  # type: ignore[arg-type]


_NAME_SCHEMA = {"type": "string", "minLength": 1, "maxLength": _MOST_NAME, "pattern": r"^[^\x00-\x1f\x7f|]+$"}
Names = Annotated[
    str, PlainValidator(_names), WithJsonSchema({"type": "array", "items": _NAME_SCHEMA, "maxItems": _MOST_NAMES})
]
