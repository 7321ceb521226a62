"""What a decision proposed, as far as carrying it out needs it: from the decision itself, or from its record."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from domain.actions import WAIT_CHANNEL
from domain.clock import parse_moment, to_us
from domain.decisions import Decision
from domain.errors import DataError
from domain.money import one_to_cents

T = TypeVar("T")
_HOLDOUT = "holdout"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One action on one account, what it would ask for, in cents, and when it may be carried out.

    ``reasons`` are codes, and ``reason_values`` what their features were, ``None`` where missing; empty where the
    record does not hold them. ``instalment_cents`` is 0 where there is no plan. The span is half-open, in µs UTC.
    """

    decision_id: str
    account_id: str
    decided_at_us: int
    action: str
    arm: str
    debt_ids: tuple[str, ...]
    amount_due_cents: int
    offer_amount_cents: int
    instalment_cents: int
    incremental_net_cents: int
    not_before_us: int
    valid_until_us: int
    reasons: tuple[str, ...]
    policy_version: str
    reason_values: tuple[float | None, ...] = ()

    @property
    def channel(self) -> str:
        """The first part of the action."""
        return self.action.split("/")[0]

    @property
    def contacts(self) -> bool:
        """Whether anybody is to be contacted: the action is not to wait, and the debtor is not held out."""
        return self.channel != WAIT_CHANNEL and self.arm != _HOLDOUT


def proposal_of(decision: Decision | Proposal) -> Proposal:
    """What a decision proposes."""
    if isinstance(decision, Proposal):
        return decision
    chosen = decision.chosen
    return Proposal(
        decision_id=decision.decision_id, account_id=decision.account_id, decided_at_us=decision.decided_at_us,
        action=decision.action, arm=decision.arm, debt_ids=decision.debt_ids,
        amount_due_cents=decision.amount_due_cents, offer_amount_cents=chosen.offer_amount_cents,
        instalment_cents=chosen.instalment_cents, incremental_net_cents=chosen.incremental_net_cents,
        not_before_us=decision.not_before_us, valid_until_us=decision.valid_until_us,
        reasons=tuple(reason.code for reason in decision.reasons), policy_version=decision.policy_version,
        reason_values=tuple(reason.value for reason in decision.reasons),
    )  # fmt: skip


def proposal_from(record: Mapping[str, Any]) -> Proposal:
    """What a record proposes: a row of the batch file, or an answer of the service (``records``).

    Parameters
    ----------
    record : moments as aware datetimes or RFC 3339 texts, money in currency, reasons as codes or as objects with one

    Raises
    ------
    DataError : a field is missing or is not of its kind; the field is named, never its value
    """
    return Proposal(
        decision_id=_read(record, "decision_id", _text), account_id=_read(record, "account_id", _text),
        decided_at_us=_read(record, "decided_at", _moment), action=_read(record, "action", _action),
        arm=_read(record, "arm", _text), debt_ids=_read(record, "debt_ids", _texts),
        amount_due_cents=_read(record, "amount_due", _cents),
        offer_amount_cents=_read(record, "offer_amount", _cents),
        instalment_cents=_read(record, "instalment_amount", _cents_or_none),
        incremental_net_cents=_read(record, "incremental_net_value", _cents),
        not_before_us=_read(record, "not_before", _moment), valid_until_us=_read(record, "valid_until", _moment),
        reasons=_read(record, "reasons", _codes), policy_version=_read(record, "policy_version", _text),
        reason_values=_read(record, "reason_values" if "reason_values" in record else "reasons", _values),
    )  # fmt: skip


FIELDS = (
    "decision_id", "account_id", "decided_at", "action", "arm", "debt_ids", "amount_due", "offer_amount",
    "instalment_amount", "incremental_net_value", "not_before", "valid_until", "reasons", "policy_version",
)  # fmt: skip
"""What a record needs to have."""
OPTIONAL_FIELDS = ("reason_values",)
"""What an older record does not have."""


def _read(record: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> T:
    if name not in record:
        raise DataError(f"found a decision without {name}, needed a record as `acerto decide` writes it")
    try:
        return read(record[name])
    except (TypeError, ValueError, KeyError) as error:
        raise DataError(f"found a decision whose {name} cannot be read, needed {_NEEDED[read]}") from error


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _action(value: Any) -> str:
    if _text(value).count("/") != 2:
        raise ValueError
    return str(value)


def _moment(value: Any) -> int:
    return to_us(value if isinstance(value, datetime) else parse_moment(value))


def _cents(value: Any) -> int:
    found = float(value)
    if not math.isfinite(found):
        raise ValueError
    return one_to_cents(found)


def _cents_or_none(value: Any) -> int:
    return 0 if value is None or value == "" or math.isnan(float(value)) else _cents(value)


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, (str, Mapping)):
        raise ValueError
    return tuple(_text(part) for part in value)


def _codes(value: Any) -> tuple[str, ...]:
    return _texts([part["code"] if isinstance(part, Mapping) else part for part in value])


def _values(value: Any) -> tuple[float | None, ...]:
    """Of a list of numbers, or of reasons that hold theirs; empty where these are codes alone."""
    found = [part.get("value") if isinstance(part, Mapping) else part for part in value]
    if any(isinstance(part, str) for part in found):
        return ()
    return tuple(None if part is None or math.isnan(part) else float(part) for part in found)


_NEEDED: Mapping[Callable[[Any], Any], str] = {
    _text: "a text", _action: "channel/offer/moment", _moment: "a moment in RFC 3339 with an offset",
    _cents: "an amount", _cents_or_none: "an amount or nothing", _texts: "a list of texts", _codes: "a list of codes",
    _values: "a list of numbers",
}  # fmt: skip
