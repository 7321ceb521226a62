"""Rules that bound pressure: a cap on what a debtor carries of it, and none of it on who is in distress.

The pressure of a contact is the ``intrusiveness`` of its channel in ``actions.yaml``, 0 to 1.
"""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from decisioning.contact_policy.rules import (
    CODE,
    HISTORY_DAYS,
    MOST_DAYS,
    HoldKind,
    Layer,
    Number,
    ReasonKind,
    Rule,
    Window,
)


class PressureCap(Rule, frozen=True, extra="forbid"):
    """No contact whose pressure, added to that of the contacts within ``days``, exceeds ``max_pressure``.

    The pressure of a contact is the `intrusiveness` of its channel; 1, the most, where the channel is not configured.
    ``rolling``: a contact counts until exactly ``days`` × 24 hours after it; ``local_days``: it counts on its own local
    calendar day and the ``days`` − 1 that follow. Softer channels fit again before harder ones do.
    """

    kind: Literal["pressure_cap"]
    code: str = Field(default="PRESSURE_CAP", pattern=CODE)
    max_pressure: Number = Field(gt=0)
    days: int = Field(strict=True, ge=1, le=HISTORY_DAYS)
    window: Window = "rolling"
    scope: Literal["person", "account"] = "person"


class Forbearance(Rule, frozen=True, extra="forbid"):
    """No channel above ``max_intrusiveness``, and nothing that is ``gated``, approved or not, for who is in distress.

    In distress is who is on one of ``holds``, also where the hold stops no contact, or gave one of ``reasons``, on any
    account, within ``reason_days`` × 24 hours.
    """

    layer_of_kind: ClassVar[Layer] = "suitable"
    kind: Literal["forbearance"]
    code: str = Field(default="NO_PRESSURE", pattern=CODE)
    max_intrusiveness: Number = Field(ge=0, le=1)
    holds: tuple[HoldKind, ...] = ("hardship", "vulnerable", "over_indebted")
    reasons: tuple[ReasonKind, ...] = ("unemployment", "income_drop", "illness")
    reason_days: int = Field(default=90, strict=True, ge=1, le=MOST_DAYS)

    @model_validator(mode="after")
    def _is_about_somebody(self) -> Self:
        if not self.holds and not self.reasons:
            raise ValueError("needs holds or reasons: without either the rule is about nobody")
        return self
