"""With what a record is worded: language, currency, what features and rules are called now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from decisioning.contact_policy import ContactPolicy
from decisioning.nonpayment import KINDS
from decisioning.refusals import PERMIT_TEXTS, TEXTS, refusal_text
from decisioning.worklist import say_reason
from domain.money import one_to_cents
from features.definitions import Feature
from features.wording import say_value


@dataclass(frozen=True)
class Words:
    """With what a record is worded: language, currency sign, features by their code, and the rules of now."""

    locale: str
    currency: str
    features: Mapping[str, Feature]
    policy: ContactPolicy

    def pick(self, portuguese: str, english: str) -> str:
        """The text in the language asked for."""
        return english if self.locale == "en" else portuguese

    def money(self, amount: float) -> str:
        """An amount in currency as people read it."""
        return say_value(float(one_to_cents(amount)), "cents", locale=self.locale, currency=self.currency)

    def reason(self, reason: Mapping[str, Any]) -> str:
        """A reason of a record; its code where nothing here words it."""
        values = {reason["code"]: reason["value"]}
        return say_reason(reason["code"], values, self.features, locale=self.locale, currency=self.currency)

    def factor(self, name: str, value: float | None) -> str:
        """A feature of a record with its value; its name alone where nothing here words it."""
        code = name.upper()
        return self.reason({"code": code, "value": value}) if code in self.features else name

    def refusal(self, refusal: Mapping[str, Any]) -> str:
        """A refusal of a record; as it was worded then, where its rule is not configured any more."""
        return self._worded(refusal) or str(refusal["text"])

    def knows(self, answer: Mapping[str, Any]) -> bool:
        """Whether every reason and refusal of a record is worded here, and none as it was then or by its code."""
        reasons = all(one["code"] in KINDS or one["code"] in self.features for one in answer["reasons"])
        return reasons and all(self._worded(one) for one in answer["refusals"])

    def _worded(self, refusal: Mapping[str, Any]) -> str | None:
        for rule in self.policy.rules:
            if (rule.id, rule.code, rule.version) == (refusal["rule"], refusal["code"], refusal["version"]):
                return rule.wording.text(self.locale)
        known = refusal["code"] in TEXTS or refusal["code"] in PERMIT_TEXTS
        return refusal_text(refusal["code"], self.locale) if known else None
