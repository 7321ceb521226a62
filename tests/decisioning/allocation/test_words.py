from __future__ import annotations

import pytest

from decisioning.allocation.resources import Resource
from decisioning.allocation.words import LOCALES, Cause, say_lost, say_price, say_resource, say_spent

CALLS = Resource("agent_call.morning.minutes", "minutes", 60.0, channel="agent_call", moment="morning")
KINDS = [
    Resource("sms.contacts", "contacts", 5.0, channel="sms"), CALLS, Resource("contact_cost", "contact_cost", 5.0),
    Resource("discount", "discount", 5.0), Resource("segment.late.contacts", "segment", 5.0, segment="late"),
]  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("resource", KINDS, ids=lambda one: one.kind)
def test_every_kind_of_resource_has_a_name_a_price_and_a_loss_in_words(resource: Resource, locale: str) -> None:
    said = [
        say_resource(resource, locale=locale),
        say_price(resource, 250.0, locale=locale, currency="R$"),
        say_spent(resource, locale),
        *(say_lost(resource, cause, lost_cents=100.0, charge_cents=50.0, locale=locale, currency="R$")
          for cause in Cause),
    ]  # fmt: skip
    assert all(text and "{" not in text for text in said)


def test_minutes_are_priced_by_the_hour_and_by_their_moment() -> None:
    said = say_price(CALLS, 150.0, locale="pt-BR", currency="R$")
    assert said == "mais uma hora de ligação de atendente pela manhã vale R$ 90,00"


def test_the_price_of_money_is_money_for_money() -> None:
    said = say_price(KINDS[2], 1.96, locale="en", currency="R$")
    assert said == "one more R$ 1.00 of contact budget brings R$ 1.96 beyond its cost"


def test_a_price_below_half_a_cent_is_none() -> None:
    assert say_price(KINDS[0], 0.4, locale="en", currency="R$").startswith("not scarce")


def test_a_minimum_that_pays_says_what_it_costs() -> None:
    assert say_price(KINDS[0], -1_051.0, locale="en", currency="R$") == "the minimum costs R$ 10.51 a unit at the end"
