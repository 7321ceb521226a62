"""What every rule of a contact-policy pack has: identity, layer, legal basis and source, days in force, wording."""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Literal, Self

import holidays
from pydantic import BaseModel, BeforeValidator, Field, model_validator

from decisioning.integrity import canonical_json
from domain.tables import REASONS, RESPONSE_KINDS

Layer = Literal["eligible", "applicable", "suitable", "limit"]
"""May this account be acted on at all; does the action apply to it; is it suitable now; and how often, and when."""
LAYERS: tuple[Layer, ...] = ("eligible", "applicable", "suitable", "limit")
Scope = Literal["person", "account", "debt", "contact_point", "channel"]
"""What a rule counts by; ``person`` takes all accounts of the debtor together."""
ResponseKind = Literal[RESPONSE_KINDS]  # type: ignore[valid-type]
ReasonKind = Literal[REASONS]  # type: ignore[valid-type]
HoldKind = Literal[
    "dispute", "hardship", "vulnerable", "over_indebted", "bankruptcy", "deceased", "attorney", "legal", "fraud"
]
Window = Literal["rolling", "local_days"]
HISTORY_DAYS = 59
"""Contacts are held for 60 days (``features.state``), which bounds how far back a cap can look."""
MOST_DAYS = 3_660
CODE = r"^[A-Z][A-Z0-9_]{0,63}$"


def _date_or_text(value: object) -> object:
    # A number would be read as seconds since 1970, which nobody means.
    if value is not None and (not isinstance(value, date | str) or isinstance(value, datetime)):
        raise ValueError(f"found {value!r}, needed a day such as 2026-01-31")
    return value


Day = Annotated[date, BeforeValidator(_date_or_text)]
Count = Annotated[int, Field(strict=True, ge=1)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]


class Wording(BaseModel, frozen=True, extra="forbid", populate_by_name=True):
    """What a refusal says to people."""

    pt: str = Field(alias="pt-BR", min_length=1)
    en: str = Field(min_length=1)

    def text(self, locale: str) -> str:
        """The wording in ``pt-BR`` or ``en``."""
        return self.en if locale == "en" else self.pt


class Condition(BaseModel, frozen=True, extra="forbid"):
    """What is asked of one attribute of an account: a range, both ends included, or some values."""

    at_least: Number | None = None
    at_most: Number | None = None
    one_of: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _asks_for_one_kind(self) -> Self:
        numeric = self.at_least is not None or self.at_most is not None
        if numeric == (self.one_of is not None):
            raise ValueError("needs at_least and/or at_most of a number, or one_of some names")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least} must not be above at_most {self.at_most}")
        return self


class Where(BaseModel, frozen=True, extra="forbid"):
    """A segment of accounts; all that is given has to hold.

    ``regions`` are ISO 3166-2 codes, or countries with all their states; ``age`` is in years completed in this one.
    """

    regions: tuple[str, ...] | None = None
    products: tuple[str, ...] | None = None
    creditors: tuple[str, ...] | None = None
    attributes: dict[str, Condition] = {}
    age: Condition | None = None

    @model_validator(mode="after")
    def _regions_exist(self) -> Self:
        states = holidays.list_supported_countries()
        for region in self.regions or ():
            country, _, state = region.partition("-")
            if country not in states or (state and state not in states[country]):
                raise ValueError(f"found the region {region!r}, needed ISO 3166-2 such as BR-SP or US, as known here")
        if self.age is not None and self.age.one_of is not None:
            raise ValueError("age needs at_least and/or at_most")
        if not self.model_fields_set:
            raise ValueError("needs at least one of regions, products, creditors, attributes, age")
        return self


class Rule(BaseModel, frozen=True, extra="forbid"):
    """What all rules have in common.

    ``legal_basis`` says what the rule rests on and ``source`` where to read it; ``secondary`` where only somebody's
    account of the law was read, ``unsettled`` where its reading is open: each needs a ``note``. ``effective_to`` is the
    first local day on which the rule no longer holds. ``channels`` limits a rule to some channels, ``except_channels``
    spares some; ``where`` limits it to a segment, ``except_where`` spares one.

    Where it is not known whether an account is in the segment of ``where`` the rule holds, and in that of
    ``except_where`` it is not spared: what is unknown never allows.
    """

    layer_of_kind: ClassVar[Layer] = "limit"

    id: str = Field(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")
    kind: str
    layer: Layer | None = None
    code: str = Field(pattern=CODE)
    legal_basis: str = Field(min_length=1)
    source: str = Field(default="", description="citation or address")
    secondary: Flag = False
    unsettled: Flag = False
    note: str = ""
    effective_from: Day | None = None
    effective_to: Day | None = None
    channels: tuple[str, ...] | None = Field(default=None, min_length=1)
    except_channels: tuple[str, ...] = ()
    where: Where | None = None
    except_where: Where | None = None
    wording: Wording
    examples: tuple[dict[str, Any], ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.effective_from and self.effective_to and self.effective_from >= self.effective_to:
            raise ValueError(f"effective_from {self.effective_from} must be before effective_to {self.effective_to}")
        if (self.secondary or self.unsettled) and not self.note:
            raise ValueError("a secondary or unsettled source needs a note that says what is open")
        if self.except_where is not None and self.except_where.age is not None:
            # LGPD art. 6 IX and the contract: what is protected may refuse or soften, and never open a door.
            raise ValueError("except_where.age would allow more because of a protected attribute; use where")
        return self

    def covers(self, channel: str) -> bool:
        """Whether the rule is about this channel."""
        return channel not in self.except_channels and (self.channels is None or channel in self.channels)

    @property
    def is_on_person(self) -> bool:
        """Whether the rule counts what happened on any account of the debtor, so that it needs to know of all."""
        return getattr(self, "scope", None) == "person"

    @property
    def in_layer(self) -> Layer:
        """The layer given, or else that of the kind."""
        return self.layer or self.layer_of_kind

    @property
    def content(self) -> dict[str, Any]:
        """What the rule does, as JSON; its examples and notes change nothing."""
        return self.model_dump(mode="json", exclude={"examples", "note", "wording"})

    @cached_property
    def version(self) -> str:
        """A short hash of what the rule does: the same text gives the same on every machine."""
        return sha256(canonical_json(self.content)).hexdigest()[:12]
