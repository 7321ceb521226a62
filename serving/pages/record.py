"""A kept decision as its page shows it: from the record, and worded for whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from decisioning.audiences import FACTOR_NAMES
from domain.clock import rfc3339
from features.wording import CHANNEL_NAMES
from serving.brain import Brain
from serving.pages.waterfall import Waterfall, waterfall
from serving.pages.words import words as page_words
from serving.storing import content_of, known_id

if TYPE_CHECKING:
    from decisioning.record_words import Words
    from serving.store import Store

_WAIT = "wait"
_BESIDE = ("legal_basis", "explain", "locale", "model_hash")
_UNSAID = dict.fromkeys(("reason", "outcome", "text"))
_MONEY = ("expected_recovered", "expected_cost", "expected_net_value")
_AGAINST = ("expected_recovered", "expected_cost", "p_complaint", "expected_net_value")


@dataclass(frozen=True)
class Blocked:
    """A rule that forbade actions: its words, itself, and the moments until which it did, each once."""

    text: str
    rule: str
    version: str
    layer: str
    until: Sequence[str | None]
    allowed_from: Sequence[str | None]
    actions: Sequence[str]


@dataclass(frozen=True)
class Against:
    """One factor of the choice: of the chosen action and the runner-up, and the differences to that and to waiting."""

    factor: str
    chosen: float
    runner_up: float | None
    difference: float | None
    over_wait: float | None

    @property
    def is_money(self) -> bool:
        """Whether it is an amount; else it is a chance."""
        return self.factor in _MONEY


@dataclass(frozen=True)
class MoneyRow:
    """One factor of the expected money, in currency: of the action itself, and of its differences to two others."""

    factor: str
    own: float | None
    to_runner_up: float | None
    to_wait: float | None


@dataclass(frozen=True)
class Shown:
    """What the page of a decision shows; ``content`` is the record itself."""

    content: Mapping[str, Any]
    answer: Mapping[str, Any]
    recorded_at: str
    told: Mapping[str, Any]
    words: Words
    channel: str
    factors: Waterfall | None
    against: Sequence[Against]
    money_rows: Sequence[MoneyRow]
    blocked: Sequence[Blocked]
    reviews: Sequence[Mapping[str, Any]]
    outcomes: Sequence[tuple[str, str]]

    @property
    def waits(self) -> bool:
        """Whether the decision is not to contact anybody."""
        return bool(self.answer["channel"] == _WAIT)

    @property
    def review_open(self) -> bool:
        """Whether a review was asked for that has no outcome."""
        kinds = [one["kind"] for one in self.reviews]
        return kinds.count("request") > kinds.count("outcome")

    def money(self, amount: float | None) -> str:
        """An amount as people read it."""
        return "–" if amount is None else self.words.money(amount)


def shown(decision_id: str, brain: Brain, store: Store, *, locale: str, tenant: str) -> Shown:
    """The decision of a tenant.

    Raises
    ------
    Problem : 404 where it is not kept, 410 where its debtor was forgotten
    """
    kept = store.decision(known_id(decision_id), tenant=tenant)
    content = content_of(kept)
    answer, words = content["answer"], brain.words(locale)
    recorded_at = rfc3339(kept.recorded_at) if kept is not None else ""
    beside = {"recorded_at": recorded_at, **{name: content.get(name) for name in _BESIDE}}
    named = CHANNEL_NAMES.get(answer["channel"])
    return Shown(
        content=content, answer=answer, recorded_at=recorded_at,
        told=brain.explanation(answer, locale=locale, beside=beside), words=words,
        channel=words.pick(*named) if named else answer["channel"],
        factors=factors_of(answer, words), against=_against(answer), money_rows=_money_rows(answer, words),
        blocked=_blocked(answer, words),
        reviews=[{**_UNSAID, **said, "at": rfc3339(at)} for said, at in store.reviews(decision_id, tenant=tenant)],
        outcomes=[(status, rfc3339(at)) for status, at in store.outcomes(decision_id, tenant=tenant)],
    )  # fmt: skip


def factors_of(answer: Mapping[str, Any], words: Words) -> Waterfall | None:
    """The contributions of a full explanation; ``None`` where the answer has none."""
    explanation = answer.get("explanation")
    texts = page_words(words.locale)
    if explanation is None:
        return None
    return waterfall(explanation, say=words.factor, names=lambda which, count: texts[which].format(count=count))


def _against(answer: Mapping[str, Any]) -> list[Against]:
    second, explanation = answer["runner_up"], answer.get("explanation")
    waiting = dict((explanation or {}).get("contrast", {}).get("wait") or {})
    # What it is worth over waiting is in every record, the parts of that in full ones alone.
    waiting.setdefault("expected_net_value", answer["incremental_net_value"])
    return [
        Against(
            name, answer[name],
            runner_up=None if second is None else second[name],
            difference=None if second is None else answer[name] - second[name],
            over_wait=waiting.get(name),
        )
        for name in _AGAINST
    ]  # fmt: skip


def _money_rows(answer: Mapping[str, Any], words: Words) -> list[MoneyRow]:
    """From an average account to this action's expected money, and from two other actions to what is compared."""
    whole = answer.get("explanation") or {}
    money, gaps = whole.get("money"), whole.get("differences") or {}
    if money is None:
        return []
    parts = [money, *(gaps.get(other) or {"by_factor": {}, "total": None} for other in ("runner_up", "wait"))]
    page = page_words(words.locale)
    names = [name for name in FACTOR_NAMES if any(name in part["by_factor"] for part in parts)]
    return [
        MoneyRow(page["average"], money["average"], None, None),
        *(
            MoneyRow(words.pick(*FACTOR_NAMES[name]), *(part["by_factor"].get(name) for part in parts))
            for name in names
        ),
        MoneyRow(page["total"], answer["expected_net_value"], *(part["total"] for part in parts[1:])),
    ]


def _blocked(answer: Mapping[str, Any], words: Words) -> list[Blocked]:
    by_rule: dict[tuple[str, str, str, str], list[Mapping[str, Any]]] = {}
    for one in answer["refusals"]:
        by_rule.setdefault((words.refusal(one), one["rule"], one["version"], one["layer"]), []).append(one)
    return [
        Blocked(
            text, rule, version, layer,
            until=list(dict.fromkeys(one["until"] for one in some)),
            allowed_from=list(dict.fromkeys(one["allowed_from"] for one in some)),
            actions=[one["action"] for one in some],
        )
        for (text, rule, version, layer), some in by_rule.items()
    ]  # fmt: skip
