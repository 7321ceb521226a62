"""Which actions are allowed on each account, when today, and for each refused one the rule, its code, and until when.

A rule forbids spans of time, nothing new being assumed: so one look tells what is refused now, from when on it would
not be, and when an action as a whole would be allowed. What counts events is judged at the moment of the decision;
hours, at the moments of the day at which the action would be carried out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache, partial

import numpy as np

from decisioning.alike import alike
from decisioning.contact_policy.pack import ContactPolicy
from decisioning.contact_policy.rules import LAYERS
from decisioning.listed import Kinds, Listed, Whose, by_row
from decisioning.opening import Openings, Rest, openings
from decisioning.restrictions.built_in import built_in, origin
from decisioning.restrictions.hours import Hours, closed_today, windows_of
from decisioning.restrictions.page import Bools, Int64s, Origin, Page, Restriction
from decisioning.restrictions.registry import all_checked, restriction, unchecked
from decisioning.restrictions.spans import forbidden_today
from decisioning.restrictions.timetable import Windows
from domain.clock import FOREVER, MISSING
from domain.decisions import Refusal

__all__ = ["Eligibility", "Finding", "Page", "eligibility"]

Texts = tuple[str | None, ...]
Moments = tuple[int, ...]


@dataclass(frozen=True)
class Finding:
    """What one rule refuses: ``refused`` (n, A), and ``until_us`` of the same shape, ``MISSING`` where unknown."""

    origin: Origin
    refused: Bools
    until_us: Int64s


@dataclass(frozen=True)
class Eligibility:
    """``allowed`` (n, A), with ``wait`` always allowed; every refusal is kept, as an action may break several rules.

    ``not_before_us`` and ``valid_until_us`` (n, A) are when an allowed action may be carried out today, half-open.
    ``elsewhere`` (n, A), by rule, are actions that are left to another account of the debtor, whatever else forbids
    them.
    """

    allowed: Bools
    findings: tuple[Finding, ...]
    names: tuple[str, ...]
    not_before_us: Int64s
    valid_until_us: Int64s
    rest: Rest
    elsewhere: Mapping[str, Bools] = field(default_factory=dict)

    @cached_property
    def openings(self) -> Openings:
        """When each refused action would be allowed as a whole, or what forbids it for good."""
        return openings(self.rest, ~self.allowed)

    def openings_from(self, from_us: Int64s, wanted: Bools) -> Openings:
        """The same for the actions of a mask (n, A) that something beside the rules forbids until some moments."""
        return openings(replace(self.rest, start_us=from_us), wanted)

    def with_finding(self, finding: Finding) -> Eligibility:
        """The same with one more refusal."""
        rest = replace(self.rest, start_us=np.where(finding.refused, finding.until_us, self.rest.start_us))
        return replace(self, allowed=self.allowed & ~finding.refused, findings=(*self.findings, finding), rest=rest)

    def refusals(self, *, locale: str = "pt-BR") -> list[tuple[Refusal, ...]]:
        """Refusals of each row, by layer and rule in order and then by action."""
        if len(self.allowed) != 1:
            found = self.listed(locale=locale)
            return found.of_rows(made_of(found))
        told = [_refusals_of_one(*self._told(one, *np.nonzero(one.refused), locale=locale)) for one in self.findings]
        return [tuple(refusal for of_rule in told for refusal in of_rule)]

    def listed(self, *, locale: str = "pt-BR") -> Listed:
        """The same as columns, in which rows share what is the same."""
        kinds: list[Kinds] = []
        rows, which, count = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)], 0
        opens = self.openings
        for place, finding in enumerate(self.findings):
            row, action = np.nonzero(finding.refused)
            columns = (action, finding.until_us[row, action], opens.at_us[row, action], opens.reason[row, action])
            first, kind = alike(*columns)
            kinds.append(Kinds(np.full(len(first), place), *(column[first] for column in columns)))
            rows.append(row)
            which.append(kind + count)
            count += len(first)
        rules = tuple(Whose(of.rule, of.code, of.layer, of.version, of.text(locale)) for of in self._origins)
        ordered = by_row(np.concatenate(rows), np.concatenate(which), size=len(self.allowed))
        return Listed(rules, self.names, opens.reasons, Kinds.together(kinds), *ordered)

    @property
    def _origins(self) -> Iterator[Origin]:
        return (finding.origin for finding in self.findings)

    def _told(
        self, finding: Finding, rows: Int64s, actions: Int64s, *, locale: str
    ) -> tuple[tuple[str, ...], Texts, Moments, Moments, Texts]:
        """What refusals of some pairs are made of: whose they are, and the columns of each."""
        opens, of = self.openings, finding.origin
        whose = (of.rule, of.code, of.layer, of.version, of.text(locale))
        columns = (actions, finding.until_us[rows, actions], opens.at_us[rows, actions], opens.reason[rows, actions])
        return whose, *self._plain(columns)

    def _plain(self, columns: tuple[Int64s, ...]) -> tuple[Texts, Moments, Moments, Texts]:
        """Actions, until when, from when as a whole, and why never."""
        # The position -1 of a reason that there is none is that of the last.
        reasons = (*self.openings.reasons, None)
        actions, until, whole, why = (column.tolist() for column in columns)
        return (
            tuple([self.names[action] for action in actions]), tuple(until), tuple(whole),
            tuple([reasons[place] for place in why]),
        )  # fmt: skip


def _refusals(
    whose: tuple[str, ...], actions: Texts, until_us: Moments, whole_us: Moments, depends_on: Texts
) -> tuple[Refusal, ...]:
    """Refusals by one rule."""
    return tuple(map(partial(_refusal, whose), actions, until_us, whole_us, depends_on))


def made_of(found: Listed) -> tuple[Refusal, ...]:
    """The refusals of all kinds."""
    kinds = zip(*(column.tolist() for column in found.kinds), strict=True)
    return tuple(
        _refusal(found.rules[whose], found.actions[action], until, whole, found.reasons[why] if why >= 0 else None)
        for whose, action, until, whole, why in kinds
    )


_refusals_of_one = lru_cache(maxsize=2_048)(_refusals)
"""Those of one account: what a rule refuses is mostly what it refused of another, until the same moments."""


@lru_cache(maxsize=16_384)
def _refusal(whose: tuple[str, ...], action: str, until_us: int, whole_us: int, depends_on: str | None) -> Refusal:
    """A refusal; those of a day share their moments, so that most have been made before."""
    rule, code, layer, version, text = whose
    return Refusal(
        action=action, rule=rule, code=code, until_us=_known(until_us), text=text, layer=layer, version=version,
        allowed_from_us=_known(whole_us), depends_on=depends_on,
    )  # fmt: skip


def _known(moment_us: int) -> int | None:
    return None if moment_us in (MISSING, FOREVER) else moment_us


def eligibility(page: Page, policy: ContactPolicy, *, now: bool = False, without: str | None = None) -> Eligibility:
    """Applies every rule to every action; ``wait``, the first action, is never refused.

    ``now`` asks whether a contact may be made at the very moment, and not some time today; ``without`` leaves out what
    one rule forbids, by its name in a refusal.
    """
    spans, hours = [], []
    ways = (restriction,) if all_checked(page) else (restriction, unchecked)
    of_packs = (find(rule, page) for find in ways for rule in policy.rules)
    for one in (*of_packs, *built_in(page)):
        if one is None or one.origin.rule == without:
            continue
        if isinstance(one, Hours):
            hours.append(one)
        else:
            spans.append(one)
    today = _Today.of(page, now=now)
    windows = windows_of(hours, page)
    findings = [*today.by_moment(page), *today.by_spans(spans), *today.by_hours(hours, windows, page)]
    findings = [finding for finding in findings if finding.refused.any()]
    allowed = np.ones(today.start_us.shape, dtype=np.bool_)
    for finding in findings:
        allowed &= ~finding.refused
    start = np.broadcast_to(page.days.as_of_us[:, None], allowed.shape)
    rest = Rest(page, tuple(spans), windows, start)
    found = Eligibility(allowed, (), page.catalogue.names(), today.start_us, today.end_us, rest)
    left_none = allowed & (today.start_us >= today.end_us)
    if left_none.any():
        # Each rule leaves some of today, and all together none of it.
        whole = openings(rest, left_none)
        findings.append(Finding(origin("moment.left", "limit", "NO_TIME_LEFT"), left_none, whole.at_us))
        found = replace(found, allowed=allowed & ~left_none)
    order = sorted(findings, key=lambda finding: LAYERS.index(finding.origin.layer))
    return replace(found, findings=tuple(order))


@dataclass
class _Today:
    """What is left of today for each action (n, A), as rule after rule takes some of it; half-open."""

    as_of_us: Int64s
    start_us: Int64s
    end_us: Int64s
    moment_start_us: Int64s
    moment_end_us: Int64s
    now: bool

    @classmethod
    def of(cls, page: Page, *, now: bool) -> _Today:
        actions, days = page.catalogue.actions, page.days
        start = np.empty((page.size, len(actions)), dtype=np.int64)
        end = np.empty_like(start)
        for hours, of_action in page.catalogue.columns.by_hours:
            opens, closes = days.span(hours)
            start[:, of_action], end[:, of_action] = opens[:, None], closes[:, None]
        as_of = days.as_of_us[:, None]
        # What is asked about this very moment has no later part of the day.
        first = np.broadcast_to(as_of, start.shape).copy() if now else np.maximum(start, as_of)
        last = np.broadcast_to(as_of + 1, end.shape).copy() if now else end.copy()
        return cls(as_of, first, last, start, end, now)

    def by_moment(self, page: Page) -> Iterator[Finding]:
        """A moment that is over today is allowed again when it starts tomorrow."""
        as_of, known = self.as_of_us, (page.days.zone >= 0)[:, None]
        acts = page.catalogue.columns.acts
        over = (as_of >= self.moment_end_us) & known & acts
        if over.any():
            until = np.full(over.shape, MISSING)
            for hours, of_action in page.catalogue.columns.by_hours:
                until[:, of_action] = page.days.span(hours, days_ahead=1)[0][:, None]
            yield Finding(origin("moment.over", "limit", "MOMENT_OVER"), over, until)
        if self.now:
            early = (as_of < self.moment_start_us) & known & acts
            yield Finding(origin("moment.over", "limit", "MOMENT_NOT_YET"), early, self.moment_start_us)

    def by_spans(self, found: list[Restriction]) -> Iterator[Finding]:
        """What is forbidden now; what is forbidden later today shortens the time that is left."""
        for one in found:
            # One memory layout, so that the kernel is compiled once.
            blocked = np.ascontiguousarray(one.blocked.from_us), np.ascontiguousarray(one.blocked.until_us)
            found_now = forbidden_today(blocked, one.actions, self.as_of_us, (self.start_us, self.end_us))
            yield Finding(one.origin, *found_now)

    def by_hours(self, found: list[Hours], windows: Windows, page: Page) -> Iterator[Finding]:
        """What is closed for all that is left of the action's moment today."""
        if not found:
            return
        as_of = self.as_of_us
        first = np.broadcast_to(as_of, self.start_us.shape) if self.now else np.maximum(self.moment_start_us, as_of)
        last = np.broadcast_to(as_of + 1, first.shape) if self.now else self.moment_end_us
        part, left = (np.array(first), np.array(last)), (self.start_us, self.end_us)
        refused, until = closed_today(windows, page.days.day, part, left)
        for one, of_window, until_us in zip(found, refused, until, strict=True):
            yield Finding(one.origin, of_window, until_us)
