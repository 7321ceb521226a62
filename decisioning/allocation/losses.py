"""Which account lost its best action to the budget, by which resource, and what it lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from decisioning.allocation.problem import Floats, Ints
from decisioning.allocation.resources import Resources
from decisioning.allocation.words import say_lost
from decisioning.offers import Offers
from domain.decisions import LostToBudget


class Asked(NamedTuple):
    """What is told of losses: in which language and currency symbol, and at which prices (K,) they came about."""

    locale: str
    currency: str
    price: Floats


def losses(
    found: Offers, given: Ints, members: Floats, resources: Resources, asked: Asked
) -> list[LostToBudget | None]:
    """What each account of a page lost, ``None`` where it got its best action.

    Parameters
    ----------
    given : (n,) what the plan gives each account, before anything is explored
    members : (n, G) which segments each account is in
    """
    gain = np.nan_to_num(found.gain_cents, nan=-np.inf)
    best = np.argmax(gain, axis=1)
    rows = np.arange(len(gain))
    lost = gain[rows, best] - gain[rows, given]
    told: list[LostToBudget | None] = [None] * len(gain)
    # Less than a cent is not worth a word.
    short = np.flatnonzero(lost >= 1.0)
    if not len(short):
        return told
    until = found.page.days.at(found.page.days.day + 1)
    for row, reason in zip(short.tolist(), _reasons(found, short, (best, given), members, resources), strict=True):
        told[row] = _told(
            reason, int(best[row]), resources, asked, lost_cents=float(lost[row]), until_us=int(until[row])
        )
    return told


class _Uses(NamedTuple):
    """Of one account: what its best action uses of each resource, and what the given one uses, (K,) each."""

    best: Floats
    given: Floats


def _reasons(
    found: Offers, rows: Ints, actions: tuple[Ints, Ints], members: Floats, resources: Resources
) -> Iterator[_Uses]:
    amounts = resources.amounts(found)
    constant = resources.constant_of(members[rows])
    for place, row in enumerate(rows.tolist()):
        uses = []
        for action in (int(actions[0][row]), int(actions[1][row])):
            use = constant[place, action].copy()
            for column, (a, k) in enumerate(resources.pairs):
                if a == action:
                    use[k] += amounts[row, column]
            uses.append(use)
        yield _Uses(*uses)


def _told(
    uses: _Uses, best: int, resources: Resources, asked: Asked, *, lost_cents: float, until_us: int
) -> LostToBudget:
    more = uses.best - uses.given
    paid = asked.price * more
    # Where no price tells, the last unit of something went to another account: the scarcest that is used tells best.
    scarce = np.divide(more, resources.limit, out=np.zeros_like(more), where=resources.limit > 0)
    scarce[(resources.limit == 0) & (more > 0)] = np.inf
    place = int(np.argmax(paid) if paid.max() > 0 else np.argmax(scarce))
    resource, price = resources.items[place], float(asked.price[place])
    by_minimum = price < 0
    charge = float(asked.price @ uses.best)
    cents = 1.0 if resource.is_money else 100.0
    return LostToBudget(
        action=resources.actions[best].name, resource=resource.name,
        code=f"{'MINIMUM' if by_minimum else 'BUDGET'}_{resource.kind.upper()}", price=price / cents,
        use=float(uses.best[place]) / (100.0 if resource.is_money else 1.0), charge_cents=charge, lost_cents=lost_cents,
        until_us=until_us,
        text=say_lost(
            resource, lost_cents=lost_cents, charge_cents=charge, by_minimum=by_minimum, locale=asked.locale,
            currency=asked.currency,
        ),
    )  # fmt: skip
