"""What holds without any pack: something is owed, the hour is known, consents, approvals, and the limits of offers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy.rules import Layer
from decisioning.refusals import refusal_text
from decisioning.restrictions.page import Blocked, Origin, Page, Restriction
from decisioning.restrictions.standing import approval_ends, consent_ends
from domain.clock import FOREVER, MISSING
from features.records import INVALID, REVOKED

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
VERSION = "built-in-1"
"""Changes whenever what stands here does."""
Found = Iterable[tuple[str, Blocked | None]]


def built_in(page: Page) -> Iterator[Restriction]:
    """Every restriction that comes with the actions, and not from a pack, where it forbids anything from now on."""
    as_of_us, actions = page.days.as_of_us[:, None], page.catalogue.columns.acts
    for name, (layer, find) in BUILT_IN.items():
        for code, blocked in find(page):
            if blocked is not None and blocked.binds(as_of_us, actions):
                yield Restriction(origin(name, layer, code), blocked, actions)


def origin(name: str, layer: Layer, code: str) -> Origin:
    """Whose refusal it is, for what no pack says."""
    return Origin(name, layer, code, VERSION, partial(refusal_text, code))


def _nothing_owed(page: Page) -> Found:
    yield "NOTHING_OWED", Blocked.where(~page.states.owes[:, None])


def _zone(page: Page) -> Found:
    # Hours are the debtor's own: without a zone none of them can be kept, so nothing is sent.
    yield "TIME_ZONE_UNKNOWN", Blocked.where((page.days.zone < 0)[:, None])


def _consent(page: Page) -> Found:
    status = page.states.consent[:, page.channel_of]
    needed = page.catalogue.columns.needs_consent
    said_no = (status == REVOKED) | (status == INVALID)
    yield "NO_CONSENT", Blocked.since(np.where(needed & ~said_no, consent_ends(page)[:, page.channel_of], FOREVER))
    yield "CONSENT_REVOKED", Blocked.where(status == REVOKED)
    yield "CONTACT_INVALID", Blocked.where(status == INVALID)


def _gate(page: Page) -> Found:
    gated = page.catalogue.columns.gated
    if not gated.any():
        return
    yield "GATED_NEEDS_APPROVAL", Blocked.since(np.where(gated[None, :], approval_ends(page), FOREVER))


def _ageing(page: Page) -> Found:
    """An offer's days past due; where nothing is open yet to count from, an offer with a minimum stays closed."""
    overdue = page.states.days_past_due
    known = overdue != MISSING
    first = page.days.day - np.where(known, overdue, 0)
    for days, of_action in page.catalogue.columns.by_min_days_past_due:
        opens = np.where(known, np.where(page.days.zone < 0, FOREVER, page.days.at(first + days)), FOREVER)
        yield "OFFER_MIN_DAYS_PAST_DUE", Blocked.until(np.where(of_action, opens[:, None], MISSING))
    for days, of_action in page.catalogue.columns.by_max_days_past_due:
        closes = np.where(known, page.days.at(first + days + 1), FOREVER)
        yield "OFFER_MAX_DAYS_PAST_DUE", Blocked.since(np.where(of_action, closes[:, None], FOREVER))


def _size(page: Page) -> Found:
    columns = page.catalogue.columns
    yield "OFFER_FLOOR", Blocked.where(page.asked.offer_cents < columns.floor_cents)
    beyond = page.asked.discount_cents > columns.max_share_of_balance * page.states.balance_cents[:, None]
    yield "OFFER_MAX_PCT", Blocked.where(beyond)


BUILT_IN: dict[str, tuple[Layer, Callable[[Page], Found]]] = {
    "account.owes": ("eligible", _nothing_owed),
    "account.time_zone": ("eligible", _zone),
    "action.approval": ("applicable", _gate),
    "offer.days_past_due": ("applicable", _ageing),
    "offer.amount": ("applicable", _size),
    "channel.consent": ("suitable", _consent),
}
