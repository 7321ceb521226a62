"""Deciding one by one through a day at the prices of a plan: prices follow use, and no limit is ever exceeded.

Prices fitted on a portfolio miss a little on the accounts that really come. So, from time to time through the day, the
price of what is used ahead of its pace rises, and that of what is left over falls; the pace is what is left, spread
over what is left of the day. Whatever prices do, an action is out of reach that needs more than is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from decisioning.allocation.allotted import Allotted
from decisioning.allocation.apart import within_part
from decisioning.allocation.losses import Asked, losses
from decisioning.allocation.prices import PriceList, resources_of_prices
from decisioning.allocation.problem import Floats
from decisioning.allocation.refused import out_of_reach
from decisioning.allocation.resources import Resources
from decisioning.arms import ARMS, POLICY
from decisioning.desk import Desk
from decisioning.offers import Lots, Offers
from decisioning.policy import Choice, choose
from domain.actions import Action
from domain.errors import ConfigError

Bools = npt.NDArray[np.bool_]

_FIRMNESS = 0.1
"""How much a price answers to use beside its pace. Chance alone moves the use of N units by about √N, and so a price by
about as many percent as this is hundredths, whatever N; more would follow noise, less would miss what is there."""
_LEAST = 1.0
_MOST = 0.5
"""No adjustment changes the logarithm of a price by more than this."""
_FLOOR = 1e-4
"""Least price, beside a resource's scale: a price of 0 could never rise by any factor."""
_GRAINS = 2.0**16
"""Use is counted in whole parts of a unit, so many in each, rounded up: then sums are exact up to 10¹¹ units, whatever
the order in which uses are added, and 200,000 decisions count 3 units too much at most."""


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Prices and use at some time of a day; a new book takes the place of the old one with every change.

    ``dear`` (K,) is what limits make a unit cost, ``paid`` (K,) what minimums pay for one, in cents. ``used`` (K,) is
    what was used so far, and ``before`` (K,) was by the last adjustment, when the share ``done`` (K,) of the day's use
    was expected to be over. ``answer`` (K,) is how much the logarithm of a price changes by use of a whole limit.
    ``by_arm`` (5, K) is the part of ``used`` that each arm has, by its code.

    Notes
    -----
    Adjustments look at use and not at a clock: the same decisions in the same order give the same book.
    """

    resources: Resources
    dear: Floats
    paid: Floats
    floor: Floats
    answer: Floats
    used: Floats
    before: Floats
    done: Floats
    by_arm: Floats

    @classmethod
    def opened(cls, prices: PriceList, actions: tuple[Action, ...], *, used: Floats | None = None) -> PriceBook:
        """A book for a day that begins, at the prices of a plan; ``used`` (K,) where something is used already."""
        resources, price = resources_of_prices(prices, actions)
        unit = np.array([100.0 if one.is_money else 1.0 for one in resources.items])
        scale = np.array([one.scale * 100.0 for one in prices.resources]) / unit
        floor = _FLOOR * np.where(scale > 0, scale, 1.0)
        begun = np.zeros(len(resources)) if used is None else np.asarray(used, dtype=np.float64)
        dear = np.where(np.isfinite(resources.limit), np.maximum(price, floor), 0.0)
        paid = np.where(resources.minimum > 0, np.maximum(-price, floor), 0.0)
        answer = np.maximum(_FIRMNESS * np.sqrt([one.uses for one in prices.resources]), _LEAST)
        nothing = np.zeros(len(resources))
        return cls(resources, dear, paid, floor, answer, begun, begun, nothing, np.zeros((len(ARMS), len(nothing))))

    @property
    def price(self) -> Floats:
        """(K,) what a unit costs now, in cents; negative where a minimum pays for use."""
        return self.dear - self.paid

    @property
    def left(self) -> Floats:
        """(K,) what may still be used."""
        return self.resources.limit - self.used

    def short_of(self, use: Floats) -> Bools:
        """Of what too little is left for uses (…, K): the hard stop."""
        # Use is added up as here, so that what is within reach never brings the sum above the limit.
        return np.asarray((use != 0) & (self.used + use > self.resources.limit), dtype=np.bool_)

    def within_reach(self, use: Floats) -> Bools:
        """Whether there is enough left for uses (…, K)."""
        return np.logical_not(self.short_of(use).any(axis=-1))

    def spend(self, use: Floats, *, arm: int = POLICY) -> PriceBook:
        """The book after a decision that uses ``use`` (K,), for a debtor in an arm.

        Raises
        ------
        ConfigError : it needs more than is left; ask ``within_reach`` before
        """
        if not self.within_reach(use):
            raise ConfigError(
                f"found a use beyond what is left of {self._beyond(use)}; needed one that is within reach, "
                "so ask for that before an action is chosen"
            )
        return self.with_use((np.arange(len(ARMS)) == arm)[:, None] * use)

    def with_use(self, by_arm: Floats) -> PriceBook:
        """The book after decisions that used ``by_arm`` (5, K), be there as much left or not."""
        return replace(self, used=self.used + by_arm.sum(axis=0), by_arm=self.by_arm + by_arm)

    def adjusted(self, done: float | Floats) -> PriceBook:
        """The book with prices that have followed use since the last adjustment.

        ``done`` is the share of the day's use that is expected to be over by now: one for all resources, or (K,) where
        some are used earlier in the day than others. What is no later than at the last adjustment changes nothing.
        """
        now = np.maximum(np.minimum(np.broadcast_to(done, self.done.shape), 1.0), self.done)
        open_ = 1.0 - self.done
        part = np.divide(now - self.done, open_, out=np.zeros_like(open_), where=open_ > 0)
        if not part.any():
            return self
        resources = self.resources
        ahead = self._ahead(part, np.where(np.isfinite(resources.limit), resources.limit, 0.0))
        beyond = self._ahead(part, resources.minimum)
        dear = np.where(self.dear > 0, np.maximum(self.dear * np.exp(ahead), self.floor), 0.0)
        paid = np.where(self.paid > 0, np.maximum(self.paid * np.exp(-beyond), self.floor), 0.0)
        return replace(self, dear=dear, paid=paid, before=self.used, done=now)

    def _ahead(self, part: Floats, whole: Floats) -> Floats:
        """(K,) change of the logarithm of prices: use less the ``part`` of what was left of a ``whole``, beside it."""
        pace = part * np.maximum(whole - self.before, 0.0)
        beside = np.divide(self.used - self.before - pace, whole, out=np.zeros_like(pace), where=whole > 0)
        return np.asarray(np.clip(self.answer * beside, -_MOST, _MOST), dtype=np.float64)

    def _beyond(self, use: Floats) -> list[str]:
        lacking = self.short_of(use).tolist()
        return [one.name for one, lacks in zip(self.resources.items, lacking, strict=True) if lacks]


Books = Mapping[int, PriceBook]
"""By the debtors' local day, as calendar days since 1970: each day has resources of its own."""


def allot_online(
    books: Books, found: Offers, lots: Lots, members: Floats, desk: Desk, *, locale: str
) -> tuple[Allotted, Books]:
    """Chooses for the accounts of a request one after another, and gives the books after them.

    Parameters
    ----------
    books : of all local days of the accounts, over the same resources; there is one at least
    members : (n, G) which segments each account is in, in the order of the books' resources

    Notes
    -----
    Prices stay as they are during a request. What is out of reach is refused, and not explored either. It depends on
    decisions that were taken before, so that each ``action_prob`` is true given those. Debtors in arms do what their
    arm says, within its part of each limit, and prices have no say in it.
    """
    resources, days = next(iter(books.values())).resources, found.page.days.day
    gain, use = found.gain_cents, _use(found, members, resources)
    taken = np.ceil(use * _GRAINS) / _GRAINS
    price = np.array([books[day].price for day in days.tolist()]).reshape(len(days), len(resources))
    charges = np.einsum("nak,nk->na", use, price)
    short, given = np.zeros(use.shape, dtype=np.bool_), np.zeros(len(gain), dtype=np.int64)
    choices, after, parts = [], dict(books), desk.config.arms.parts
    for row, day in enumerate(days.tolist()):
        short[row] = after[day].short_of(taken[row])
        allowed = (found.eligible.allowed[row] & ~short[row].any(axis=-1))[None, :]
        net = np.where(allowed, gain[row] - charges[row], -np.inf)
        given[row] = int(np.argmax(net))
        controls, arm = lots.controls.take(np.array([row])), int(lots.controls.arm[row])
        own = within_part(taken[row], after[day].by_arm[arm], parts[arm], resources.limit)
        choice = choose(
            net, allowed, desk.config.exploration, draws=lots.draws[row : row + 1],
            controls=controls.within(allowed & own),
        )  # fmt: skip
        after[day] = after[day].spend(taken[row, int(choice.action[0])], arm=arm)
        choices.append(choice)
    together = _together(choices, len(resources.actions))
    asked = Asked(locale, desk.config.currency_symbol, price, short)
    lost = losses(found, given, together, members, resources, asked=asked)
    left = out_of_reach(found, short, resources, policy_version=desk.policy_version)
    return Allotted(together, charges, lost, left), after


def _use(found: Offers, members: Floats, resources: Resources) -> Floats:
    """(n, A, K) what each action uses of each resource."""
    use, amounts = resources.constant_of(members), resources.amounts(found)
    for column, (a, k) in enumerate(resources.pairs):
        use[:, a, k] += amounts[:, column]
    return use


def _together(choices: list[Choice], actions: int) -> Choice:
    if not choices:
        none = np.zeros(0)
        return Choice(none.astype(np.int64), none, np.zeros((0, actions)), none.astype(np.int64))
    return Choice(
        *(np.concatenate([getattr(one, name) for one in choices])
          for name in ("action", "action_prob", "probabilities", "arm"))
    )  # fmt: skip
