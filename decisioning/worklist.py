"""The work list: whom to contact, best first, when, with what, and why, in words for whoever makes the contact."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from decisioning.nonpayment import KINDS, kind_text
from decisioning.permits import Permit
from decisioning.proposals import Proposal
from domain.clock import rfc3339_in
from domain.money import from_cents
from features.catalogue import CATALOGUE, reason_text
from features.definitions import Feature
from features.encoding import Encoded
from features.schema import FeatureSchema
from features.spine import Spine
from features.state import local_of
from features.wording import say_value

COLUMNS = (
    "priority", "decision_id", "account_id", "channel", "offer", "moment", "not_before", "valid_until", "amount_due",
    "offer_amount", "instalment_amount", "incremental_net_value", "reason",
)  # fmt: skip
"""Of the CSV, in their order."""


@dataclass(frozen=True, slots=True)
class Item:
    """One contact to make; ``zone`` is the debtor's, ``None`` where unknown; ``reasons`` are texts."""

    proposal: Proposal
    reasons: tuple[str, ...]
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What may still be done, now or later in its span, and what may not, with the permits that say why."""

    kept: list[Proposal]
    dropped: list[tuple[Proposal, Permit]]


def by_worth(proposals: Iterable[Proposal]) -> list[Proposal]:
    """The proposals that contact anybody, by what a contact adds to waiting; equals by id."""
    contacts = (one for one in proposals if one.contacts)
    return sorted(contacts, key=lambda one: (-one.incremental_net_cents, one.decision_id))


def recheck(proposals: Sequence[Proposal], permits: Sequence[Permit]) -> Rechecked:
    """Keeps what a permit allows, or allows later within its span, which then begins there."""
    found = Rechecked([], [])
    for one, permit in zip(proposals, permits, strict=True):
        if permit.allowed:
            found.kept.append(one)
        elif permit.allowed_from_us is not None:
            found.kept.append(replace(one, not_before_us=permit.allowed_from_us))
        else:
            found.dropped.append((one, permit))
    return found


def plain_items(proposals: Sequence[Proposal], *, locale: str, currency: str) -> list[Item]:
    """Items from the decisions alone: moments in UTC, and reasons as far as the catalogue words them."""
    known = {feature.code: feature for feature in CATALOGUE}
    return [Item(one, _said(one, known, locale=locale, currency=currency)) for one in proposals]


def told_items(
    proposals: Sequence[Proposal], encoded: Encoded, schema: FeatureSchema, *, locale: str, currency: str
) -> list[Item]:
    """Items with the debtor's zone; reasons that are declared attributes are worded, too.

    Raises
    ------
    KeyError : an account is not in the ledgers
    """
    if not proposals:
        return []
    account = np.array([encoded.index[one.account_id] for one in proposals], dtype=np.int32)
    spine = Spine(account, np.array([one.decided_at_us for one in proposals], dtype=np.int64))
    names = [encoded.zone_names[zone] if zone >= 0 else None for zone in local_of(encoded, spine).zone.tolist()]
    known = {feature.code: feature for feature in schema.features}
    return [
        Item(one, _said(one, known, locale=locale, currency=currency), zone)
        for one, zone in zip(proposals, names, strict=True)
    ]


def item_row(item: Item, *, priority: int, locale: str, currency: str) -> dict[str, Any]:
    """One row of the CSV; ``priority`` counts from 1. Money with two decimals, moments in the debtor's own offset."""
    one = item.proposal
    channel, offer, moment = one.action.split("/")
    return {
        "priority": priority,
        "decision_id": one.decision_id,
        "account_id": one.account_id,
        "channel": channel,
        "offer": offer,
        "moment": moment,
        "not_before": rfc3339_in(one.not_before_us, item.zone),
        "valid_until": rfc3339_in(one.valid_until_us, item.zone),
        "amount_due": _money(one.amount_due_cents),
        "offer_amount": _money(one.offer_amount_cents),
        "instalment_amount": _money(one.instalment_cents) if one.instalment_cents else "",
        "incremental_net_value": _money(one.incremental_net_cents),
        "reason": _reason(item, locale=locale, currency=currency),
    }


def _money(cents: int) -> str:
    return f"{from_cents(cents):.2f}"


def _reason(item: Item, *, locale: str, currency: str) -> str:
    """What the contact is worth, and what moved the estimate."""
    said = worth_text(item.proposal.incremental_net_cents, locale=locale, currency=currency)
    return f"{said}. {'; '.join(item.reasons)}" if item.reasons else said


def worth_text(gain_cents: int, *, locale: str, currency: str) -> str:
    """What a contact is expected to be worth beyond waiting."""
    english = locale == "en"
    if gain_cents > 0:
        worth = say_value(gain_cents, "cents", locale=locale, currency=currency)
        return f"Worth {worth} more than waiting" if english else f"Vale {worth} a mais do que aguardar"
    if english:
        return "Chosen to learn from, and not expected to be worth more than waiting"
    return "Escolhido para aprender, sem que se espere valer mais do que aguardar"


def _said(one: Proposal, known: Mapping[str, Feature], *, locale: str, currency: str) -> tuple[str, ...]:
    """The reasons in words, as the decision gave them."""
    values = dict(zip(one.reasons, one.reason_values, strict=True)) if one.reason_values else {}
    return tuple(say_reason(code, values, known, locale=locale, currency=currency) for code in one.reasons)


def say_reason(
    code: str, values: Mapping[str, float | None], known: Mapping[str, Feature], *, locale: str, currency: str
) -> str:
    """A reason in words, with the value that its feature had.

    A code speaks for itself where the record does not hold its value, or nothing here words it: a wording that wants a
    value would be half a sentence without, or say yes where the answer was no.
    """
    if code in KINDS:
        return kind_text(code, locale)
    if code not in values or code not in known:
        return code
    value = values[code]
    return reason_text(known[code], math.nan if value is None else value, locale=locale, currency=currency)
