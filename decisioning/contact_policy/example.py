"""Examples of a rule, in the same file as the rule: a history and a moment, and what the pack has to say to it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, Field, model_validator

from decisioning.contact_policy.rules import CODE, Flag, Number
from domain.actions import Name, Offer
from domain.tables import TABLES

ACCOUNT, DEBTOR = "a1", "p1"
"""Whose history an example tells; rows may name other accounts, which are the same debtor's."""


class Refused(BaseModel, frozen=True, extra="forbid"):
    """Refused by the rule with this code; ``until`` is when the rule allows it, and null where time brings nothing."""

    refused: str = Field(pattern=CODE)
    until: AwareDatetime | None


class Example(BaseModel, frozen=True, extra="forbid"):
    """``given`` this history, a contact on ``channel`` ``at`` this moment is allowed by all of the pack, or refused.

    ``account`` holds columns of the account; ``given`` rows of canonical tables, whose ``account_id`` is ``a1`` and
    whose ids are made up where they are left out. Without ``debts`` 1,000.00 has been due for 60 days. Channels press
    nobody but as ``intrusiveness`` says, and nothing is ``gated`` but where it says so of the contact's channel.
    """

    says: str = Field(min_length=1)
    at: AwareDatetime
    channel: Name
    offer: Offer = Offer(kind="none")
    account: dict[str, Any] = {}
    given: dict[str, list[dict[str, Any]]] = {}
    intrusiveness: dict[Name, Annotated[Number, Field(ge=0, le=1)]] = {}
    gated: Flag = False
    then: Literal["allowed"] | Refused

    @model_validator(mode="after")
    def _tables_and_columns_exist(self) -> Self:
        for table, rows in self.given.items():
            if table not in TABLES or table == "accounts":
                raise ValueError(f"given: found the table {table!r}, needed one of {[*TABLES][1:]}")
            for row in rows:
                strange = [name for name in row if TABLES[table].column(name) is None]
                if strange:
                    raise ValueError(f"given.{table}: found the columns {strange}, which the table does not have")
        return self

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table as JSON would give them, with account and id."""
        id_column = TABLES[table].id_column
        return [
            {"account_id": ACCOUNT, id_column: f"{table}-{place}"}
            | {name: _plain(value) for name, value in row.items()}
            for place, row in enumerate(self.given.get(table, ()))
        ]


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value
