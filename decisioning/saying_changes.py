"""What would change a decision, in words: for whoever talks with the debtor, and for the debtor.

An agent is told what can be asked for or awaited, and never that a hold, an opt-out or a refusal be taken back: what
protects somebody is nothing to talk them out of. A debtor is told what they can do if they like, without an amount.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from decisioning.record_words import Words
from features.catalogue import reason_text
from features.wording import CHANNEL_NAMES

_ASKABLE = ("NO_CONSENT",)
"""Codes of what an agent may ask a debtor for: a permission that was never given, and never refused."""
_DOING = {
    "payments": ("um novo pagamento", "a new payment"),
    "promises": ("um acordo ou uma promessa de pagamento", "an agreement or a promise to pay"),
    "responses": ("um contato seu conosco", "your getting in touch with us"),
}
"""What a debtor does, by the table that it is seen in."""


def agent_changes(answer: Mapping[str, Any], words: Words) -> Iterator[str]:
    """What would make another proposal the best one, of what may be asked for or awaited."""
    for one in _changes(answer):
        said = _of_rule(one, words) if one["kind"] == "rule" else _of_feature(one, words)
        if said is not None:
            yield said


def debtor_changes(answer: Mapping[str, Any], words: Words) -> Iterator[str]:
    """What a debtor can do, if they like, that may lead to another decision; each once."""
    theirs = [one for one in _changes(answer) if one["by"] == "debtor"]
    yield from dict.fromkeys(said for said in (_permitting(one, words) for one in theirs) if said is not None)
    doing = "; ".join(dict.fromkeys(said for said in (_doing(one, words) for one in theirs) if said is not None))
    if doing:
        yield words.pick(f"A decisão pode mudar com: {doing}.", f"The decision may change with: {doing}.")


def _changes(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = (answer.get("explanation") or {}).get("changes", [])
    return changes


def _of_rule(one: Mapping[str, Any], words: Words) -> str | None:
    action, gain = one["action"], words.money(one["gain"])
    if one["code"] in _ASKABLE:
        return words.pick(
            f"Se a pessoa quiser autorizar este canal, {action} passa a ser a melhor opção ({gain} a mais). "
            "Pergunte uma vez, sem insistir.",
            f"Should the person like to permit this channel, {action} becomes the best option ({gain} more). Ask once, "
            "and do not insist.",
        )
    if one["by"] == "operator" and one["code"] == "GATED_NEEDS_APPROVAL":
        return words.pick(
            f"Com uma aprovação registrada, {action} passa a ser a melhor opção ({gain} a mais).",
            f"With an approval on record, {action} becomes the best option ({gain} more).",
        )
    if one["by"] == "time" and one["allowed_from"] is not None:
        moment = _moment(one["allowed_from"], words)
        return words.pick(
            f"A partir de {moment} {action} é permitida, e hoje seria a melhor opção ({gain} a mais).",
            f"From {moment} on {action} is allowed, and today it would be the best option ({gain} more).",
        )
    return None


def _of_feature(one: Mapping[str, Any], words: Words) -> str | None:
    declared = words.features.get(str(one.get("feature")).upper())
    if one["kind"] != "feature" or declared is None:
        return None
    said = reason_text(declared, float(one["needed"]), locale=words.locale, currency=words.currency)
    action, gain = one["action"], words.money(one["gain"])
    return words.pick(
        f"{action} passaria a ser a melhor opção ({gain} a mais) com: {said}.",
        f"{action} would become the best option ({gain} more) with: {said}.",
    )


def _permitting(one: Mapping[str, Any], words: Words) -> str | None:
    named = CHANNEL_NAMES.get(one["action"].split("/")[0])
    if one.get("code") not in _ASKABLE or named is None:
        return None
    return words.pick(
        f"Se preferir que falemos por {named[0]}, você pode autorizar esse canal.",
        f"If you would rather be reached by {named[1]}, you may permit that channel.",
    )


def _doing(one: Mapping[str, Any], words: Words) -> str | None:
    declared = words.features.get(str(one.get("feature")).upper())
    done = None if declared is None else _DOING.get(declared.table)
    return None if done is None else words.pick(*done)


def _moment(moment: str, words: Words) -> str:
    """An RFC 3339 moment as its record has it, in the order of the language."""
    date, time = moment.split("T")
    year, month, day = date.split("-")
    return words.pick(f"{day}/{month}/{year}, {time[:5]} UTC,", f"{date}, {time[:5]} UTC,")
