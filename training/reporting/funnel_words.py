"""The report's section on what actions were chosen from: its words in both languages, and what the page shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from decisioning.exclusions import Exclusions, RuleExclusion
from decisioning.exclusions.figures import Cause

MOST_CAUSES = 15
_PT: dict[str, Any] = {
    "title": "Funil das decisões",
    "missing": "Não disponível: este relatório foi feito sem um arquivo de decisões. Para tê-lo: acerto decide "
    "--data DIR --as-of MOMENTO --out ARQUIVO, e depois acerto report --decisions ARQUIVO.",
    "nobody": "Não disponível: o arquivo não tem nenhuma decisão.",
    "of": "{accounts} contas decididas em {at}, pela versão {model} e pela política {policy}, entre {actions} ações e "
    "aguardar.",
    "other_version": "Atenção: as decisões são da versão {model}, e este relatório é da versão {version}.",
    "stages_note": "Um par é uma conta com uma ação além de aguardar. Em cada etapa: as contas a que resta alguma ação "
    "e, em letra menor, a parte dos pares que resta. Um par sai na primeira camada que o recusa.",
    "budget_note": "Verbas e capacidades decidem por preço, e de cada conta registram só a melhor ação que ela perdeu.",
    "stages": {
        "candidates": "Candidatas", "eligible": "Conta elegível", "applicable": "Ação aplicável",
        "suitable": "Adequada agora", "allowed": "Permitida", "affordable": "Dentro das verbas", "chosen": "Escolhida",
    },
    "segment": "Segmento",
    "everyone": "Todas as contas",
    "channel": "Canal",
    "names": {
        "days_past_due": "Dias de atraso", "amount_due": "Valor devido", "region": "Região", "product": "Produto",
    },
    "p_pay": "Probabilidade de pagar em {days} dias",
    "labels": {
        "not yet due": "a vencer", "over ": "acima de ", " to ": " a ", "unknown": "desconhecido",
        "nothing open": "nada em aberto",
    },
    "rules": "Taxa de exclusão por regra",
    "rules_note": "Recusa sozinha: nenhuma outra regra recusa o par; sem ela estaria aberto. Mantém em espera: contas "
    "a que nada resta, e a que sem esta regra restaria alguma ação. Quando as regras só juntas não deixam horário, o "
    "par conta em NO_TIME_LEFT.",
    "rule": "Regra",
    "layer": "Camada",
    "layers": {
        "eligible": "elegível", "applicable": "aplicável", "suitable": "adequada", "limit": "limite", "budget": "verba",
    },
    "accounts": "Contas com recusa",
    "whole": "Contas recusadas por inteiro",
    "pairs": "Pares recusados",
    "alone": "Pares que recusa sozinha",
    "alone_accounts": "Contas com ação que só ela fecha",
    "keeps": "Mantém em espera",
    "by_channel": "Pares recusados por canal",
    "by_channel_note": "Parte dos pares do canal; em letra menor, os que a regra recusa sozinha.",
    "only_wait": "Contas sem ação além de aguardar",
    "only_wait_of": "{accounts} contas, {share} de todas.",
    "cause_note": "Por quê: o menor conjunto de regras que, juntas, recusam todas as ações da conta.",
    "cause": "Regras",
    "number": "Contas",
    "share": "Parte",
    "other_causes": "outros {causes} conjuntos",
    "away": "Regras a levantar para abrir uma ação: ",
    "away_one": "{rules}: {accounts} contas",
    "waits": "Das {accounts} contas que aguardam, a {no_action} nada é permitido, {control_arm} estão em grupos de "
    "controle, {lost_to_budget} perderam a ação para uma verba e {by_choice} aguardam por escolha.",
}  # fmt: skip
_EN: dict[str, Any] = {
    "title": "Decision funnel",
    "missing": "Not available: this report was made without a file of decisions. To have it: acerto decide --data DIR "
    "--as-of MOMENT --out FILE, and then acerto report --decisions FILE.",
    "nobody": "Not available: the file holds no decision.",
    "of": "{accounts} accounts decided on at {at}, by version {model} and policy {policy}, among {actions} actions and "
    "wait.",
    "other_version": "Mind: the decisions are of version {model}, and this report is of version {version}.",
    "stages_note": "A pair is an account with an action other than wait. At each stage: accounts that have any action "
    "left and, in small print, the share of pairs that is left. A pair falls out at the first layer that refuses it.",
    "budget_note": "Budgets and capacities decide by price, and record of an account only the best action it lost.",
    "stages": {
        "candidates": "Candidates", "eligible": "Account eligible", "applicable": "Action applicable",
        "suitable": "Suitable now", "allowed": "Allowed", "affordable": "Affordable", "chosen": "Chosen",
    },
    "segment": "Segment",
    "everyone": "All accounts",
    "channel": "Channel",
    "names": {"days_past_due": "Days past due", "amount_due": "Amount due", "region": "Region", "product": "Product"},
    "p_pay": "Probability of paying within {days} days",
    "labels": {},
    "rules": "Exclusion rate by rule",
    "rules_note": "Refuses alone: no other rule refuses the pair; without it, it would be open. Keeps waiting: "
    "accounts with nothing left that would have an action without this rule. Where rules only together leave no time, "
    "the pair counts under NO_TIME_LEFT.",
    "rule": "Rule",
    "layer": "Layer",
    "layers": {
        "eligible": "eligible", "applicable": "applicable", "suitable": "suitable", "limit": "limit",
        "budget": "budget",
    },
    "accounts": "Accounts with a refusal",
    "whole": "Accounts refused as a whole",
    "pairs": "Pairs refused",
    "alone": "Pairs it refuses alone",
    "alone_accounts": "Accounts with an action only it closes",
    "keeps": "Keeps waiting",
    "by_channel": "Pairs refused by channel",
    "by_channel_note": "Share of the channel's pairs; in small print those that the rule refuses alone.",
    "only_wait": "Accounts with no action but wait",
    "only_wait_of": "{accounts} accounts, {share} of all.",
    "cause_note": "Why: the smallest set of rules that together refuse every action of the account.",
    "cause": "Rules",
    "number": "Accounts",
    "share": "Share",
    "other_causes": "{causes} other sets",
    "away": "Rules to lift for an action to open: ",
    "away_one": "{rules}: {accounts} accounts",
    "waits": "Of {accounts} accounts that wait, nothing is allowed to {no_action}, {control_arm} are in control arms, "
    "{lost_to_budget} lost their action to a budget and {by_choice} wait by choice.",
}  # fmt: skip


def section(found: Exclusions | None, *, locale: str) -> dict[str, Any]:
    """What the template shows: the words, the figures as they are, and what a table needs beside them.

    ``found`` is ``None`` where the report is made without decisions; the section then says how to get it.
    """
    words = _EN if locale == "en" else _PT
    if found is None:
        return {"words": words, "found": None}
    said = {(one.rule, one.code): _said(one, locale) for one in found.rules}
    shown, rest = found.only_wait.causes[:MOST_CAUSES], found.only_wait.causes[MOST_CAUSES:]
    return {
        "words": words,
        "found": found,
        "segments": {_segment(name, words): parts for name, parts in found.segments.items()},
        "label": lambda label: _label(label, words["labels"]),
        "said": lambda one: said[one.rule, one.code],
        "because": lambda cause: [said[key] for key in _keys(cause)],
        "causes": shown,
        "rest": {"causes": len(rest), "accounts": sum(cause.accounts for cause in rest)},
    }


def numbers(found: Exclusions | None) -> dict[str, Any]:
    """The section in ``report.json``: the figures, or what is missing and how to get it."""
    if found is None:
        return {"missing": "decisions", "how": "acerto report --decisions FILE, of acerto decide --out FILE"}
    return found.as_json()


def _keys(cause: Cause) -> list[tuple[str, str]]:
    return list(zip(cause.rules, cause.codes, strict=True))


def _said(one: RuleExclusion, locale: str) -> str:
    return one.text.get(locale, one.code)


def _segment(name: str, words: Mapping[str, Any]) -> str:
    """A name of a segmentation in words; one that the report does not know stays as it is."""
    if name.startswith("p_pay_"):
        return str(words["p_pay"].format(days=name.removeprefix("p_pay_").removesuffix("d")))
    return str(words["names"].get(name, name))


def _label(label: str, translated: Mapping[str, str]) -> str:
    for english, own in translated.items():
        label = label.replace(english, own)
    return label
