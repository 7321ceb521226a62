"""What became of proposals by a later moment, check by check: rules, contacts elsewhere, amounts, and value."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from decisioning.bundle import ModelBundle
from decisioning.contact_policy import ContactPolicy
from decisioning.contact_policy.kinds import OneContactPerDebtor
from decisioning.desk import Desk
from decisioning.eligibility import Eligibility, Page, eligibility
from decisioning.moments import LocalDays
from decisioning.offers import offers
from decisioning.opening import openings
from decisioning.pages import spine_at
from decisioning.proposals import Proposal
from decisioning.restrictions.page import Bools, Int64s, Origin
from decisioning.restrictions.registry import in_force_today, origin_of
from decisioning.restrictions.segments import rows_of
from decisioning.since import Since
from decisioning.valuation import amount_due_cents, amounts
from domain.clock import MISSING
from features.encoding import Encoded
from features.spine import Spine
from features.state import account_states


@dataclass(frozen=True)
class Look:
    """n proposals and what is known of their accounts at ``at_us``.

    ``action`` (n,) is the place of each action in the catalogue of now, 0 where it has none. ``eligible`` is what the
    rules say: of the very moment within the proposals' spans, and outside of them of what is left of the day.
    """

    proposals: Sequence[Proposal]
    at_us: int
    desk: Desk
    since: Since
    page: Page
    action: npt.NDArray[np.int64]
    eligible: Eligibility

    @property
    def rows(self) -> npt.NDArray[np.int64]:
        """(n,) positions of the proposals."""
        return np.arange(len(self.proposals))

    @classmethod
    def at(cls, at_us: int, proposals: Sequence[Proposal], encoded: Encoded, *, desk: Desk, within: bool) -> Look:
        """A look at proposals that are all within their spans, or all outside of them."""
        account = np.array([encoded.index[one.account_id] for one in proposals], dtype=np.int32)
        spine = Spine(account, np.full(len(account), at_us, dtype=np.int64))
        then = Spine(account, np.array([one.decided_at_us for one in proposals], dtype=np.int64))
        since = Since.of(encoded, then=then, now=spine)
        states = account_states(encoded, spine, channels=desk.catalogue.channels)
        asked = amounts(amount_due_cents(states), desk.catalogue.actions, balance_cents=states.balance_cents)
        days = LocalDays(spine.as_of_us, states.local_day, states.zone, states.zone_names)
        page = Page(states, days, desk.catalogue, asked, since.now)
        action = np.array([desk.catalogue.index.get(one.action, 0) for one in proposals], dtype=np.int64)
        eligible = eligibility(page, desk.contact_policy, now=within)
        return cls(proposals, at_us, desk, since, page, action, eligible)


class Refused(NamedTuple):
    """What one rule refuses: (n,), and until when, ``MISSING`` where that is not known."""

    origin: Origin
    rows: Bools
    until_us: Int64s


def by_rules(look: Look) -> Iterator[Refused]:
    """What the contact policy refuses, by layer and rule; that the time of day is over, a span over says itself."""
    for finding in look.eligible.findings:
        refused = finding.refused[look.rows, look.action]
        if finding.origin.rule == "moment.over":
            refused = refused & np.array([look.at_us < one.valid_until_us for one in look.proposals])
        yield Refused(finding.origin, refused, finding.until_us[look.rows, look.action])


def by_contacts_elsewhere(look: Look) -> Iterator[Refused]:
    """Contacts of the same local day on another account of the debtor, where one a day is the rule."""
    tomorrow = look.page.days.at(look.page.days.day + 1)
    for rule in look.desk.contact_policy.rules:
        if isinstance(rule, OneContactPerDebtor):
            about = look.page.about(rule)[look.action] & rows_of(rule, look.page) & in_force_today(rule, look.page)
            yield Refused(origin_of(rule), about & _met_elsewhere(look, rule.covers), tomorrow)


def _met_elsewhere(look: Look, covers: Callable[[str], bool]) -> Bools:
    known, days = look.since.now.known("contacts"), look.page.days
    found = np.zeros(len(look.proposals), dtype=np.bool_)
    if len(known.row):
        channels = look.since.now.text("contacts", "channel")
        # A contact on no known channel reached somebody, too.
        counts = np.array([*(covers(channel) for channel in channels.values), True])[channels.codes]
        today = days.rows(known.row, known.at_us).day == days.day[known.row]
        found[known.row[counts & today & ~known.own]] = True
    return found


def offer_changed(look: Look) -> Bools:
    """(n,) whether the action would ask for another amount now, or a debt of the proposal is not open any more."""
    asked, states = look.page.asked, look.page.states
    now = zip(*(part[look.rows, look.action].tolist() for part in (asked.offer_cents, asked.instalment_cents)),
              strict=True)  # fmt: skip
    changed = [
        amounts_now != (one.offer_amount_cents, one.instalment_cents) or not {*one.debt_ids} <= {*states.debt_ids(row)}
        for row, (one, amounts_now) in enumerate(zip(look.proposals, now, strict=True))
    ]
    return np.array(changed, dtype=np.bool_) & (look.action > 0) & states.owes


def opens_us(look: Look) -> Int64s:
    """(n,) the first moment at or after now and ``not_before`` that no rule forbids, ``FOREVER`` where there is none.

    Nothing new and no other amounts being assumed.
    """
    first = np.array([max(look.at_us, one.not_before_us) for one in look.proposals], dtype=np.int64)
    wanted = np.zeros(look.eligible.allowed.shape, dtype=np.bool_)
    wanted[look.rows, look.action] = True
    rest = replace(look.eligible.rest, start_us=np.broadcast_to(first[:, None], wanted.shape))
    found: Int64s = openings(rest, wanted).at_us[look.rows, look.action]
    return found


def not_worth_it(look: Look, bundle: ModelBundle, *, asked: Bools) -> Bools:
    """(n,) whether a contact that was worth more than waiting no longer is, where anything became known since.

    Parameters
    ----------
    asked : (n,) the proposals to look at; others are not valued

    Notes
    -----
    Which of a debtor's accounts is contacted was chosen with the decision, so that each is valued by itself here.
    """
    gained = np.array([one.incremental_net_cents > 0 for one in look.proposals], dtype=np.bool_)
    rows = np.flatnonzero(asked & gained & look.since.anything())
    found = np.zeros(len(look.proposals), dtype=np.bool_)
    if not len(rows):
        return found
    desk = replace(look.desk, contact_policy=_each_account(look.desk.contact_policy))
    accounts = np.unique(look.page.states.spine.account[rows]).astype(np.int64)
    now = offers(look.since.encoded, spine_at(accounts, look.at_us), bundle, desk)
    own, action = np.searchsorted(accounts, look.page.states.spine.account[rows]), look.action[rows]
    # To the cent, as records have it: a gain that rounds to nothing is none.
    gained_cents = np.rint(now.money.net_cents[own, action]) - np.rint(now.money.net_cents[own, 0])
    # Refused by a rule at the moment, it has no value yet; allowed and still without one, it is worth nothing.
    worthless = np.where(now.eligible.allowed[own, action], gained_cents <= 0, look.eligible.allowed[rows, action])
    found[rows] = worthless
    return found


def _each_account(policy: ContactPolicy) -> ContactPolicy:
    return replace(policy, rules=tuple(rule for rule in policy.rules if not isinstance(rule, OneContactPerDebtor)))


def known_until(refused: Refused, row: int) -> int | None:
    """Until when a rule refuses a row, where that is known."""
    until = int(refused.until_us[row])
    return None if until == MISSING else until
