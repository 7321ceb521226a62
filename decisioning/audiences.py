"""A decision's record in words, for three who ask: the debtor, whoever talks with them, and an auditor.

The debtor is told what was decided and how, on what kind of data it rests, and what they may ask for (LGPD, art. 20),
in plain words, without a number of a model and without any threat (CDC, art. 42). An agent is told what to propose, why
that and nothing else, what would make another proposal better, and what must not be done. An auditor is told the
numbers. All of it comes from the record, and nothing is computed anew: ``fidelity`` looks up every number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from decisioning.money_told import PRICE
from decisioning.record_words import Words
from decisioning.saying_changes import agent_changes, debtor_changes
from decisioning.worklist import worth_text
from domain.actions import WAIT_CHANNEL
from domain.money import one_to_cents
from features.wording import CHANNEL_NAMES

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
_MOST_FACTORS = 3
FACTOR_NAMES = {
    "reached": ("chegar até a pessoa", "reaching the person"),
    "agrees": ("ela aceitar ou prometer", "their agreeing or promising"),
    "pays": ("ela pagar", "their paying"),
    "amount": ("quanto volta", "how much comes back"),
    "cost": ("custo do contato", "cost of the contact"),
    "complaint": ("risco de incômodo", "risk of bothering them"),
    PRICE: ("recursos, pressão e descontos", "resources, pressure and discounts"),
}
"""What people call the factors of expected money."""
_FACTORS = ("expected_recovered", "expected_cost", "p_complaint", "expected_net_value")
_NUMBERS = (
    "action", "arm", "action_prob", "channel_prob", "p_pay", "expected_recovered", "expected_cost", "p_complaint",
    "expected_net_value", "incremental_net_value", "amount_due", "offer_amount", "discount_amount",
    "instalment_amount", "nonpayment", "notices",
)  # fmt: skip
_VERSIONS = ("model_version", "policy_version", "schema_fingerprint")


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
        "Ele compara as formas de contato e as propostas permitidas, e também a de não falar com você agora, pelo que "
        "cada uma deve trazer de pagamento, pelo custo dela e pelo incômodo que pode causar.",
        "It compares the ways of contact and the proposals that are allowed, and also not talking to you now, by what "
        "each should bring in payment, by its cost, and by the bother that it may cause.",
    )
    yield from debtor_changes(answer, words)
    yield words.pick(
        "Você pode pedir que uma pessoa a revise, e corrigir qualquer dado que não esteja certo.",
        "You may ask that a person review it, and have any data corrected that are not right.",
    )
    yield words.pick(
        "Para isso, fale conosco por qualquer canal de atendimento e informe o código desta decisão; o pedido não tem "
        "custo.",
        "To do so, talk to us on any service channel and give the code of this decision; asking costs nothing.",
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
        "differences": _differences(answer, words),
        "changes": list(agent_changes(answer, words)),
        "refusals": [{"code": code, "text": text, "actions": count} for (code, text), count in refused.items()],
    }


def _against(answer: Mapping[str, Any], words: Words) -> str | None:
    second = answer["runner_up"]
    if second is None:
        return None
    own, other = words.money(answer["expected_net_value"]), words.money(second["expected_net_value"])
    return words.pick(
        f"Vale {own}; {second['action']} vale {other}.", f"Worth {own}; {second['action']} is worth {other}."
    )


def _differences(answer: Mapping[str, Any], words: Words) -> list[str]:
    """Why this and not that: the factors that speak most for and against, of what the policy compares."""
    whole = answer.get("explanation") or {}
    return [_difference(gap, words) for gap in whole.get("differences", {}).values() if gap["by_factor"]]


def _difference(gap: Mapping[str, Any], words: Words) -> str:
    strongest = sorted(gap["by_factor"].items(), key=lambda item: -abs(item[1]))[:_MOST_FACTORS]
    parts = "; ".join(
        f"{words.pick(*FACTOR_NAMES[name])} {words.money(amount)}" for name, amount in strongest if amount
    )
    total = words.money(gap["total"])
    text = words.pick(f"Diferença para {gap['action']}: {total}", f"Difference to {gap['action']}: {total}")
    return f"{text} ({parts})." if parts else f"{text}."


def _auditor(answer: Mapping[str, Any], words: Words, beside: Mapping[str, Any]) -> Told:
    second, whole = answer["runner_up"], answer.get("explanation")
    gaps = None if second is None else {name: round(answer[name] - second[name], 10) for name in _FACTORS}
    return {
        "factors": {name: answer[name] for name in _NUMBERS},
        "reasons": [{**one, "text": words.reason(one)} for one in answer["reasons"]],
        "contributions": None if whole is None else {name: whole[name] for name in ("base", "contributions")},
        "money": None if whole is None else whole.get("money"),
        "differences": {} if whole is None else whole.get("differences", {}),
        "changes": [] if whole is None else whole.get("changes", []),
        "contrast": {
            "wait": {"expected_net_value": answer["incremental_net_value"]},
            "runner_up": None if second is None else {"action": second["action"], **(gaps or {})},
        },
        "refusals": [{**one, "text": words.refusal(one)} for one in answer["refusals"]],
        "versions": {name: answer[name] for name in _VERSIONS},
        "beside": dict(beside),
    }
