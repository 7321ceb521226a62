"""Which actions are allowed on each account now, and for each refused one the rule, its code, and until when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy import ContactPolicy
from decisioning.limits import stops
from decisioning.moments import LocalDays
from decisioning.refusals import refusal_text
from decisioning.valuation import Amounts
from domain.actions import ActionCatalogue
from domain.clock import MISSING
from domain.decisions import Refusal
from features.state import AccountStates

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
_GRANTED, _REVOKED, _INVALID = 1, 2, 3


@dataclass(frozen=True)
class Page:
    """What rules read: n accounts at their moments, the catalogue, and what each action would ask for."""

    states: AccountStates
    days: LocalDays
    catalogue: ActionCatalogue
    asked: Amounts

    @property
    def size(self) -> int:
        """Number of accounts."""
        return len(self.days.day)


@dataclass(frozen=True)
class Finding:
    """What one rule refuses: ``refused`` (n, A), and ``until_us`` of the same shape, ``MISSING`` where unknown."""

    rule: str
    code: str
    refused: Bools
    until_us: Int64s
    text: Callable[[str], str]


@dataclass(frozen=True)
class Eligibility:
    """``allowed`` (n, A), with ``wait`` always allowed; every refusal is kept, as an action may break several rules."""

    allowed: Bools
    findings: tuple[Finding, ...]
    names: tuple[str, ...]

    def refusals(self, *, locale: str = "pt-BR") -> list[tuple[Refusal, ...]]:
        """Refusals of each row, by rule in order and then by action."""
        found: list[list[Refusal]] = [[] for _ in range(len(self.allowed))]
        for finding in self.findings:
            known: dict[tuple[int, int], Refusal] = {}
            rows, actions = np.nonzero(finding.refused)
            untils = finding.until_us[rows, actions]
            text = finding.text(locale)
            for row, action, until in zip(rows.tolist(), actions.tolist(), untils.tolist(), strict=True):
                # Thousands of rows share the same refusal: one object stands for all of them.
                key = (action, until)
                if key not in known:
                    until_us = None if until == MISSING else until
                    known[key] = Refusal(self.names[action], finding.rule, finding.code, until_us, text)
                found[row].append(known[key])
        return [tuple(row) for row in found]


def eligibility(page: Page, policy: ContactPolicy) -> Eligibility:
    """Applies every rule to every action; ``wait``, the first action, is never refused."""
    findings = tuple(finding for finding in _findings(page, policy) if finding.refused.any())
    allowed = np.ones((page.size, len(page.catalogue.actions)), dtype=np.bool_)
    for finding in findings:
        allowed &= ~finding.refused
    return Eligibility(allowed=allowed, findings=findings, names=page.catalogue.names())


def _findings(page: Page, policy: ContactPolicy) -> Iterator[Finding]:
    for rule in policy.rules:
        stopped, until = stops(rule, page.states, page.days, channels=page.catalogue.channels)
        covered = np.array([rule.covers(action.channel) for action in page.catalogue.actions])
        yield _finding(page, rule.id, rule.code, stopped[:, None] & covered, until=until, text=rule.wording.text)
    for name, find in BUILT_IN.items():
        for code, refused, opens in find(page):
            yield _finding(page, name, code, refused, until=opens, text=partial(refusal_text, code))


def _finding(
    page: Page, rule: str, code: str, refused: Bools, *, until: Int64s | None, text: Callable[[str], str]
) -> Finding:
    shape = (page.size, len(page.catalogue.actions))
    masked = np.array(np.broadcast_to(refused, shape))
    masked[:, 0] = False
    moments = np.full((1, 1), MISSING) if until is None else until
    moments = moments[:, None] if moments.ndim == 1 else moments
    return Finding(rule, code, masked, np.broadcast_to(moments, shape), text)


Found = Iterable[tuple[str, Bools, Int64s | None]]


def _nothing_owed(page: Page) -> Found:
    yield "NOTHING_OWED", ~page.states.owes[:, None], None


def _zone(page: Page) -> Found:
    # Hours are the debtor's own: without a zone none of them can be kept, so nothing is sent.
    yield "TIME_ZONE_UNKNOWN", (page.days.zone < 0)[:, None], None


def _consent(page: Page) -> Found:
    channels, actions = page.catalogue.channels, page.catalogue.actions
    of_action = np.array([channels.index(action.channel) if not action.is_wait else -1 for action in actions])
    status = page.states.consent[:, of_action]
    needed = np.array([action.needs_consent for action in actions])
    yield "NO_CONSENT", needed & (status != _GRANTED) & (status != _REVOKED) & (status != _INVALID), None
    yield "CONSENT_REVOKED", status == _REVOKED, None
    yield "CONTACT_INVALID", status == _INVALID, None


def _gate(page: Page) -> Found:
    gated = np.array([action.gated for action in page.catalogue.actions])
    yield "GATED_NEEDS_APPROVAL", gated[None, :], None


def _ageing(page: Page) -> Found:
    """An offer's days past due; where nothing is open yet to count from, an offer with a minimum stays closed."""
    offers = [page.catalogue.config.offers.get(action.offer) for action in page.catalogue.actions]
    overdue = page.states.days_past_due
    for days in sorted({offer.min_days_past_due for offer in offers if offer and offer.min_days_past_due is not None}):
        of_action = np.array([offer is not None and offer.min_days_past_due == days for offer in offers])
        opens_on = np.where(
            overdue == MISSING, MISSING, page.days.day + days - np.where(overdue == MISSING, 0, overdue)
        )
        early = (overdue < days)[:, None] & of_action
        until = np.where(page.days.zone < 0, MISSING, page.days.at(opens_on))
        yield "OFFER_MIN_DAYS_PAST_DUE", early, until
    for days in sorted({offer.max_days_past_due for offer in offers if offer and offer.max_days_past_due is not None}):
        of_action = np.array([offer is not None and offer.max_days_past_due == days for offer in offers])
        yield "OFFER_MAX_DAYS_PAST_DUE", (overdue > days)[:, None] & of_action, None


def _size(page: Page) -> Found:
    offers = [page.catalogue.config.offers.get(action.offer) for action in page.catalogue.actions]
    floor = np.array([100.0 * (offer.floor_amount or 0.0) if offer else 0.0 for offer in offers])
    yield "OFFER_FLOOR", page.asked.offer_cents < floor, None
    most = np.array([offer.max_pct_of_balance or 100.0 if offer else 100.0 for offer in offers])
    yield "OFFER_MAX_PCT", page.asked.discount_cents > most / 100.0 * page.states.balance_cents[:, None], None


def _moment(page: Page) -> Found:
    """A moment that is over today is allowed again when it starts tomorrow."""
    actions = page.catalogue.actions
    for hours in dict.fromkeys(action.hours for action in actions if not action.is_wait):
        of_action = np.array([not action.is_wait and action.hours == hours for action in actions])
        over = page.days.as_of_us >= page.days.span(hours)[1]
        known = page.days.zone >= 0
        if over.any():
            until = np.where(known, page.days.span(hours, days_ahead=1)[0], MISSING)
            yield "MOMENT_OVER", (over & known)[:, None] & of_action, until


BUILT_IN: dict[str, Callable[[Page], Found]] = {
    "account.owes": _nothing_owed,
    "account.time_zone": _zone,
    "channel.consent": _consent,
    "action.approval": _gate,
    "offer.days_past_due": _ageing,
    "offer.amount": _size,
    "moment.over": _moment,
}
