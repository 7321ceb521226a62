"""What if: the same portfolio decided under other prices, limits and rules, before anything is changed.

Everything is expected, nobody explores, and nobody is held out: it compares policies, not days. Of two scenarios only
the difference should be believed further than the model is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from decisioning.arms import Arms
from decisioning.bundle import ModelBundle
from decisioning.config import DecisionConfig, Exploration
from decisioning.contact_policy import ContactPolicy
from decisioning.contact_policy.kinds import FrequencyCap
from decisioning.desk import Desk, desk
from decisioning.offers import Offers, offers
from decisioning.pages import owing, pages, spine_at
from decisioning.portfolio import allot
from domain.actions import Action
from domain.clock import to_us
from domain.errors import ConfigError
from features.encoding import Encoded

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
OnShare = Callable[[float], None]

STEPS = 14
"""Points of a frontier."""
_NOTHING = 1e-12


@dataclass(frozen=True)
class Totals:
    """What is expected of a portfolio under some way of choosing, in currency; ``gained`` is over always waiting."""

    accounts: int
    contacts: int
    recovered: float
    contact_cost: float
    complaints: float
    opt_outs: float
    net: float
    gained: float
    discounts: float

    @property
    def contacts_per_account(self) -> float:
        """Mean number of contacts decided on."""
        return self.contacts / self.accounts if self.accounts else 0.0


@dataclass(frozen=True)
class Weighed:
    """All offers of n accounts, (n, A) each, in currency; ``net`` is ``-inf`` where an action is not allowed."""

    actions: tuple[Action, ...]
    net: Floats
    recovered: Floats
    cost: Floats
    complaint: Floats
    opt_out: Floats
    discount: Floats
    objective: Floats

    @property
    def best(self) -> Int64s:
        """(n,) what is worth most by what the policy compares."""
        return self.under(0.0, "contact_cost")

    def under(self, price: float, on: str) -> Int64s:
        """(n,) what is worth most where a unit of something costs so much more: a contact, or money, or a complaint."""
        with np.errstate(invalid="ignore"):
            priced = np.where(np.isfinite(self.objective), self.objective - price * self._use(on), -np.inf)
        return np.asarray(priced.argmax(axis=1), dtype=np.int64)

    def totals(self, chosen: Int64s) -> Totals:
        """What a choice (n,) comes to."""
        rows = np.arange(len(chosen))

        def summed(part: Floats) -> float:
            return float(part[rows, chosen].sum())

        net = summed(self.net)
        return Totals(
            accounts=len(chosen),
            contacts=int((chosen > 0).sum()),
            recovered=summed(self.recovered),
            contact_cost=summed(self.cost),
            complaints=summed(self.complaint),
            opt_outs=summed(self.opt_out),
            net=net,
            gained=net - float(self.net[:, 0].sum()),
            discounts=summed(self.discount),
        )

    def _use(self, on: str) -> Floats:
        contact = np.array([0.0 if action.is_wait else 1.0 for action in self.actions])
        uses = {"contacts": np.broadcast_to(contact, self.net.shape), "contact_cost": self.cost}
        return {**uses, "complaints": self.complaint}[on]


FRONTIERS = ("contact_cost", "contacts", "complaints")


@dataclass(frozen=True)
class Point:
    """One point of a frontier: what is expected where a unit costs ``price`` more than it does."""

    price: float
    totals: Totals


@dataclass(frozen=True)
class Scenario:
    """A way of deciding with a name, what it comes to, and, where resources are limited, their prices per unit."""

    name: str
    totals: Totals
    prices: dict[str, float]


def weigh(
    encoded: Encoded, *, as_of: datetime, bundle: ModelBundle, desk: Desk, on_share: OnShare = lambda _: None
) -> Weighed:
    """Every offer to every account that owes anything."""
    as_of_us = to_us(as_of)
    everyone = owing(encoded, as_of_us, channels=desk.catalogue.channels)
    parts = []
    for page in pages(everyone):
        parts.append(_page(offers(encoded, spine_at(page, as_of_us), bundle, desk)))
        on_share(min(1.0, sum(len(part[0]) for part in parts) / max(len(everyone), 1)))
    width = len(desk.catalogue.actions)
    joined = (np.concatenate([np.zeros((0, width)), *(part[place] for part in parts)]) for place in range(len(_PARTS)))
    return Weighed(desk.catalogue.actions, *joined)


_PARTS = ("net", "recovered", "cost", "complaint", "opt_out", "discount", "objective")


def _page(found: Offers) -> tuple[Floats, ...]:
    money, outcomes, allowed = found.money, found.outcomes, found.eligible.allowed
    taken = outcomes.p_pay if outcomes.p_agreed is None else outcomes.p_agreed
    reached = 1.0 if outcomes.p_reached is None else outcomes.p_reached
    given = taken * reached * found.page.asked.discount_cents

    def shown(part: Floats) -> Floats:
        return np.where(allowed, part, 0.0)

    return (
        np.where(allowed, money.net_cents / 100.0, -np.inf), shown(money.recovered_cents / 100.0),
        shown(money.cost_cents / 100.0), shown(outcomes.p_complaint), shown(outcomes.p_opt_out), shown(given / 100.0),
        np.where(allowed, money.objective_cents / 100.0, -np.inf),
    )  # fmt: skip


def frontier(found: Weighed, on: str, *, steps: int = STEPS) -> tuple[Point, ...]:
    """The most that can be gained at each level of something: as its price rises, less of it is used.

    Every point is best for what it uses: no choice that uses as little gains more (a price argument, Everett 1963). The
    first is the policy as it is, the last uses nothing that is worth less than the highest price.

    Parameters
    ----------
    on : one of ``FRONTIERS``
    """
    use, value = found._use(on), np.where(np.isfinite(found.objective), found.objective, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(use > use[:, :1] + _NOTHING, (value - value[:, :1]) / (use - use[:, :1]), np.nan)
    worth = ratio[np.isfinite(ratio) & (ratio > 0)]
    if not len(worth):
        return (Point(0.0, found.totals(found.best)),)
    shares = np.linspace(0.0, 1.0, steps - 1) ** 0.5
    prices = np.unique(np.quantile(worth, shares)) * (1.0 + 1e-9)
    return tuple(Point(float(price), found.totals(found.under(float(price), on))) for price in (0.0, *prices))


def scenario(
    name: str, encoded: Encoded, *, as_of: datetime, bundle: ModelBundle, desk: Desk, found: Weighed | None = None
) -> Scenario:
    """What a desk comes to, within its limits; ``found`` where its offers are weighed already."""
    calm = without_chance(desk)
    weighed = weigh(encoded, as_of=as_of, bundle=bundle, desk=calm) if found is None else found
    plan = allot(encoded, as_of=as_of, bundle=bundle, desk=calm)
    if plan is None:
        return Scenario(name, weighed.totals(weighed.best), {})
    prices = {
        one.name: float(price) / (1.0 if one.is_money else 100.0)
        for one, price in zip(plan.resources.items, plan.solution.price, strict=True)
    }
    return Scenario(name, weighed.totals(plan.solution.choice.astype(np.int64)), prices)


def without_chance(base: Desk) -> Desk:
    """The desk where nobody explores and nobody is set apart."""
    return _with_config(base, exploration=Exploration(share=0.0), arms=Arms())


def with_capacity(base: Desk, channel: str, *, per_day: float | None = None, more: float | None = None) -> Desk:
    """The desk with so many contacts of a channel a day, or so many more than now.

    Raises
    ------
    ConfigError : the channel is not configured, or more is asked for where nothing limits it
    """
    if channel not in base.catalogue.channels:
        raise ConfigError(f"found the channel {channel!r}, needed one of {', '.join(base.catalogue.channels)}")
    capacities = {name: one.model_dump(exclude_none=True) for name, one in base.config.capacities.items()}
    now = capacities.get(channel, {})
    if more is not None:
        key = "minutes_per_day" if "minutes_per_day" in now else "per_day"
        if key not in now:
            raise ConfigError(
                f"found no capacity of {channel!r} to add to; write `capacities: {{{channel}: {{per_day: …}}}}` in "
                f"decision.yaml, or ask for {channel}=N contacts a day"
            )
        now = {**now, key: now[key] + more}
    else:
        now = {**now, "per_day": per_day}
    return _with_config(base, capacities={**capacities, channel: now})


def without_rule(base: Desk, rule_id: str) -> Desk:
    """The desk with a rule of its packs switched off.

    Raises
    ------
    ConfigError : no pack in force has such a rule
    """
    _rule_place(base, rule_id)
    rules = tuple(rule for rule in base.contact_policy.rules if rule.id != rule_id)
    return _with_rules(base, ContactPolicy(base.contact_policy.packs, rules))


def with_cap(base: Desk, rule_id: str, most: int) -> Desk:
    """The desk with another number in one of its frequency caps.

    Raises
    ------
    ConfigError : no pack in force has such a rule, or it is no frequency cap
    """
    place = _rule_place(base, rule_id)
    rule = base.contact_policy.rules[place]
    if not isinstance(rule, FrequencyCap):
        raise ConfigError(f"found {rule_id!r} of kind {rule.kind!r}, needed a frequency_cap; switch it off instead")
    capped = rule.model_copy(update={"max_contacts": most})
    rules = (*base.contact_policy.rules[:place], capped, *base.contact_policy.rules[place + 1 :])
    return _with_rules(base, ContactPolicy(base.contact_policy.packs, rules))


def _rule_place(base: Desk, rule_id: str) -> int:
    names = [rule.id for rule in base.contact_policy.rules]
    if rule_id not in names:
        raise ConfigError(f"found the rule {rule_id!r}, needed one of {', '.join(names)}")
    return names.index(rule_id)


def _with_config(base: Desk, **changed: object) -> Desk:
    config = base.config.model_dump() | {
        name: value.model_dump() if isinstance(value, Exploration | Arms) else value for name, value in changed.items()
    }
    return desk(base.catalogue, DecisionConfig.model_validate(config), base.contact_policy)


def _with_rules(base: Desk, policy: ContactPolicy) -> Desk:
    return replace(base, contact_policy=policy)
