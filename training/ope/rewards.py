"""What each logged decision brought: the contract's value of a decision, over a stated number of days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from decisioning.config import Objective
from domain.actions import Action
from domain.clock import FOREVER
from features.encoding import Encoded
from features.spine import Spine
from training import labels
from training.dataset import Horizon
from training.ope.estimators import Floats, Int64s

_HORIZONS = (365, 270, 180, 120, 90, 60, 30)
_ENOUGH = 0.3
"""Share of the decisions that must have lived through a horizon before they are valued over it."""


@dataclass(frozen=True, slots=True)
class Terms:
    """``value_days`` over which money counts, ``event_days`` over which complaints and opt-outs do, and their costs."""

    value_days: int
    event_days: int
    objective: Objective


def value_days(as_of_us: Int64s, horizon: Horizon, *, longest: int) -> int:
    """The value horizon, or the longest below it that three in ten decisions have lived through; at least 30 days."""
    for days in (longest, *(days for days in _HORIZONS if days < longest)):
        if len(as_of_us) and horizon.mature(as_of_us, days).mean() >= _ENOUGH:
            return days
    return min(longest, _HORIZONS[-1])


def rewards(
    encoded: Encoded, spine: Spine, actions: tuple[Action, ...], action: Int64s, *, rows: Int64s, terms: Terms
) -> Floats:
    """(n,) value of each decision, in currency.

    Parameters
    ----------
    actions, action : distinct logged actions, and (n,) each row's position among them
    rows : (n,) rows of the decisions table

    Notes
    -----
    Present value at the decision of the money received in ``value_days`` on debts known by then, net of reversals; less
    the cost of the attempts that carried it out, and of complaints and opt-outs within ``event_days``. By intention to
    treat: what later decisions brought is in the money, whatever they were, and what they cost is theirs.
    """
    monthly = terms.objective.monthly_discount_rate
    money = labels.present_value_cents(
        labels.receipts(encoded), spine, horizon_days=terms.value_days, monthly_rate=monthly
    )
    days = terms.event_days
    complained = labels.complaints(encoded).any_within(spine, horizon_days=days)
    opted_out = np.any([index.any_within(spine, horizon_days=days) for index in labels.opt_outs(encoded)], axis=0)
    spent = terms.objective.complaint_cost * complained + terms.objective.opt_out_cost * opted_out
    return np.asarray(money / 100.0 - spent - _cost(encoded, actions, action, rows), dtype=np.float64)


def _cost(encoded: Encoded, actions: tuple[Action, ...], action: Int64s, rows: Int64s) -> Floats:
    """What the attempts that name the decision cost; where contacts name no decision, what the action costs.

    A contact without a cost of its own costs what its action does; so does the benefit of an incentive.
    """
    unit = np.array([one.unit_cost for one in actions])[action]
    benefit = np.array([one.offer_cost for one in actions])[action]
    if not encoded.tables.has("contacts"):
        return np.asarray(unit + benefit, dtype=np.float64)
    named = encoded.tables.text("contacts", "decision_id")
    decisions = encoded.tables.text("decisions", "decision_id")
    code = named.recode({name: place for place, name in enumerate(decisions.values)})
    current = np.flatnonzero((code >= 0) & (encoded.known_until("contacts") == FOREVER))
    if not len(current):
        return np.asarray(unit + benefit, dtype=np.float64)
    place = np.full(len(decisions.values), -1, dtype=np.int64)
    place[decisions.codes[rows]] = np.arange(len(rows))
    row = place[code[current]]
    cost = encoded.tables.floats("contacts", "cost")[current]
    row, cost = row[row >= 0], cost[row >= 0]
    spent = np.where(np.isnan(cost), unit[row], cost) + benefit[row]
    return np.bincount(row, weights=spent, minlength=len(rows)).astype(np.float64)
