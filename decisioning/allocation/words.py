"""Prices and lost actions in words, in Portuguese and English."""

from __future__ import annotations

from enum import Enum

from decisioning.allocation.resources import Resource
from features.wording import CHANNEL_NAMES, say_value

LOCALES = ("pt-BR", "en")
_MOMENTS = {"morning": ("pela manhã", "in the morning"), "afternoon": ("à tarde", "in the afternoon"),
            "evening": ("à noite", "in the evening")}  # fmt: skip
_WHAT = {
    "contacts": ("contatos por {channel}{moment}", "{channel} contacts{moment}"),
    "minutes": ("minutos de {channel}{moment}", "{channel} minutes{moment}"),
    "contact_cost": ("verba de contato", "contact budget"),
    "discount": ("verba de desconto", "discount budget"),
    "segment": ("contatos do segmento {segment}", "contacts in segment {segment}"),
}
_WORTH = {
    "contacts": ("mais um contato por {channel}{moment} vale {price}",
                 "one more {channel} contact{moment} is worth {price}"),
    "minutes": ("mais uma hora de {channel}{moment} vale {price}",
                "one more hour of {channel}{moment} is worth {price}"),
    "contact_cost": ("mais {one} de verba de contato traz {price} além do que custa",
                     "one more {one} of contact budget brings {price} beyond its cost"),
    "discount": ("mais {one} de verba de desconto traz {price} além do desconto",
                 "one more {one} of discount budget brings {price} beyond the discount"),
    "segment": ("mais um contato no segmento {segment} vale {price}",
                "one more contact in segment {segment} is worth {price}"),
}  # fmt: skip
_FREE = ("sobra: mais não traria nada", "not scarce: more of it would bring nothing")
_PAID = ("o mínimo custa {price} por unidade no fim", "the minimum costs {price} a unit at the end")
_LOST = (
    "{what}: o que há rende mais em outras contas. Esta ação valeria {worth} a mais aqui e pagaria {charge}.",
    "{what}: what there is brings more on other accounts. This action would be worth {worth} more here, and pay "
    "{charge}.",
)
_MINIMUM = (
    "Mínimo de {what}: a conta ajuda a cumpri-lo. A ação preterida valeria {worth} a mais aqui.",
    "Minimum of {what}: the account helps to meet it. The action passed over would be worth {worth} more here.",
)
_SPENT = ("{what}: o que resta hoje não basta.", "{what}: what is left today is not enough.")
_LOST_SPENT = (
    "{what}: o que resta hoje não basta. Esta ação valeria {worth} a mais aqui.",
    "{what}: what is left today is not enough. This action would be worth {worth} more here.",
)


def say_resource(resource: Resource, *, locale: str) -> str:
    """What a resource is called.

    >>> say_resource(Resource("agent_call.minutes", "minutes", 60.0, channel="agent_call"), locale="en")
    'agent call minutes'
    """
    return _WHAT[resource.kind][locale == "en"].format(**_parts(resource, locale))


def say_price(resource: Resource, price: float, *, locale: str, currency: str) -> str:
    """What one more unit is worth; of minutes, one more hour. ``price`` is in cents per unit, or money per money.

    >>> calls = Resource("agent_call.minutes", "minutes", 60.0, channel="agent_call")
    >>> say_price(calls, 1941.0, locale="en", currency="R$")
    'one more hour of agent call is worth R$ 1,164.60'
    """
    cents = 100.0 * price if resource.is_money else price * (60.0 if resource.kind == "minutes" else 1.0)
    if abs(cents) < 0.5:
        return _FREE[locale == "en"]
    said = _money(abs(cents), locale, currency)
    if price < 0:
        return _PAID[locale == "en"].format(price=said)
    one = _money(100.0, locale, currency)
    return _WORTH[resource.kind][locale == "en"].format(price=said, one=one, **_parts(resource, locale))


class Cause(Enum):
    """Why an action is lost: others make more of what it uses, a minimum pays for another, or nothing is left of it."""

    PRICE = _LOST
    MINIMUM = _MINIMUM
    SPENT = _LOST_SPENT


def say_lost(
    resource: Resource, cause: Cause, *, lost_cents: float, charge_cents: float, locale: str, currency: str
) -> str:
    """Why an account did not get the action that is worth most on it."""
    what = say_resource(resource, locale=locale)
    worth, charge = _money(lost_cents, locale, currency), _money(charge_cents, locale, currency)
    said = cause.value[locale == "en"].format(what=what, worth=worth, charge=charge)
    return said[0].upper() + said[1:]


def say_spent(resource: Resource, locale: str) -> str:
    """That nothing, or too little, is left of a resource.

    >>> say_spent(Resource("letter.contacts", "contacts", 5.0, channel="letter"), "en")
    'Letter contacts: what is left today is not enough.'
    """
    said = _SPENT[locale == "en"].format(what=say_resource(resource, locale=locale))
    return said[0].upper() + said[1:]


def _parts(resource: Resource, locale: str) -> dict[str, str]:
    english = locale == "en"
    channel = CHANNEL_NAMES.get(resource.channel or "", (resource.channel or "",) * 2)[english]
    own = (f"em {resource.moment}", f"in {resource.moment}")
    moment = "" if resource.moment is None else " " + _MOMENTS.get(resource.moment, own)[english]
    return {"channel": channel, "moment": moment, "segment": resource.segment or ""}


def _money(cents: float, locale: str, currency: str) -> str:
    return say_value(cents, "cents", locale=locale, currency=currency)
