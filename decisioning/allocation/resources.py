"""What there is only so much of on a day, read from the configuration, and what each action uses of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from decisioning.allocation.problem import Floats, Ints
from decisioning.budgets import Volume
from decisioning.config import DecisionConfig
from decisioning.offers import Offers
from domain.actions import Action

Kind = Literal["contacts", "minutes", "contact_cost", "discount", "segment"]


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of a day: contacts or minutes of a channel (in a moment), money in cents, or a segment's contacts.

    ``name`` is stable and unique, such as ``agent_call.morning.minutes``; ``limit`` is the most, +inf where there is no
    limit, ``minimum`` the least. ``per_contact`` is what one contact uses, 0 where it differs from account to account.
    """

    name: str
    kind: Kind
    limit: float
    minimum: float = 0.0
    per_contact: float = 1.0
    channel: str | None = None
    moment: str | None = None
    segment: str | None = None

    @property
    def is_money(self) -> bool:
        """Whether it is counted in cents, and its price in money per money."""
        return self.kind in {"contact_cost", "discount"}

    @property
    def code(self) -> str:
        """The code of refusals for want of it."""
        return f"BUDGET_{self.kind.upper()}"

    @property
    def code_of_minimum(self) -> str:
        """The code of refusals for the sake of its minimum."""
        return f"MINIMUM_{self.kind.upper()}"

    def covers(self, action: Action) -> bool:
        """Whether an action may use any of it."""
        if action.is_wait or (self.kind == "discount" and not action.discount_pct):
            return False
        return self.channel in {None, action.channel} and self.moment in {None, action.moment}


@dataclass(frozen=True)
class Resources:
    """All resources of a configuration, in its order, over the actions of a catalogue."""

    items: tuple[Resource, ...]
    actions: tuple[Action, ...]

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def limit(self) -> Floats:
        """(K,) the most of each."""
        return np.array([one.limit for one in self.items])

    @cached_property
    def minimum(self) -> Floats:
        """(K,) the least of each."""
        return np.array([one.minimum for one in self.items])

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """Names of the segments that have a resource, in order."""
        return tuple(one.segment for one in self.items if one.segment is not None)

    @cached_property
    def constant(self) -> Floats:
        """(A, K) what an action uses of each on an account that is in every segment."""
        covered = np.array([[one.covers(action) for one in self.items] for action in self.actions])
        return np.asarray(covered * np.array([one.per_contact for one in self.items]), dtype=np.float64)

    def constant_of(self, members: Floats) -> Floats:
        """(m, A, K) the same for rows of ``members`` (m, G), 1 where a row is in a segment and else 0."""
        inside = np.ones((len(members), len(self)))
        inside[:, [place for place, one in enumerate(self.items) if one.segment is not None]] = members
        return np.asarray(self.constant * inside[:, None, :], dtype=np.float64)

    def by_segment(self, members: Floats) -> tuple[Floats, Ints]:
        """What each action uses on accounts of each kind (m, A, K), and the kind of each row of ``members`` (n, G).

        Accounts in the same segments are of one kind.
        """
        bits = (members > 0).astype(np.int64) @ (1 << np.arange(members.shape[1], dtype=np.int64))
        # One kind at least, so that nobody at all is a portfolio as well.
        _, first, kind = np.unique(np.append(bits, 0), return_index=True, return_inverse=True)
        rows = np.vstack([members, np.zeros((1, members.shape[1]))])
        return self.constant_of(rows[first]), kind[:-1].astype(np.int64)

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """(action, resource) where the use differs from account to account, ordered by action."""
        return tuple(
            (a, k) for a, action in enumerate(self.actions) for k, one in enumerate(self.items)
            if one.is_money and one.covers(action)
        )  # fmt: skip

    def amounts(self, found: Offers) -> Floats:
        """(n, P) cents that the pairs use on each account of a page, 0 where the action is not allowed."""
        money = {"contact_cost": found.money.cost_cents, "discount": discount_cents(found)}
        columns = [money[self.items[k].kind][:, a] for a, k in self.pairs]
        shaped = np.stack(columns, axis=1) if columns else np.zeros((found.page.size, 0))
        return np.nan_to_num(shaped)

    def charges(self, found: Offers, members: Floats, price: Floats) -> Floats:
        """(n, A) what each action pays for what it uses at ``price`` (K,), in cents."""
        constant, kind = self.by_segment(members)
        paid = np.array(constant @ price)[kind]
        for column, (a, k) in zip(self.amounts(found).T, self.pairs, strict=True):
            paid[:, a] += price[k] * column
        return np.asarray(paid, dtype=np.float64)


def resources_of(config: DecisionConfig, actions: Sequence[Action]) -> Resources:
    """The resources that a configuration limits or asks a minimum of."""
    return Resources((*_contacts(config), *_money(config), *_segments(config)), tuple(actions))


def discount_cents(found: Offers) -> Floats:
    """(n, A) discount that is expected to be given: where the offer is taken, as far as the model tells that."""
    outcomes = found.outcomes
    if outcomes.p_reached is None or outcomes.p_agreed is None:
        return np.asarray(outcomes.p_pay * found.page.asked.discount_cents, dtype=np.float64)
    return np.asarray(outcomes.p_reached * outcomes.p_agreed * found.page.asked.discount_cents, dtype=np.float64)


def _contacts(config: DecisionConfig) -> Iterator[Resource]:
    for channel, capacity in config.capacities.items():
        yield from _of(channel, None, capacity, capacity.minutes_per_contact)
        for moment, volume in capacity.by_moment.items():
            yield from _of(channel, moment, volume, capacity.minutes_per_contact)


def _of(channel: str, moment: str | None, volume: Volume, minutes: float | None) -> Iterator[Resource]:
    place = channel if moment is None else f"{channel}.{moment}"
    if volume.per_day is not None or volume.min_per_day is not None:
        most = np.inf if volume.per_day is None else volume.per_day
        yield Resource(f"{place}.contacts", "contacts", most, volume.min_per_day or 0.0, 1.0, channel, moment)
    if volume.minutes_per_day is not None and minutes is not None:
        yield Resource(f"{place}.minutes", "minutes", volume.minutes_per_day, 0.0, minutes, channel, moment)


def _money(config: DecisionConfig) -> Iterator[Resource]:
    for name in ("contact_cost", "discount"):
        if name in config.budgets:
            yield Resource(name, name, 100.0 * config.budgets[name].per_day, per_contact=0.0)


def _segments(config: DecisionConfig) -> Iterator[Resource]:
    for name, segment in config.segments.items():
        most = np.inf if segment.per_day is None else segment.per_day
        yield Resource(f"segment.{name}.contacts", "segment", most, segment.min_per_day or 0.0, segment=name)
