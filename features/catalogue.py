"""Every feature of the system, in model order. Adding one is one entry in a family, and a retraining."""

from __future__ import annotations

from math import isnan

from features.definitions import Feature
from features.families import balance, commitments, contacts, context, payments
from features.wording import say_value

CATALOGUE: tuple[Feature, ...] = (
    *balance.features(), *payments.features(), *contacts.features(), *commitments.features(), *context.features(),
)  # fmt: skip
INGREDIENTS: tuple[Feature, ...] = (
    *payments.ingredients(), *contacts.ingredients(), *commitments.ingredients(), *context.ingredients(),
)  # fmt: skip
"""What features are made of and no model sees."""
_BY_NAME = {feature.name: feature for feature in CATALOGUE}


def feature(name: str) -> Feature:
    """The declaration of a feature; a declared attribute, which the catalogue does not hold, is a ``KeyError``."""
    return _BY_NAME[name]


def reason_text(declared: Feature, value: float, *, locale: str, currency: str = "R$") -> str:
    """The wording of a feature's reason code with its value; ``locale`` is ``pt-BR`` or ``en``."""
    template = declared.reason_en if locale == "en" else declared.reason_pt
    if declared.words and not isnan(value):
        return template.format(value=declared.words[int(value)][1 if locale == "en" else 0])
    return template.format(value=say_value(value, declared.unit, locale=locale, currency=currency))
