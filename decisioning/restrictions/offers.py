"""Rules about what may be offered: bounds by segment, and plans that leave enough to live on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy.kinds import Affordability, OfferLimit
from decisioning.contact_policy.rules import Rule
from decisioning.restrictions.page import Blocked, Page
from decisioning.restrictions.pressure import in_distress_until
from domain.clock import FOREVER, MISSING

Bools = npt.NDArray[np.bool_]


def offer_limit(rule: Rule, page: Page) -> Blocked | None:
    """For as long as the offer is beyond one of the bounds."""
    assert isinstance(rule, OfferLimit)
    asked, actions = page.asked, page.catalogue.actions
    offered = np.array([action.offer_kind != "none" for action in actions])
    beyond = np.zeros(asked.offer_cents.shape, dtype=np.bool_)
    if rule.max_discount_pct is not None:
        beyond |= np.array([action.discount_pct > rule.max_discount_pct for action in actions])
    if rule.max_instalments is not None:
        beyond |= np.array([action.instalments > rule.max_instalments for action in actions])
    if rule.min_offer_amount is not None:
        beyond |= offered & (asked.offer_cents < 100.0 * rule.min_offer_amount)
    if rule.min_instalment_amount is not None:
        beyond |= (asked.instalment_cents > 0) & (asked.instalment_cents < 100.0 * rule.min_instalment_amount)
    return Blocked.where(beyond)


def affordability(rule: Rule, page: Page) -> Blocked | None:
    """For as long as the instalment is more than the income can bear, or the income must be known and is not.

    The second ends with the days for which a reason counts; a hold ends when it is released.
    """
    assert isinstance(rule, Affordability)
    income = np.full(page.size, np.nan) if page.dossier is None else page.dossier.number(rule.income)
    known = np.isfinite(income)
    distress = in_distress_until(page, rule.known_income_for, rule.known_income_for_reasons, days=rule.reason_days)
    if not known.any() and (distress == MISSING).all():
        return None
    # To the cent: a share of an income is not a whole number of them, and a plan may not exceed it by any.
    most = np.floor(100.0 * np.minimum(rule.max_share * income, income - rule.leave_at_least) + 1e-6)
    plans = page.asked.instalment_cents > 0
    dear = page.asked.instalment_cents > np.where(known, most, np.inf)[:, None]
    must_know = np.where(known, MISSING, distress)[:, None]
    return Blocked.until(np.where(plans, np.where(dear, FOREVER, must_know), MISSING))
