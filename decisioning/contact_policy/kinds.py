"""The kinds of rules: one model for each, with the keys that it takes beyond those of every rule.

A new kind is a model here, one function in a file of ``decisioning/restrictions``, and an entry in each registry.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, field_validator, model_validator

from decisioning.contact_policy.pressure import Forbearance, PressureCap
from decisioning.contact_policy.rules import (
    CODE,
    HISTORY_DAYS,
    MOST_DAYS,
    Count,
    HoldKind,
    Layer,
    Number,
    ReasonKind,
    ResponseKind,
    Rule,
    Scope,
    Window,
)

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Hours = tuple[Annotated[int, Field(strict=True, ge=0, le=24)], Annotated[int, Field(strict=True, ge=0, le=24)]]


class HoldStop(Rule, frozen=True, extra="forbid"):
    """No contact while a hold of this kind is in force."""

    layer_of_kind: ClassVar[Layer] = "eligible"
    kind: Literal["hold_stop"]
    hold: HoldKind

    @model_validator(mode="before")
    @classmethod
    def _code_of_hold(cls, raw: object) -> object:
        if isinstance(raw, dict) and "code" not in raw:
            return {**raw, "code": f"HOLD_{str(raw.get('hold')).upper()}"}
        return raw


class ActivePromise(Rule, frozen=True, extra="forbid"):
    """No contact while a promise to pay is running: the debtor has been reached, and has answered."""

    layer_of_kind: ClassVar[Layer] = "suitable"
    kind: Literal["active_promise"]
    code: str = Field(default="ACTIVE_PROMISE", pattern=CODE)


class FrequencyCap(Rule, frozen=True, extra="forbid"):
    """At most ``max_contacts`` within ``days``, counted by ``scope``.

    ``rolling``: a contact counts until exactly ``days`` × 24 hours after it; ``local_days``: it counts on its own local
    calendar day and the ``days`` − 1 that follow. ``counts`` takes attempts, or conversations: attempts that one of
    ``conversations`` answers. An attempt with a response of ``not_counted`` does not count, nor, for
    ``consent_spares_days`` after the debtor consented to its channel, does any attempt on it.
    """

    kind: Literal["frequency_cap"]
    code: str = Field(default="FREQUENCY_CAP", pattern=CODE)
    max_contacts: Count
    days: int = Field(strict=True, ge=1, le=HISTORY_DAYS)
    window: Window = "rolling"
    scope: Scope = "person"
    counts: Literal["attempts", "conversations"] = "attempts"
    conversations: tuple[ResponseKind, ...] = ("right_party", "replied")
    not_counted: tuple[ResponseKind, ...] = ()
    consent_spares_days: Count | None = None


class CoolDown(Rule, frozen=True, extra="forbid"):
    """No contact for ``days`` after an event: a response of these kinds, or a payment.

    ``after_channels`` takes only events on some channels, and those on none that is known.
    """

    kind: Literal["cool_down"]
    code: str = Field(default="COOL_DOWN", pattern=CODE)
    after: tuple[ResponseKind | Literal["payment"], ...] = Field(min_length=1)
    after_channels: tuple[str, ...] | None = Field(default=None, min_length=1)
    days: int = Field(strict=True, ge=1, le=MOST_DAYS)
    window: Window = "rolling"
    scope: Literal["person", "account", "debt", "channel"] = "person"


class CallWindow(Rule, frozen=True, extra="forbid"):
    """Contact only in these hours of the debtor's local day, by weekday; a weekday that is not named is closed.

    On holidays of the debtor's country and state there is no contact unless ``holidays`` is ``open``. ``country``
    stands in where the account has no region; where its state is unknown, the holidays of every state close.
    """

    kind: Literal["call_window"]
    code: str = Field(default="OUTSIDE_CALL_WINDOW", pattern=CODE)
    hours: dict[Weekday, Hours] = Field(min_length=1)
    holidays: Literal["closed", "open"] = "closed"
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")

    @field_validator("hours")
    @classmethod
    def _hours_run_forward(cls, hours: dict[Weekday, Hours]) -> dict[Weekday, Hours]:
        for day, (start, end) in hours.items():
            if start >= end:
                raise ValueError(f"hours of {day} must be [from, to) with from < to, found [{start}, {end}]")
        return hours

    @model_validator(mode="after")
    def _holidays_are_somewheres(self) -> Self:
        if self.holidays == "closed" and self.country is None and self.where is None:
            raise ValueError("holidays are closed: country says whose where the account has no region")
        return self


class ConsentRequired(Rule, frozen=True, extra="forbid"):
    """Contact only with a granted consent that is in force, and not older than ``max_age_days``."""

    layer_of_kind: ClassVar[Layer] = "suitable"
    kind: Literal["consent_required"]
    code: str = Field(default="NO_CONSENT", pattern=CODE)
    max_age_days: Count | None = None


class OptOut(Rule, frozen=True, extra="forbid"):
    """No contact on a channel once the debtor asked not to be contacted on it; without a channel, on none.

    It ends with a later consent to the channel, or after ``days``. ``person`` counts what was said on any account.
    """

    layer_of_kind: ClassVar[Layer] = "suitable"
    kind: Literal["opt_out"]
    code: str = Field(default="OPTED_OUT", pattern=CODE)
    responses: tuple[ResponseKind, ...] = ("opted_out", "blocked")
    days: int | None = Field(default=None, strict=True, ge=1, le=MOST_DAYS)
    scope: Literal["person", "account"] = "person"


class InvalidContactPoint(Rule, frozen=True, extra="forbid"):
    """No contact on a channel after one of ``responses`` on it, until one of ``cleared_by`` or a consent."""

    layer_of_kind: ClassVar[Layer] = "suitable"
    kind: Literal["invalid_contact_point"]
    code: str = Field(default="CONTACT_POINT_INVALID", pattern=CODE)
    responses: tuple[ResponseKind, ...] = ("bounced", "wrong_party")
    cleared_by: tuple[ResponseKind, ...] = ("delivered", "read", "clicked", "replied", "answered", "right_party")
    days: int | None = Field(default=None, strict=True, ge=1, le=MOST_DAYS)
    scope: Literal["account"] = "account"


class TimeBarred(Rule, frozen=True, extra="forbid"):
    """No contact from the local day that lies ``years`` after the due date of any open debt of the account."""

    layer_of_kind: ClassVar[Layer] = "eligible"
    kind: Literal["time_barred"]
    code: str = Field(default="TIME_BARRED", pattern=CODE)
    years: Count


class DoNotCall(Rule, frozen=True, extra="forbid"):
    """No contact with who is on a list: a text file beside the pack, one SHA-256 of an id per line, ``#`` comments."""

    layer_of_kind: ClassVar[Layer] = "eligible"
    kind: Literal["do_not_call"]
    code: str = Field(default="DO_NOT_CALL", pattern=CODE)
    list_file: str = Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,127}$")
    of: Literal["debtor_id", "account_id", "contact_point_id"] = "contact_point_id"
    _listed: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def listed(self) -> frozenset[str]:
        """The hashes on the list, as they were when the pack was loaded."""
        return self._listed

    def put(self, listed: frozenset[str]) -> None:
        """Keep what the list holds; it is a part of the rule's content, and so of its version."""
        self._listed = listed  # type: ignore[misc]  # private, and set once, while the pack is loaded

    @property
    def content(self) -> dict[str, Any]:
        """The rule, and a hash of its list."""
        return {**super().content, "listed": sha256("\n".join(sorted(self._listed)).encode()).hexdigest()}


class MinimumNotice(Rule, frozen=True, extra="forbid"):
    """No contact before ``days`` local days have passed since every open debt was issued, or fell due.

    ``contacted`` counts from the first contact on one of ``contact_channels``; without any the action waits for it.
    """

    layer_of_kind: ClassVar[Layer] = "applicable"
    kind: Literal["minimum_notice"]
    code: str = Field(default="MINIMUM_NOTICE", pattern=CODE)
    days: int = Field(strict=True, ge=1, le=MOST_DAYS)
    since: Literal["issued", "due", "contacted"]
    contact_channels: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_which_contact(self) -> Self:
        if (self.since == "contacted") != bool(self.contact_channels):
            raise ValueError("contact_channels go with since: contacted, and with nothing else")
        return self


class OfferLimit(Rule, frozen=True, extra="forbid"):
    """Bounds of what may be offered, in currency of the account or percent of what is due."""

    layer_of_kind: ClassVar[Layer] = "suitable"
    kind: Literal["offer_limit"]
    code: str = Field(default="OFFER_LIMIT", pattern=CODE)
    max_discount_pct: Number | None = Field(default=None, ge=0, le=100)
    max_instalments: Count | None = None
    min_offer_amount: Number | None = Field(default=None, gt=0)
    min_instalment_amount: Number | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _bounds_something(self) -> Self:
        bounds = (self.max_discount_pct, self.max_instalments, self.min_offer_amount, self.min_instalment_amount)
        if all(bound is None for bound in bounds):
            raise ValueError("needs max_discount_pct, max_instalments, min_offer_amount or min_instalment_amount")
        return self


class Affordability(Rule, frozen=True, extra="forbid"):
    """Instalments within ``max_share`` of a monthly income, which must keep ``leave_at_least``.

    Where the income is not known, plans stay open but for debtors on one of the holds of ``known_income_for``, and for
    those who gave one of ``known_income_for_reasons``, on any account, within ``reason_days`` × 24 hours.
    """

    layer_of_kind: ClassVar[Layer] = "suitable"
    kind: Literal["affordability"]
    code: str = Field(default="NOT_AFFORDABLE", pattern=CODE)
    income: str = "income"
    max_share: Number = Field(gt=0, le=1)
    leave_at_least: Number = Field(default=0.0, ge=0)
    known_income_for: tuple[HoldKind, ...] = ("hardship", "vulnerable", "over_indebted")
    known_income_for_reasons: tuple[ReasonKind, ...] = ()
    reason_days: int = Field(default=90, strict=True, ge=1, le=MOST_DAYS)


class Approval(Rule, frozen=True, extra="forbid"):
    """Actions that need a record in ``approvals``, in force; patterns as in ``gated`` of ``actions.yaml``."""

    layer_of_kind: ClassVar[Layer] = "applicable"
    kind: Literal["approval"]
    code: str = Field(default="NEEDS_APPROVAL", pattern=CODE)
    actions: tuple[Annotated[str, Field(pattern=r"^[^/]+/[^/]+/[^/]+$")], ...] = Field(min_length=1)


class DailyVolume(Rule, frozen=True, extra="forbid"):
    """No further contact on a day on which ``max_contacts`` were made to anybody, as the data given tell.

    What the same run decides is not made yet, and does not count: ``capacities`` of ``decision.yaml`` limit that.
    """

    kind: Literal["daily_volume"]
    code: str = Field(default="DAILY_VOLUME", pattern=CODE)
    max_contacts: Count
    timezone: str = "America/Sao_Paulo"


class OneContactPerDebtor(Rule, frozen=True, extra="forbid"):
    """Of a debtor's accounts decided on together, only the one where a contact is worth most may be contacted."""

    kind: Literal["one_contact_per_debtor"]
    code: str = Field(default="DEBTOR_CONTACTED_ELSEWHERE", pattern=CODE)


RULE_KINDS: Mapping[str, type[Rule]] = {
    "hold_stop": HoldStop,
    "active_promise": ActivePromise,
    "frequency_cap": FrequencyCap,
    "pressure_cap": PressureCap,
    "cool_down": CoolDown,
    "call_window": CallWindow,
    "consent_required": ConsentRequired,
    "opt_out": OptOut,
    "invalid_contact_point": InvalidContactPoint,
    "time_barred": TimeBarred,
    "do_not_call": DoNotCall,
    "minimum_notice": MinimumNotice,
    "offer_limit": OfferLimit,
    "affordability": Affordability,
    "forbearance": Forbearance,
    "approval": Approval,
    "daily_volume": DailyVolume,
    "one_contact_per_debtor": OneContactPerDebtor,
}
