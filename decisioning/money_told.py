"""The money of a decision as it is told: shares rounded to whole cents that still add up, and what is no money.

What rounding leaves goes to the average account's amount, and where there is none, as in a difference, to the factors
that lost most by being rounded down. What no feature explains takes the same of the features.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from decisioning.money_parts import Account
from decisioning.money_shares import MoneyShares, money_and_differences
from domain.decisions import Difference, MoneySplit

Floats = npt.NDArray[np.float64]
PRICE = "price"
"""The factor of what is no money of the account: the charge for scarce resources, pressure, the weight of discounts."""


class Compared(NamedTuple):
    """All actions (A,) of one account in cents: the money, and what the policy compares; ``NaN`` where not allowed."""

    net_cents: Floats
    objective_cents: Floats


def told_money(
    account: Account, compared: Compared, chosen: int, others: Mapping[str, int]
) -> tuple[MoneySplit | None, dict[str, Difference]]:
    """Where the expected net value of the chosen action comes from, and its difference to others by their name.

    Parameters
    ----------
    chosen, others : positions of actions that are allowed

    Returns
    -------
    The split is ``None``, and so is that of each difference, where the model is of a form that is not known here
    """
    places = list(dict.fromkeys(others.values()))
    found = money_and_differences(account, chosen, places)
    own = None if found is None else _own(found[0], round(float(compared.net_cents[chosen])))
    gaps = {
        place: _difference(None if found is None else found[1][number], account, compared, (chosen, place))
        for number, place in enumerate(places)
    }
    return own, {name: gaps[place] for name, place in others.items()}


def _own(found: MoneyShares, total: int) -> MoneySplit:
    by_factor = {name: round(cents) for name, cents in found.by_factor().items()}
    average = total - sum(by_factor.values())
    return MoneySplit(total, average, by_factor, _by_feature(found, total - average))


def _difference(found: MoneyShares | None, account: Account, compared: Compared, pair: tuple[int, int]) -> Difference:
    chosen, other = pair
    prices = compared.objective_cents - compared.net_cents
    price = float(prices[chosen] - prices[other])
    total = round(float(compared.objective_cents[chosen] - compared.objective_cents[other]))
    name = account.actions[other].name
    if found is None:
        return Difference(name, total, None)
    factors = found.by_factor() | {PRICE: price}
    whole = in_whole(list(factors.values()), total)
    split = MoneySplit(total, 0, dict(zip(factors, whole, strict=True)), _by_feature(found, total))
    return Difference(name, total, split)


def _by_feature(found: MoneyShares, total: int) -> tuple[tuple[str | None, int], ...]:
    """Features that have a cent at least, strongest first, and last what none of them explains."""
    told = {name: round(cents) for name, cents in found.by_feature().items()}
    listed = [(name, cents) for name, cents in told.items() if cents]
    return (*listed, (None, total - sum(told.values())))


def in_whole(parts: Sequence[float], total: int) -> list[int]:
    """Parts as whole numbers that add up to ``total``, each less than 1 from what it was where they added up before.

    They are rounded down, and those that lost most are rounded up until the sum is right; the first among equals.

    >>> in_whole([0.5, 0.5, -3.0], -2)
    [1, 0, -3]
    """
    found = [math.floor(part) for part in parts]
    missing = total - sum(found)
    lost = sorted(range(len(parts)), key=lambda place: (found[place] - parts[place], place))
    each, more = divmod(missing, len(parts))
    return [whole + each + (lost.index(place) < more) for place, whole in enumerate(found)]
