"""Rules of packs onto a page: one function for each kind, between the days on which the rule is in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy.kinds import CallWindow, OneContactPerDebtor
from decisioning.contact_policy.rules import Rule
from decisioning.refusals import PERSON_UNCHECKED, refusal_text
from decisioning.restrictions.contacts import cool_down, daily_volume, frequency_cap
from decisioning.restrictions.debts import minimum_notice, time_barred
from decisioning.restrictions.hours import Hours
from decisioning.restrictions.offers import affordability, offer_limit
from decisioning.restrictions.page import Blocked, Origin, Page, Restriction
from decisioning.restrictions.pressure import forbearance, pressure_cap
from decisioning.restrictions.segments import rows_of
from decisioning.restrictions.standing import (
    active_promise,
    approval,
    consent_required,
    do_not_call,
    hold_stop,
    invalid_contact_point,
    opt_out,
)
from domain.clock import FOREVER, MISSING, to_day

APPLY: Mapping[str, Callable[[Rule, Page], Blocked | None]] = {
    "hold_stop": hold_stop,
    "active_promise": active_promise,
    "frequency_cap": frequency_cap,
    "pressure_cap": pressure_cap,
    "cool_down": cool_down,
    "consent_required": consent_required,
    "opt_out": opt_out,
    "invalid_contact_point": invalid_contact_point,
    "time_barred": time_barred,
    "do_not_call": do_not_call,
    "minimum_notice": minimum_notice,
    "offer_limit": offer_limit,
    "affordability": affordability,
    "forbearance": forbearance,
    "approval": approval,
    "daily_volume": daily_volume,
}
HANDLED = frozenset({*APPLY, "call_window", "one_contact_per_debtor"})
"""Hours come back every day, and one contact looks over accounts: these two are no spans, and have their own code."""


def origin_of(rule: Rule) -> Origin:
    """Whose refusal it is, for a rule of a pack."""
    return Origin(rule.id, rule.in_layer, rule.code, rule.version, rule.wording.text)


def restriction(rule: Rule, page: Page) -> Restriction | Hours | None:
    """What a rule forbids on a page; ``None`` where that is nothing from now on, or where it looks over accounts."""
    if isinstance(rule, OneContactPerDebtor):
        return None
    if isinstance(rule, CallWindow):
        rows = rows_of(rule, page)
        return Hours(origin_of(rule), rule, rows, page.about(rule)) if rows.any() else None
    blocked = APPLY[rule.kind](rule, page)
    # Most rules forbid an account nothing: whom they are about, and when they are in force, need not be known then.
    if blocked is None:
        return None
    actions = page.about(rule)
    if not blocked.binds(page.days.as_of_us[:, None], actions):
        return None
    return Restriction(origin_of(rule), _in_force(rule, page, blocked).only(rows_of(rule, page)[:, None]), actions)


def all_checked(page: Page) -> bool:
    """Whether it is known of every debtor what contacts the other accounts had, so that nothing is ``unchecked``."""
    return page.dossier is None or not page.dossier.encoded.unchecked


def unchecked(rule: Rule, page: Page) -> Restriction | None:
    """All that a rule on the person is about, where nobody says what contacts the debtor's other accounts had.

    ``None`` where the rule is on no person, or everything is known; time alone does not lift it.
    """
    if page.dossier is None or not rule.is_on_person:
        return None
    encoded = page.dossier.encoded
    names = [encoded.account_ids[account] for account in page.dossier.spine.account.tolist()]
    rows = np.array([name in encoded.unchecked for name in names], dtype=np.bool_) & rows_of(rule, page)
    blocked = Blocked.where(rows[:, None])
    if blocked is None:
        return None
    text = partial(refusal_text, PERSON_UNCHECKED)
    origin = Origin(rule.id, rule.in_layer, PERSON_UNCHECKED, rule.version, text)
    return Restriction(origin, _in_force(rule, page, blocked), page.about(rule))


def in_force_today(rule: Rule, page: Page) -> npt.NDArray[np.bool_]:
    """(n,) whether the rule holds on each row's local day."""
    day, start, end = page.days.day, rule.effective_from, rule.effective_to
    return (day >= (to_day(start) if start else MISSING)) & (day < (to_day(end) if end else FOREVER))


def _in_force(rule: Rule, page: Page, blocked: Blocked) -> Blocked:
    """The part of it that lies in the local days on which the rule holds."""
    if not rule.effective_from and not rule.effective_to:
        return blocked
    start, end = np.full(page.size, MISSING), np.full(page.size, FOREVER)
    if rule.effective_from:
        start = page.days.at(np.full(page.size, to_day(rule.effective_from)))
    if rule.effective_to:
        end = page.days.at(np.full(page.size, to_day(rule.effective_to)))
    return blocked.within(start[:, None], end[:, None])
