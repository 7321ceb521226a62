"""What the rules of a desk say, in both languages: of packs, of what comes with actions, and of what is scarce."""

from __future__ import annotations

from collections.abc import Iterator

from decisioning.allocation.refused import rule_of
from decisioning.allocation.resources import Resource, resources_of
from decisioning.allocation.words import LOCALES, say_resource
from decisioning.desk import Desk
from decisioning.refusals import PERSON_UNCHECKED, TEXTS, refusal_text
from decisioning.restrictions.built_in import BUILT_IN

Text = dict[str, str]
_OF_MOMENTS = ("moment.over", "moment.left")
_SCARCE = ("{what}: o que há rende mais em outras contas.", "{what}: what there is brings more on other accounts.")
_MINIMUM = ("Mínimo de {what}: a conta ajuda a cumpri-lo.", "Minimum of {what}: the account helps to meet it.")


def wordings(desk: Desk) -> dict[tuple[str, str], Text]:
    """The wording of every refusal that the desk can give, by rule and code, and then by locale."""
    packs = {
        (rule.id, rule.code): {locale: rule.wording.text(locale) for locale in LOCALES}
        for rule in desk.contact_policy.rules
    }
    on_person = {
        (rule.id, PERSON_UNCHECKED): {locale: refusal_text(PERSON_UNCHECKED, locale) for locale in LOCALES}
        for rule in desk.contact_policy.rules
        if rule.is_on_person
    }
    built_in = {
        (rule, code): {locale: refusal_text(code, locale) for locale in LOCALES}
        for rule in (*BUILT_IN, *_OF_MOMENTS)
        for code in TEXTS
    }
    return {**built_in, **on_person, **packs, **dict(_scarce(desk))}


def _scarce(desk: Desk) -> Iterator[tuple[tuple[str, str], Text]]:
    for one in resources_of(desk.config, desk.catalogue.actions).items:
        for code, text in ((one.code, _SCARCE), (one.code_of_minimum, _MINIMUM)):
            yield (rule_of(one.name), code), _said(one, text)


def _said(resource: Resource, text: tuple[str, str]) -> Text:
    told = {locale: text[locale == "en"].format(what=say_resource(resource, locale=locale)) for locale in LOCALES}
    return {locale: said[0].upper() + said[1:] for locale, said in told.items()}
