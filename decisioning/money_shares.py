"""Where the expected money of a decision comes from: by factor, and by feature, to the cent.

Expected money is a product of learned quantities less costs, so that no factor has an amount of its own: what each adds
is its Shapley value (Shapley, *A value for n-person games*, 1953) over all orders in which the factors can be set, of
which there are few enough to go through them all. A factor's amount is then split over features as its own margin is.

Asked of one action, factors go from their average to what they are for this account; asked why this action and not that
one, from those of the other action to those of the chosen one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import factorial

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from decisioning.candidates import Grid, grid
from decisioning.config import Objective
from decisioning.funnel import ROOF, SURE, FunnelModel, untouched
from decisioning.quantity_shares import Margins, explained_by, margins_of, names_of
from decisioning.response import HurdleModel, ResponseModel
from decisioning.valuation import Amounts, present_value
from domain.actions import Action
from features.schema import FeatureSchema

Floats = npt.NDArray[np.float64]
Values = Mapping[str, Floats]

FACTORS = {
    "reached": ("sent", "received"),
    "agrees": ("agreed",),
    "pays": ("pay",),
    "amount": ("deal", "self", "share", "late", "terms"),
    "cost": ("attempt", "benefit"),
    "complaint": ("complaint", "opt_out"),
}
"""What is told as one factor, and the parts that it has in one or the other form of model."""
PRICE = "price"
"""The factor of what is no money of the account: the charge for scarce resources, pressure, the weight of discounts."""


@dataclass(frozen=True)
class Share:
    """What a feature adds through a factor, in cents; ``feature`` is ``None`` where the factor was not learned."""

    factor: str
    feature: str | None
    cents: float


@dataclass(frozen=True)
class MoneyShares:
    """``start_cents`` plus all ``shares`` is ``total_cents``."""

    start_cents: float
    total_cents: float
    shares: tuple[Share, ...]

    def by_factor(self) -> dict[str, float]:
        """Cents of each factor that has any."""
        found: dict[str, float] = {}
        for share in self.shares:
            found[share.factor] = found.get(share.factor, 0.0) + share.cents
        return found

    def by_feature(self) -> dict[str, float]:
        """Cents of each feature over all factors, strongest first; what no feature explains is left out."""
        found: dict[str, float] = {}
        for share in self.shares:
            if share.feature is not None:
                found[share.feature] = found.get(share.feature, 0.0) + share.cents
        return dict(sorted(found.items(), key=lambda item: (-abs(item[1]), item[0])))


@dataclass(frozen=True)
class Account:
    """One account under all actions: its features (1, k), what it owes and is offered, and the model's form of it."""

    values: Floats
    asked: Amounts
    schema: FeatureSchema
    actions: Sequence[Action]
    response: ResponseModel
    objective: Objective

    @property
    def names(self) -> list[str]:
        """Names of the columns in which shares are computed."""
        return names_of(self.schema.names, self.response.names)


def own_money(account: Account, action: int) -> MoneyShares | None:
    """From an average account that owes the same to this one, under one action: of ``expected_net_value``.

    ``None`` where there is no learned model of a known form.
    """
    told = _parts(account, [action])
    if told is None:
        return None
    given = told.given[0]
    moves = {name: _Move(part.base_value, float(part.value[0]), part.added[0]) for name, part in told.learned.items()}
    if account.actions[action].is_wait:
        moves |= {name: _Move(0.0, 0.0) for name in told.of_contact}
    return _shares(told.net, moves | {name: _Move(value, value) for name, value in given.items()}, account.names)


def difference(account: Account, chosen: int, other: int) -> MoneyShares | None:
    """From another action on the same account to the chosen one: of the difference of their ``expected_net_value``.

    Waiting is neither received nor agreed to, so that the whole of either is the contact's: an average account's share
    of it is no feature's.
    """
    told = _parts(account, [chosen, other])
    if told is None:
        return None
    moves = {
        name: _Move(float(part.value[1]), float(part.value[0]), part.added[0] - part.added[1])
        for name, part in told.learned.items()
    }
    moves |= {name: _Move(before, told.given[0][name]) for name, before in told.given[1].items()}
    waits = [account.actions[place].is_wait for place in (chosen, other)]
    if any(waits):
        # What is sent and not received is as if it had not been sent: one factor is enough to be nothing.
        sent = max(given.get("sent", 0.0) for given in told.given)
        moves |= {"sent": _Move(sent, sent)} if "sent" in moves else {}
        moves |= {name: _absent(told.learned[name], waits=waits) for name in told.of_contact}
        moves |= {name: _unmoved(told.learned[name], waits=waits) for name in told.of_deal}
    found = _shares(told.net, moves, account.names)
    return MoneyShares(0.0, found.total_cents - found.start_cents, found.shares)


@dataclass(frozen=True)
class _Move:
    """A part before and now, and what each column adds to its margin; of ``unlearned`` of it no column has a share."""

    before: float
    now: float
    added: Floats | None = None
    unlearned: float = 0.0


def _absent(part: Margins, *, waits: Sequence[bool]) -> _Move:
    """A part that is nothing under whichever of two actions waits."""
    now, before = (0.0 if wait else float(value) for wait, value in zip(waits, part.value, strict=True))
    place = 1 if waits[0] else 0
    told = float(part.value[place])
    unlearned = 1.0 if told == 0.0 else part.base_value / told
    return _Move(before, now, part.added[place], unlearned=unlearned)


def _unmoved(part: Margins, *, waits: Sequence[bool]) -> _Move:
    """A part that whichever of two actions waits does not have: nothing follows from it there."""
    value = float(part.value[1 if waits[0] else 0])
    return _Move(value, value)


@dataclass(frozen=True)
class _Parts:
    """Learned quantities of some candidates, what is given of each, and the net value that they make, in cents.

    ``of_contact`` are the quantities that are 0 without a contact, ``of_deal`` those that do not matter without one.
    """

    learned: Mapping[str, Margins]
    given: list[dict[str, float]]
    net: Callable[[Values], Floats]
    of_contact: tuple[str, ...] = ()
    of_deal: tuple[str, ...] = ()


def _parts(account: Account, actions: Sequence[int]) -> _Parts | None:
    response = account.response
    asked = [account.actions[place] for place in actions]
    table = grid(account.values, account.schema, asked, names=response.names)
    if isinstance(response, FunnelModel):
        return _funnel(account, response, table, asked)
    if isinstance(response, HurdleModel):
        return _hurdle(account, response, table, actions)
    return None


def _learned(account: Account, table: Grid, heads: Sequence[str]) -> dict[str, Margins] | None:
    at = np.arange(len(table.past))
    found = {name: margins_of(account.response.heads[name], table, at) for name in heads}
    return {name: part for name, part in found.items() if part is not None} if None not in found.values() else None


def _funnel(account: Account, response: FunnelModel, table: Grid, asked: Sequence[Action]) -> _Parts | None:
    contact = ("received", "agreed", "complaint", "opt_out")
    learned = _learned(account, table, (*contact, "deal"))
    alone = margins_of(response.heads["self"], untouched(account.values, response.names), np.zeros(len(asked), int))
    if learned is None or alone is None:
        return None
    given = [{**_prices(action), "sent": response.sent_of(action)} for action in asked]
    balance, objective = float(max(account.asked.balance_cents[0], 0)), account.objective

    def net(q: Values) -> Floats:
        share, added = np.clip(q["self"], SURE, 1.0 - SURE), np.clip(q["deal"], SURE, 1.0 - SURE)
        itself, deal = ROOF * share, ROOF * expit(logit(share) + logit(added))
        reached = q["sent"] * q["received"]
        returned = itself + response.kept * reached * q["agreed"] * (deal - itself)
        worth: Floats = returned * balance - _costs(q, objective, sent=q["sent"], reached=reached)
        return worth

    return _Parts(learned | {"self": alone}, given, net, contact, ("deal",))


def _hurdle(account: Account, response: HurdleModel, table: Grid, actions: Sequence[int]) -> _Parts | None:
    learned = _learned(account, table, tuple(response.heads))
    if learned is None:
        return None
    present = present_value(account.actions, account.objective.monthly_discount_rate)
    offer, due = account.asked.offer_cents[0], float(account.asked.due_cents[0])
    given = [{**_prices(account.actions[at]), "terms": float(offer[at] * present[at])} for at in actions]

    def net(q: Values) -> Floats:
        share, late = np.clip(q["share"], 0.0, 1.0), np.clip(q["late"], 0.0, 1.0)
        recovered = q["pay"] * share * q["terms"] + (1.0 - q["pay"]) * late * due
        worth: Floats = recovered - _costs(q, account.objective, sent=np.ones(1), reached=np.ones(1))
        return worth

    return _Parts(learned, given, net)


def _prices(action: Action) -> dict[str, float]:
    return {"attempt": 100.0 * action.unit_cost, "benefit": 100.0 * action.offer_cost}


def _costs(q: Values, objective: Objective, *, sent: Floats, reached: Floats) -> Floats:
    harm = objective.complaint_cost * q["complaint"] + objective.opt_out_cost * q["opt_out"]
    return sent * q["attempt"] + reached * q["benefit"] + 100.0 * sent * harm


def _shares(net: Callable[[Values], Floats], moves: Mapping[str, _Move], names: Sequence[str]) -> MoneyShares:
    moved = [name for name, move in moves.items() if move.now != move.before]
    sets = (np.arange(2 ** len(moved))[:, None] >> np.arange(len(moved))) & 1
    worth = net(
        {
            name: np.where(sets[:, moved.index(name)] if name in moved else 1, move.now, move.before)
            for name, move in moves.items()
        }
    )
    worth = np.broadcast_to(worth, len(sets))
    added = shapley_values(worth)
    shares: list[Share] = []
    for place, name in enumerate(moved):
        cents, move = float(added[place]), moves[name]
        factor = next(factor for factor, parts in FACTORS.items() if name in parts)
        unlearned = cents if move.added is None else cents * move.unlearned
        if unlearned:
            shares.append(Share(factor, None, unlearned))
        if move.added is not None:
            split = explained_by(move.added, cents - unlearned)
            shares += [Share(factor, names[column], float(split[column])) for column in np.flatnonzero(split).tolist()]
    return MoneyShares(float(worth[0]), float(worth[-1]), tuple(shares))


def shapley_values(worth: Floats) -> Floats:
    """What each of f factors adds on average over all orders of setting them.

    Parameters
    ----------
    worth : (2**f,) the value of every set of factors, factor i being in those whose bit i is set

    >>> shapley_values(np.array([0.0, 0.0, 0.0, 8.0])).tolist()
    [4.0, 4.0]
    """
    factors = len(worth).bit_length() - 1
    sets = np.arange(len(worth))
    size = np.bitwise_count(sets)
    orders = np.array([factorial(n) * factorial(factors - n - 1) / factorial(factors) for n in range(factors)])
    without = [sets[sets >> place & 1 == 0] for place in range(factors)]
    return np.array(
        [(orders[size[some]] * (worth[some | 1 << place] - worth[some])).sum() for place, some in enumerate(without)]
    )
