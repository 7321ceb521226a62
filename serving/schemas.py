"""What a request may hold, built from the canonical tables and the declared attributes so that it cannot drift.

Reading is strict: unknown keys, wrong types, NaN and times without offset are refused. Integers may be written 3.0, and
``null`` says the same as leaving a key out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, create_model

from domain.tables import TABLES, Column
from features.config import ALWAYS_PROTECTED, Attribute
from serving.fields import Id, Moment, type_of

MOST_ACCOUNTS = 1_000
LEDGER_TABLES = (
    "debts", "debt_events", "payments", "contacts", "responses", "promises", "consents", "holds", "approvals",
)  # fmt: skip
ROW_LISTS = (*LEDGER_TABLES, "debtor_contacts")


class Strict(BaseModel, frozen=True, extra="forbid", strict=True, allow_inf_nan=False):
    """A part of a request."""


class Ledger(Strict, frozen=True):
    """One account with its events: an absent list of events means unknown, an empty one that none happened."""

    account_id: Id
    account: Any = None
    debts: Any = None

    @property
    def by_id(self) -> bool:
        """Whether nothing is given but the id, so that the rest is the store's to know."""
        return self.account is None and all(self.rows(table) is None for table in ROW_LISTS)

    def rows(self, table: str) -> list[BaseModel] | None:
        """The rows of a table, ``None`` where the request does not say."""
        found: list[BaseModel] | None = getattr(self, table)
        return found


class ScoresRequest(Strict, frozen=True):
    """Accounts to score at a moment, by default now."""

    as_of: Moment | None = Field(default=None, description="the moment; what happened at or after it is ignored")
    accounts: list[Any]


class DecisionsRequest(ScoresRequest, frozen=True):
    """Accounts to decide on at a moment, by default now."""

    explain: Literal["none", "reasons", "full"] = Field(default="reasons", description="how much is explained")
    locale: Literal["pt-BR", "en"] = Field(default="pt-BR", description="language of reasons, refusals and notices")
    commit: bool = Field(
        default=True,
        description="false asks what would be decided: it uses no budget, and nothing is stored",
    )


class PermitAsked(Strict, frozen=True):
    """A decision that was taken here, and kept."""

    decision_id: Id


class PermitsRequest(Strict, frozen=True):
    """Decisions that are about to be carried out, at a moment that is by default now."""

    at: Moment | None = Field(default=None, description="the moment of the contact; what is known before it counts")
    locale: Literal["pt-BR", "en"] = Field(default="pt-BR", description="language of what changed")
    permits: Annotated[list[PermitAsked], Field(min_length=1, max_length=MOST_ACCOUNTS, fail_fast=True)]
    accounts: list[Any] = Field(default=[], description="ledgers of now; an account without one is the store's to know")


@dataclass(frozen=True, slots=True)
class Schemas:
    """Requests about accounts as models, one account's ledger, and every key that may be named in an error."""

    scores: type[ScoresRequest]
    decisions: type[DecisionsRequest]
    permits: type[PermitsRequest]
    ledger: type[Ledger]
    account_columns: tuple[Column, ...]
    known_keys: frozenset[str]


def build_schemas(attributes: Mapping[str, Attribute]) -> Schemas:
    """Request models for the canonical tables and the attributes that ``features.yaml`` declares."""
    ledger = _ledger(attributes)
    accounts = Annotated[list[ledger], Field(min_length=1, max_length=MOST_ACCOUNTS, fail_fast=True)]  # type: ignore[valid-type]
    scores = create_model("ScoresRequest", __base__=ScoresRequest, accounts=(accounts, ...))
    decisions = create_model("DecisionsRequest", __base__=DecisionsRequest, accounts=(accounts, ...))
    few = Annotated[list[ledger], Field(max_length=MOST_ACCOUNTS, fail_fast=True)]  # type: ignore[valid-type]
    about: Any = Field(default=[], description=PermitsRequest.model_fields["accounts"].description)
    permits = create_model("PermitsRequest", __base__=PermitsRequest, accounts=(few, about))
    columns = account_columns(attributes)
    keys = {column.name for table in TABLES.values() for column in table.columns}
    keys |= {*DecisionsRequest.model_fields, *PermitsRequest.model_fields, *ledger.model_fields}
    keys |= {column.name for column in columns}
    return Schemas(scores, decisions, permits, ledger, account_columns=columns, known_keys=frozenset(keys))


def account_columns(attributes: Mapping[str, Attribute]) -> tuple[Column, ...]:
    """Columns of ``accounts``: the canonical ones and the declared attributes."""
    spec = TABLES["accounts"]
    declared = {**ALWAYS_PROTECTED, **attributes}
    extra = (
        Column(name, "number" if attribute.kind == "numeric" else "text")
        for name, attribute in declared.items()
        if spec.column(name) is None
    )
    return (*spec.columns, *extra)


def _ledger(attributes: Mapping[str, Attribute]) -> type[Ledger]:
    fields: dict[str, Any] = {}
    for table in ROW_LISTS:
        row = _row("contacts", name="DebtorContact") if table == "debtor_contacts" else _row(table)
        about = Field(default=None, description=_ABOUT.get(table))
        fields[table] = (Annotated[list[row], Field(fail_fast=True)] | None, about)  # type: ignore[valid-type]
    columns: dict[str, Any] = {column.name: _optional("accounts", column) for column in account_columns(attributes)[1:]}
    account = create_model("Account", __base__=Strict, __doc__="What is known of the account itself.", **columns)
    fields["account"] = (account | None, None)
    return create_model("Ledger", __base__=Ledger, **fields)


_ABOUT = {
    "debts": "what is owed; a debt without occurred_at is known",
    "debtor_contacts": "contacts with the same debtor on other accounts, for rules on the person",
}


def _row(table: str, *, name: str | None = None) -> type[Strict]:
    """A row without ``account_id``, which the ledger says; only debts must bring their own id."""
    spec = TABLES[table]
    fields: dict[str, Any] = {}
    for column in spec.columns:
        if column.name == "account_id":
            continue
        free = table == "debts" and column.name == "occurred_at"
        free = free or (column.name == spec.id_column and table != "debts")
        needed = column.required and not free
        fields[column.name] = (type_of(table, column), ...) if needed else _optional(table, column)
    title = name or "".join(part.capitalize() for part in table.rstrip("s").split("_"))
    return create_model(title, __base__=Strict, __doc__=f"A row of the canonical table {table}.", **fields)


def _optional(table: str, column: Column) -> tuple[Any, None]:
    return type_of(table, column) | None, None
