"""Rules about where a debtor stands: on hold, with a promise, having consented or opted out, listed, or approved."""

from __future__ import annotations

from fnmatch import fnmatchcase
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy.kinds import (
    Approval,
    ConsentRequired,
    DoNotCall,
    HoldStop,
    InvalidContactPoint,
    OptOut,
)
from decisioning.contact_policy.rules import Rule
from decisioning.restrictions.history import Moments, ends, granted, happened, latest
from decisioning.restrictions.page import Blocked, Page
from domain.clock import FOREVER, MISSING
from domain.tables import HOLD_KINDS
from features.columns import index_of
from features.records import GRANTED

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]


def hold_stop(rule: Rule, page: Page) -> Blocked | None:
    """For as long as the hold is not released, which nobody can foresee."""
    assert isinstance(rule, HoldStop)
    return Blocked.where(on_hold(page, (rule.hold,))[:, None])


def on_hold(page: Page, kinds: tuple[str, ...]) -> Bools:
    """(n,) whether a hold of one of some kinds is in force."""
    mask = sum(1 << HOLD_KINDS.index(kind) for kind in kinds)
    return np.asarray(page.states.holds & mask != 0, dtype=np.bool_)


def active_promise(_rule: Rule, page: Page) -> Blocked | None:
    """Through the last local day of the promise, unless it is resolved before."""
    last = page.states.promised_until_day
    if not page.states.active_promise.any():
        return None
    if last is None:
        return Blocked.where(page.states.active_promise[:, None])
    following = np.where(last == MISSING, MISSING, np.where(last == MISSING, 0, last) + 1)
    return Blocked.until(page.days.at(following)[:, None])


def consent_required(rule: Rule, page: Page) -> Blocked | None:
    """Until a consent is given; from the moment it expires or grows too old."""
    assert isinstance(rule, ConsentRequired)
    ends_us = consent_ends(page)
    if rule.max_age_days is not None:
        row, channel, given_us = granted(page)
        width = len(page.catalogue.channels)
        unknown = np.zeros(len(row), dtype=np.int64)
        given = Moments(row, given_us, channel, unknown == 0, unknown, unknown)
        ends_us = np.minimum(ends_us, ends(latest(given, width, size=page.size), rule.max_age_days))
    return Blocked.since(ends_us[:, page.channel_of])


def consent_ends(page: Page) -> Int64s:
    """(n, channels) until when each channel is consented to; ``MISSING`` where not, ``FOREVER`` without an end."""
    states = page.states
    until = np.full(states.consent.shape, FOREVER) if states.consent_until_us is None else states.consent_until_us
    return np.where(states.consent == GRANTED, until, MISSING)


def opt_out(rule: Rule, page: Page) -> Blocked | None:
    """From what was said on, unless a consent came after it."""
    assert isinstance(rule, OptOut)
    said = happened(page, rule.responses)
    return _unless_cleared(page, said if rule.scope == "person" else said.take(said.own), days=rule.days)


def invalid_contact_point(rule: Rule, page: Page) -> Blocked | None:
    """From a sign that nobody is there on, unless a sign of life or a consent came after it."""
    assert isinstance(rule, InvalidContactPoint)
    dead = happened(page, rule.responses)
    if not len(dead.row):
        return None
    alive = happened(page, rule.cleared_by)
    # A sign of life on no channel that is known clears none.
    alive = alive.take(alive.own & (alive.channel >= 0))
    return _unless_cleared(page, dead.take(dead.own), days=rule.days, cleared=alive)


def _unless_cleared(page: Page, said: Moments, *, days: int | None, cleared: Moments | None = None) -> Blocked | None:
    if not len(said.row):
        return None
    width = len(page.catalogue.channels)
    since = latest(said, width, size=page.size)
    row, channel, given_us = granted(page)
    after = np.full((page.size, width), MISSING)
    np.maximum.at(after, (row, channel), given_us)
    if cleared is not None:
        after = np.maximum(after, latest(cleared, width, size=page.size))
    stands = (since != MISSING) & (since >= after)
    return Blocked.until(np.where(stands, ends(since, days), MISSING)[:, page.channel_of])


def do_not_call(rule: Rule, page: Page) -> Blocked | None:
    """Whoever is on the list, or has a contact point on it on the channel."""
    assert isinstance(rule, DoNotCall)
    if page.dossier is None or not rule.listed:
        return None
    encoded, accounts = page.dossier.encoded, page.dossier.spine.account.tolist()
    if rule.of == "contact_point_id":
        return Blocked.where(_listed_points(rule, page)[:, page.channel_of])
    names = [
        encoded.account_ids[account] if rule.of == "account_id" else encoded.debtor_ids[encoded.debtor[account]]
        for account in accounts
    ]
    return Blocked.where(np.array([hashed(name) in rule.listed for name in names], dtype=np.bool_)[:, None])


def _listed_points(rule: DoNotCall, page: Page) -> Bools:
    """(n, channels) whether a contact point that was ever used or consented to on a channel is listed."""
    assert page.dossier is not None
    found = np.zeros((page.size, len(page.catalogue.channels)), dtype=np.bool_)
    for table in ("contacts", "consents"):
        if page.dossier.encoded.tables.has(table):
            known, points = page.dossier.known(table), page.dossier.text(table, "contact_point_id")
            named = {code for code in points.codes.tolist() if code >= 0}
            codes = [code for code in named if hashed(points.values[code]) in rule.listed]
            if not codes:
                continue
            channel = page.dossier.text(table, "channel").recode(index_of(page.catalogue.channels))
            hit = np.isin(points.codes, codes) & (channel >= 0)
            found[known.row[hit], channel[hit]] = True
    return found


def hashed(name: str) -> str:
    """An id as it stands on a list.

    >>> hashed("p1")[:8]
    'f64551fc'
    """
    return sha256(name.encode()).hexdigest()


def approval(rule: Rule, page: Page) -> Blocked | None:
    """Until an approval is on record, and from its end on."""
    assert isinstance(rule, Approval)
    names = page.catalogue.names()
    gated = np.array([any(fnmatchcase(name, pattern) for pattern in rule.actions) for name in names])
    return Blocked.since(np.where(gated, approval_ends(page), FOREVER))


def approval_ends(page: Page) -> Int64s:
    """(n, A) until when each action is approved; ``MISSING`` where it is not, ``FOREVER`` without an end."""
    names = page.catalogue.names()
    until = np.full((page.size, len(names)), MISSING)
    dossier = page.dossier
    if dossier is None or not dossier.encoded.tables.has("approvals"):
        return until
    found, patterns = dossier.known("approvals"), dossier.text("approvals", "action")
    if not len(found.row):
        return until
    expires = dossier.ints("approvals", "expires_at")
    fits = np.array([[fnmatchcase(name, pattern) for name in names] for pattern in patterns.values], dtype=np.bool_)
    for row, own, code, end in zip(
        found.row.tolist(), found.own.tolist(), patterns.codes.tolist(), expires.tolist(), strict=True
    ):
        if own and code >= 0:
            until[row, fits[code]] = np.maximum(until[row, fits[code]], FOREVER if end == MISSING else end)
    return until


__all__ = [
    "active_promise", "approval", "approval_ends", "consent_ends", "consent_required", "do_not_call", "hashed",
    "hold_stop", "invalid_contact_point", "on_hold", "opt_out",
]  # fmt: skip
