"""Which account lost its best action to the budget, by which resource, and what it lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from decisioning.allocation.problem import Floats, Ints
from decisioning.allocation.resources import Resources
from decisioning.allocation.words import Cause, say_lost
from decisioning.offers import Offers
from decisioning.policy import Choice
from domain.decisions import LostToBudget


class Asked(NamedTuple):
    """What is told of losses: in which language and currency symbol, and at which prices they came about.

    ``price`` is (K,), or (n, K) where it differs; ``short`` (n, A, K) says of what too little was left for an action.
    """

    locale: str
    currency: str
    price: Floats
    short: npt.NDArray[np.bool_] | None = None


def losses(
    found: Offers, given: Ints, choice: Choice, members: Floats, resources: Resources, *, asked: Asked
) -> list[LostToBudget | None]:
    """What each account of a page lost, ``None`` where it got its best action, or chance or an arm took it away.

    Parameters
    ----------
    given : (n,) what the plan gives each account, before anything is explored
    choice : what each account got
    members : (n, G) which segments each account is in
    """
    gain = np.nan_to_num(found.gain_cents, nan=-np.inf)
    best = np.argmax(gain, axis=1)
    rows = np.arange(len(gain))
    lost = gain[rows, best] - gain[rows, given]
    # Who explores, or is set apart, has not lost its best action to the budget.
    lost[choice.set_apart | (choice.action != given)] = 0.0
    told: list[LostToBudget | None] = [None] * len(gain)
    # Less than a cent is not worth a word.
    short = np.flatnonzero(lost >= 1.0)
    if not len(short):
        return told
    until = found.page.days.at(found.page.days.day + 1)
    price = np.broadcast_to(asked.price, (len(gain), len(resources)))
    lacks = np.zeros((len(short), len(resources)), dtype=np.bool_)
    if asked.short is not None:
        lacks = asked.short[short, best[short]]
    compared = _uses(found, short, (best, given), members, resources)
    for place, (row, uses) in enumerate(zip(short.tolist(), compared, strict=True)):
        scarce = _Scarce(uses[0], uses[1], price[row], lacks[place])
        told[row] = _told(
            scarce, int(best[row]), resources, asked, lost_cents=float(lost[row]), until_us=int(until[row])
        )
    return told


class _Scarce(NamedTuple):
    """Of one account: what its best action uses of each resource, what the given one uses, prices, and what lacks.

    All are (K,).
    """

    best: Floats
    given: Floats
    price: Floats
    lacks: npt.NDArray[np.bool_]

    def culprit(self, limit: Floats) -> tuple[int, Cause]:
        """The resource that decided it, and how."""
        more = self.best - self.given
        paid = self.price * more
        if self.lacks.any():
            return int(np.argmax(np.where(self.lacks, paid, -np.inf))), Cause.SPENT
        if paid.max() > 0:
            place = int(np.argmax(paid))
            return place, Cause.MINIMUM if self.price[place] < 0 else Cause.PRICE
        # Where no price tells, the last unit of something went to another account: the scarcest used tells best.
        scarce = np.divide(more, limit, out=np.zeros_like(more), where=limit > 0)
        scarce[(limit == 0) & (more > 0)] = np.inf
        place = int(np.argmax(scarce))
        return place, Cause.MINIMUM if self.price[place] < 0 else Cause.PRICE


def _uses(
    found: Offers, rows: Ints, actions: tuple[Ints, Ints], members: Floats, resources: Resources
) -> Iterator[tuple[Floats, Floats]]:
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
        yield uses[0], uses[1]


def _told(
    scarce: _Scarce, best: int, resources: Resources, asked: Asked, *, lost_cents: float, until_us: int
) -> LostToBudget:
    place, cause = scarce.culprit(resources.limit)
    resource, price = resources.items[place], float(scarce.price[place])
    charge = float(scarce.price @ scarce.best)
    cents = 1.0 if resource.is_money else 100.0
    return LostToBudget(
        action=resources.actions[best].name, resource=resource.name,
        code=resource.code_of_minimum if cause is Cause.MINIMUM else resource.code, price=price / cents,
        use=float(scarce.best[place]) / (100.0 if resource.is_money else 1.0), charge_cents=charge,
        lost_cents=lost_cents, until_us=until_us,
        text=say_lost(
            resource, cause, lost_cents=lost_cents, charge_cents=charge, locale=asked.locale, currency=asked.currency
        ),
    )  # fmt: skip
