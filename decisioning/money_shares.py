"""Where the expected money of a decision comes from: by factor, and by feature, exactly.

Expected money is a product of learned quantities less costs, so that no factor has an amount of its own: what each adds
is its Shapley value (Shapley, *A value for n-person games*, 1953) over all orders in which the factors can be set, of
which there are few enough to go through them all. A factor's amount is then split over features as its own margin is.

Asked of one action, factors go from their average to what they are for this account; asked why this action and not that
one, from those of the other action to those of the chosen one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import factorial

import numpy as np
import numpy.typing as npt

from decisioning.money_parts import FACTOR_OF, FACTORS, Account, Parts, parts_of
from decisioning.quantity_shares import Margins, explained_by

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MoneyShares:
    """``start_cents`` plus all ``shares`` is ``total_cents``.

    ``shares`` (f, w + 1) has a row for each of ``FACTORS``, and a column for each of ``names`` (w,); the last is what
    no feature explains, because it was not learned.
    """

    start_cents: float
    total_cents: float
    shares: Floats
    names: Sequence[str]

    def by_factor(self) -> dict[str, float]:
        """Cents of each factor."""
        return dict(zip(FACTORS, self.shares.sum(axis=1).tolist(), strict=True))

    def by_feature(self) -> dict[str, float]:
        """Cents of each feature that has any over all factors, strongest first; what no feature explains left out."""
        cents = self.shares[:, :-1].sum(axis=0)
        order = np.lexsort((np.arange(len(cents)), -np.abs(cents)))
        return {self.names[place]: float(cents[place]) for place in order.tolist() if cents[place] != 0.0}


def money_and_differences(
    account: Account, chosen: int, others: Sequence[int]
) -> tuple[MoneyShares, list[MoneyShares]] | None:
    """The money of the chosen action, and its difference to each of the others on the same account.

    The first goes from an average account that owes the same to this one, and is ``expected_net_value``. A difference
    goes from the other action to the chosen one, and is that of both values. Waiting is neither received nor agreed to,
    so that the whole of either is the contact's: an average account's share of it is no feature's. ``None`` where there
    is no model of a known form.
    """
    actions = [chosen, *others]
    told = parts_of(account, actions)
    if told is None:
        return None
    gaps = [_against(account, told, actions, place) for place in range(1, len(actions))]
    return _own(account, told, chosen), gaps


def _own(account: Account, told: Parts, action: int) -> MoneyShares:
    moves = {name: _Move(part.base_value, float(part.value[0]), part.added[0]) for name, part in told.learned.items()}
    if account.actions[action].is_wait:
        moves |= {name: _Move(0.0, 0.0) for name in told.of_contact}
    return _shares(told, moves | {name: _Move(value, value) for name, value in told.given[0].items()}, account.names)


def _against(account: Account, told: Parts, actions: Sequence[int], place: int) -> MoneyShares:
    """The first of the actions against the one at a place."""
    moves = {
        name: _Move(float(part.value[place]), float(part.value[0]), part.added[0] - part.added[place])
        for name, part in told.learned.items()
    }
    moves |= {name: _Move(before, told.given[0][name]) for name, before in told.given[place].items()}
    waits = [account.actions[actions[at]].is_wait for at in (0, place)]
    if any(waits):
        # What is sent and not received is as if it had not been sent: one factor is enough to be nothing.
        sent = max(told.given[at].get("sent", 0.0) for at in (0, place))
        contact = place if waits[0] else 0
        moves |= {"sent": _Move(sent, sent)} if "sent" in moves else {}
        moves |= {name: _absent(told.learned[name], contact, waits=waits) for name in told.of_contact}
        moves |= {name: _unmoved(float(told.learned[name].value[contact])) for name in told.of_deal}
    found = _shares(told, moves, account.names)
    return MoneyShares(0.0, found.total_cents - found.start_cents, found.shares, found.names)


@dataclass(frozen=True, slots=True)
class _Move:
    """A part before and now, and what each column adds to its margin; of ``unlearned`` of it no column has a share."""

    before: float
    now: float
    added: Floats | None = None
    unlearned: float = 0.0


def _absent(part: Margins, contact: int, *, waits: Sequence[bool]) -> _Move:
    """A part that is nothing under whichever of two actions waits; ``contact`` is the place of the other one."""
    told = float(part.value[contact])
    now, before = (0.0 if wait else told for wait in waits)
    return _Move(before, now, part.added[contact], unlearned=1.0 if told == 0.0 else part.base_value / told)


def _unmoved(value: float) -> _Move:
    """A part that whichever of two actions waits does not have: nothing follows from it there."""
    return _Move(value, value)


def _shares(told: Parts, moves: Mapping[str, _Move], names: Sequence[str]) -> MoneyShares:
    moved = {name: place for place, name in enumerate(name for name, move in moves.items() if move.now != move.before)}
    sets = _sets(len(moved))
    worth = told.net(
        {
            name: np.where(sets[moved[name]], move.now, move.before) if name in moved else np.full(1, move.now)
            for name, move in moves.items()
        }
    )
    worth = np.broadcast_to(worth, sets.shape[1])
    found = np.zeros((len(FACTORS), len(names) + 1))
    for cents, name in zip(shapley_values(worth).tolist(), moved, strict=True):
        row, move = found[FACTOR_OF[name]], moves[name]
        unlearned = cents if move.added is None else cents * move.unlearned
        row[-1] += unlearned
        if move.added is not None:
            row[:-1] += explained_by(move.added, cents - unlearned)
    return MoneyShares(float(worth[0]), float(worth[-1]), found, names)


@lru_cache
def _sets(factors: int) -> npt.NDArray[np.bool_]:
    """(f, 2**f) whether each factor is in each set: factor i is in those whose bit i is set."""
    found: npt.NDArray[np.bool_] = (np.arange(2**factors) >> np.arange(factors)[:, None]) & 1 == 1
    return found


@lru_cache
def _weights(factors: int) -> Floats:
    """(f, 2**f) what the value of each set counts for each factor: its average gain over all orders of setting them."""
    sizes = _sets(factors).sum(axis=0)
    orders = np.array([factorial(n) * factorial(factors - n - 1) / factorial(factors) for n in range(factors)])
    found: Floats = np.where(_sets(factors), np.append(0.0, orders)[sizes], -np.append(orders, 0.0)[sizes])
    return found


def shapley_values(worth: Floats) -> Floats:
    """What each of f factors adds on average over all orders of setting them.

    Parameters
    ----------
    worth : (2**f,) the value of every set of factors, factor i being in those whose bit i is set

    >>> shapley_values(np.array([0.0, 0.0, 0.0, 8.0])).tolist()
    [4.0, 4.0]
    """
    # Sums of products in numpy's own order: a library for matrices may sum otherwise on another machine.
    found: Floats = (_weights(len(worth).bit_length() - 1) * worth).sum(axis=1)
    return found
