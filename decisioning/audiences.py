"""A decision's record in words, for three who ask: the debtor, whoever talks with them, and an auditor.

The debtor is told what was decided, on what kind of data it rests, and what they may ask for (LGPD, art. 20), in plain
words and without a number of a model. An agent is told what to propose, why, and what must not be done. An auditor is
told the factors and the versions. All of it comes from the record; nothing is computed anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from decisioning.contact_policy import ContactPolicy
from decisioning.nonpayment import KINDS
from decisioning.refusals import PERMIT_TEXTS, TEXTS, refusal_text
from decisioning.worklist import say_reason, worth_text
from domain.actions import WAIT_CHANNEL
from domain.money import one_to_cents
from features.definitions import Feature
from features.wording import CHANNEL_NAMES, say_value

Told = dict[str, Any]
_DATA = {
    "debts": ("suas dívidas e os vencimentos delas", "your debts and when they are due"),
    "debt_events": ("suas dívidas e os vencimentos delas", "your debts and when they are due"),
    "payments": ("seus pagamentos", "your payments"),
    "contacts": ("os contatos que já fizemos", "the contacts that we made"),
    "responses": ("as respostas que você já deu", "the answers that you gave"),
    "promises": ("os acordos que fizemos", "the agreements that we made"),
    "consents": ("as permissões que você deu", "the permissions that you gave"),
    "holds": ("o que você nos informou sobre a sua situação", "what you told us about your situation"),
    "accounts": ("os dados do seu cadastro", "the data of your registration"),
}
"""What a debtor calls the table that a feature is made of."""
_FACTORS = ("expected_recovered", "expected_cost", "p_complaint", "expected_net_value")
_NUMBERS = (
    "action", "arm", "action_prob", "channel_prob", "p_pay", "expected_recovered", "expected_cost", "p_complaint",
    "expected_net_value", "incremental_net_value", "amount_due", "offer_amount", "discount_amount",
    "instalment_amount", "nonpayment", "notices",
)  # fmt: skip
_VERSIONS = ("model_version", "policy_version", "schema_fingerprint")


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


def explained(answer: Mapping[str, Any], *, words: Words, beside: Mapping[str, Any]) -> Told:
    """The explanation of a decision from its record.

    Parameters
    ----------
    answer : the decision as it was answered (``records.decision_json``)
    beside : what was kept with it, such as ``legal_basis`` and ``recorded_at``, which the auditor is told
    """
    return {
        "decision_id": answer["decision_id"],
        "decided_at": answer["decided_at"],
        "locale": words.locale,
        "debtor": {"text": list(_debtor(answer, words))},
        "agent": _agent(answer, words),
        "auditor": _auditor(answer, words, beside),
    }


def _debtor(answer: Mapping[str, Any], words: Words) -> Iterator[str]:
    if answer["channel"] == WAIT_CHANNEL:
        yield words.pick("Decidimos não entrar em contato com você agora.", "We decided not to contact you now.")
    else:
        yield _contact(answer, words)
        yield _proposal(answer, words)
    yield _rests_on(answer, words)
    yield words.pick(
        "Esta decisão foi tomada por um sistema automático, dentro de regras que protegem você.",
        "This decision was taken by an automatic system, within rules that protect you.",
    )
    yield words.pick(
        "Você pode pedir que uma pessoa a revise, e corrigir qualquer dado que não esteja certo.",
        "You may ask that a person review it, and have any data corrected that are not right.",
    )
    yield words.pick(
        "Se este não for um bom momento para pagar, fale conosco: procuramos uma saída juntos.",
        "If this is not a good moment to pay, talk to us: we look for a way together.",
    )


def _contact(answer: Mapping[str, Any], words: Words) -> str:
    named = CHANNEL_NAMES.get(answer["channel"])
    if named is None:
        return words.pick("Decidimos entrar em contato com você.", "We decided to contact you.")
    return words.pick(f"Decidimos falar com você por {named[0]}.", f"We decided to reach you by {named[1]}.")


def _proposal(answer: Mapping[str, Any], words: Words) -> str:
    due, asked = words.money(answer["amount_due"]), words.money(answer["offer_amount"])
    if answer["instalment_amount"]:
        part = words.money(answer["instalment_amount"])
        english = f"The proposal is to pay {asked} in instalments of {part}."
        return words.pick(f"A proposta é pagar {asked} em parcelas de {part}.", english)
    if answer["discount_amount"]:
        english = f"The proposal is to pay {asked} instead of {due}."
        return words.pick(f"A proposta é pagar {asked} em vez de {due}.", english)
    return words.pick(f"O valor em aberto é {due}.", f"The amount owed is {due}.")


def _rests_on(answer: Mapping[str, Any], words: Words) -> str:
    """Kinds of data, and no values: what a debtor did is theirs to know, how it was weighed is for the auditor."""
    tables = [words.features[one["code"]].table for one in answer["reasons"] if one["code"] in words.features]
    kinds = dict.fromkeys(words.pick(*_DATA[table]) for table in tables if table in _DATA)
    if not kinds:
        return words.pick("Ela se baseia no histórico da sua conta.", "It rests on the history of your account.")
    listed = "; ".join(kinds)
    return words.pick(f"O que mais pesou: {listed}.", f"What weighed most: {listed}.")


def _agent(answer: Mapping[str, Any], words: Words) -> Told:
    refused = Counter((one["code"], words.refusal(one)) for one in answer["refusals"])
    gain = one_to_cents(answer["incremental_net_value"])
    waits = answer["channel"] == WAIT_CHANNEL
    return {
        "proposal": words.pick("Aguardar.", "Wait.") if waits else f"{answer['action']}: {_proposal(answer, words)}",
        "reasons": [words.reason(one) for one in answer["reasons"]],
        "contrast": {
            "wait": None if waits else worth_text(gain, locale=words.locale, currency=words.currency),
            "runner_up": _against(answer, words),
        },
        "refusals": [{"code": code, "text": text, "actions": count} for (code, text), count in refused.items()],
    }


def _against(answer: Mapping[str, Any], words: Words) -> str | None:
    second = answer["runner_up"]
    if second is None:
        return None
    gap = answer["expected_net_value"] - second["expected_net_value"]
    worth, name = words.money(abs(gap)), second["action"]
    if gap >= 0:
        return words.pick(f"Vale {worth} a mais do que {name}.", f"Worth {worth} more than {name}.")
    return words.pick(f"Vale {worth} a menos do que {name}.", f"Worth {worth} less than {name}.")


def _auditor(answer: Mapping[str, Any], words: Words, beside: Mapping[str, Any]) -> Told:
    second, whole = answer["runner_up"], answer.get("explanation")
    gaps = None if second is None else {name: round(answer[name] - second[name], 10) for name in _FACTORS}
    return {
        "factors": {name: answer[name] for name in _NUMBERS},
        "reasons": [{**one, "text": words.reason(one)} for one in answer["reasons"]],
        "contributions": None if whole is None else {name: whole[name] for name in ("base", "contributions")},
        "contrast": {
            "wait": {"expected_net_value": answer["incremental_net_value"]},
            "runner_up": None if second is None else {"action": second["action"], **(gaps or {})},
        },
        "refusals": [{**one, "text": words.refusal(one)} for one in answer["refusals"]],
        "versions": {name: answer[name] for name in _VERSIONS},
        "beside": dict(beside),
    }
