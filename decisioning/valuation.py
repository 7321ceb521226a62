"""What each action asks for, costs and is expected to bring, in cents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from decisioning.config import Objective
from decisioning.response import Outcomes
from domain.actions import Action, made_once

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]


class Owing(Protocol):
    """What is read of the accounts' states: balance and overdue amount, each (n,) cents."""

    @property
    def balance_cents(self) -> Int64s:
        """Everything owed at ``as_of``, accrued charges included, net of credit."""

    @property
    def overdue_cents(self) -> Int64s:
        """The part of it that is past due."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """What each action asks for: ``due_cents`` (n,); ``discount_cents``, ``offer_cents``, ``instalment_cents`` (n, A).

    ``offer_cents`` is what is due less the discount; ``instalment_cents`` is 0 where there is no plan.
    ``balance_cents`` (n,) is all that is owed, be it due or not.
    """

    balance_cents: Int64s
    due_cents: Int64s
    discount_cents: Int64s
    offer_cents: Int64s
    instalment_cents: Int64s

    def of_row(self, row: int, *, times: int = 1) -> Amounts:
        """Those of one account, ``times`` over."""
        parts = (self.balance_cents, self.due_cents, self.discount_cents, self.offer_cents, self.instalment_cents)
        return Amounts(*(np.repeat(part[row : row + 1], times, axis=0) for part in parts))


@dataclass(frozen=True, slots=True)
class Worth:
    """Expected money of every action, (n, A) cents unless said; ``NaN`` where the outcome was not asked about.

    ``net_cents`` = recovered − cost − complaint − opt-out, as present values; ``objective_cents`` also takes the
    configured weight of discounts and the price of pressure off, and is what the policy compares.
    """

    recovered_cents: Floats
    cost_cents: Floats
    complaint_cents: Floats
    opt_out_cents: Floats
    net_cents: Floats
    objective_cents: Floats
    pressure_cents: Floats


def amount_due_cents(states: Owing) -> Int64s:
    """What a decision is about: the overdue amount, or the whole balance where nothing is overdue yet.

    A reminder before the due date asks for what will fall due; (n,), never negative.
    """
    overdue = np.minimum(states.overdue_cents, states.balance_cents)
    return np.maximum(np.where(overdue > 0, overdue, states.balance_cents), 0)


def amounts(due_cents: Int64s, actions: Sequence[Action], *, balance_cents: Int64s | None = None) -> Amounts:
    """Offers of all actions on what each account owes; cents rounded half to even.

    ``balance_cents`` (n,) is what is due where it is not given.

    >>> from types import SimpleNamespace as A
    >>> offers = [A(discount_pct=10.0, instalments=1), A(discount_pct=0.0, instalments=3)]
    >>> found = amounts(np.array([153_000]), offers)
    >>> found.offer_cents.tolist(), found.instalment_cents.tolist()
    ([[137700, 153000]], [[0, 51000]])
    """
    pct, parts = _offered(actions)
    discount = np.rint(due_cents[:, None] * pct / 100.0).astype(np.int64)
    offer = due_cents[:, None] - discount
    instalment = np.where(parts > 1, np.rint(offer / parts), 0).astype(np.int64)
    balance = due_cents if balance_cents is None else balance_cents
    return Amounts(
        balance_cents=balance,
        due_cents=due_cents,
        discount_cents=discount,
        offer_cents=offer,
        instalment_cents=instalment,
    )


def present_value(actions: Sequence[Action], monthly_rate: float) -> Floats:
    """(A,) factor of money that comes in by the action's schedule: a monthly plan is valued at its middle."""
    months = (_offered(actions)[1] - 1) / 2.0
    return np.asarray((1.0 + monthly_rate) ** -months, dtype=np.float64)


@made_once
def _offered(actions: Sequence[Action]) -> tuple[Floats, Int64s]:
    """(A,) each: discounts in percent, and instalments."""
    pct, parts = [action.discount_pct for action in actions], [action.instalments for action in actions]
    return np.array(pct), np.array(parts)


@made_once
def _costs(actions: Sequence[Action]) -> tuple[Floats, Floats]:
    """(A,) each: cents of an attempt, and of an incentive."""
    attempt, benefit = (
        [100.0 * action.unit_cost for action in actions],
        [100.0 * action.offer_cost for action in actions],
    )
    return np.array(attempt), np.array(benefit)


@made_once
def _intrusiveness(actions: Sequence[Action]) -> Floats:
    return np.array([action.intrusiveness for action in actions])


def recovered_cents(outcomes: Outcomes, asked: Amounts, present: Floats) -> Floats:
    """Expected money of all actions, (n, A), as present value.

    Notes
    -----
    A funnel tells what share of the balance comes back. A hurdle's money is p_pay · share · offer · ``present`` (A,) +
    (1 − p_pay) · late · due. Its second part is late self-cure: money of those who do not pay within the label's
    horizon but do within the value horizon. They have not taken the offer, so it is a share of all that is due, without
    discount and without plan.
    """
    if outcomes.returned is not None:
        return outcomes.returned * np.maximum(asked.balance_cents, 0)[:, None]
    assert outcomes.share is not None and outcomes.late is not None
    taken = outcomes.p_pay * outcomes.share * asked.offer_cents * present
    return taken + (1.0 - outcomes.p_pay) * outcomes.late * asked.due_cents[:, None]


def worth(
    outcomes: Outcomes,
    asked: Amounts,
    actions: Sequence[Action],
    objective: Objective,
    *,
    carried: Floats | None = None,
) -> Worth:
    """Expected money of all actions on all accounts (contract §2, value of a decision).

    Parameters
    ----------
    carried : (n,) units of pressure that each debtor carries (``decisioning.pressure``); by default none

    Notes
    -----
    Recovered is ``recovered_cents``. The cost of an attempt and of an incentive is paid whether or not
    the account pays; so is what a complaint or an opt-out costs, weighted by its probability. Where it is known how
    often a decision is carried out and received, an attempt costs that often, and an incentive is given that often.
    Pressure costs price · p_sent · intrusiveness · (1 + carried); it is a shadow price, and in the objective alone.
    """
    recovered = recovered_cents(outcomes, asked, present_value(actions, objective.monthly_discount_rate))
    attempt, benefit = _costs(actions)
    sent, reached = (1.0 if p is None else p for p in (outcomes.p_sent, outcomes.p_reached))
    cost = np.where(np.isnan(recovered), np.nan, sent * attempt + reached * benefit)
    complaint = 100.0 * objective.complaint_cost * outcomes.p_complaint
    opt_out = 100.0 * objective.opt_out_cost * outcomes.p_opt_out
    net = recovered - cost - complaint - opt_out
    pressure = np.zeros_like(net)
    if objective.pressure_price > 0:
        presses = 100.0 * objective.pressure_price * _intrusiveness(actions)
        pressure = sent * presses * (1.0 if carried is None else 1.0 + carried[:, None]) + np.zeros_like(net)
    weighted = net - objective.discount_weight * outcomes.p_pay * asked.discount_cents - pressure
    return Worth(recovered, cost, complaint, opt_out, net, weighted, pressure)
