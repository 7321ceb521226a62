"""What restrictions read, and what they come to: spans of time in which a rule forbids an action to an account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy.rules import Layer, Rule
from decisioning.moments import LocalDays
from decisioning.valuation import Amounts
from domain.actions import ActionCatalogue
from domain.clock import FOREVER, MISSING
from domain.compiled import compiled
from features.columns import Int32s
from features.dossier import Dossier
from features.state import AccountStates

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Page:
    """What rules read: n accounts at their moments, the catalogue, what each action would ask for, and the history.

    Without a ``dossier`` nothing is known beyond the states: no history, and no region or attribute.
    """

    states: AccountStates
    days: LocalDays
    catalogue: ActionCatalogue
    asked: Amounts
    dossier: Dossier | None = None
    told: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What several rules read of the history, by name (``history``)."""

    @property
    def size(self) -> int:
        """Number of accounts."""
        return len(self.days.day)

    @property
    def channel_of(self) -> npt.NDArray[np.int64]:
        """(A,) position of each action's channel among the configured ones, -1 for ``wait``."""
        return self.catalogue.columns.channel

    def about(self, rule: Rule) -> Bools:
        """(A,) the actions that a rule is about, by their channels; never ``wait``."""
        return self.catalogue.columns.on(rule.channels, rule.except_channels)

    @cached_property
    def regions(self) -> tuple[Int32s, tuple[str, ...]]:
        """(n,) codes of the accounts' regions, -1 where unknown, and their names."""
        if self.dossier is None:
            return np.full(self.size, -1, dtype=np.int32), ()
        found = self.dossier.account("region")
        return found.codes, tuple(found.values)


@dataclass(frozen=True)
class Blocked:
    """When something is forbidden: in ``[from_us, until_us)``, each (n, 1) or (n, A); nothing new being assumed.

    ``MISSING`` as ``from_us`` is ever since, ``FOREVER`` as ``until_us`` means that time alone changes nothing.
    """

    from_us: Int64s
    until_us: Int64s

    def at(self, moments_us: Int64s) -> Bools:
        """Whether it is forbidden at moments of a shape that fits."""
        return (self.from_us <= moments_us) & (moments_us < self.until_us)

    def binds(self, as_of_us: Int64s, actions: Bools) -> bool:
        """Whether any of some actions (A,) is forbidden at any of the moments (n, 1), or after them."""
        # One memory layout, so that the kernel is compiled once.
        return _binds(np.ascontiguousarray(self.from_us), np.ascontiguousarray(self.until_us), as_of_us, actions)

    @classmethod
    def where(cls, mask: Bools) -> Blocked | None:
        """For good where the mask (n, 1) or (n, A) is true, and never elsewhere; ``None`` where it is true nowhere."""
        if not mask.any():
            return None
        return cls(np.full(mask.shape, MISSING), np.where(mask, FOREVER, MISSING))

    @classmethod
    def until(cls, lifts_us: Int64s) -> Blocked:
        """Until some moments; ``MISSING`` forbids nothing, ``FOREVER`` for good."""
        return cls(np.full(lifts_us.shape, MISSING), lifts_us)

    @classmethod
    def since(cls, starts_us: Int64s) -> Blocked:
        """From some moments on, for good; ``FOREVER`` forbids nothing."""
        return cls(starts_us, np.full(starts_us.shape, FOREVER))

    def within(self, from_us: Int64s, until_us: Int64s) -> Blocked:
        """The part of it that lies in a span."""
        return Blocked(np.maximum(self.from_us, from_us), np.minimum(self.until_us, until_us))

    def only(self, mask: Bools) -> Blocked:
        """The same where the mask is true, and nothing elsewhere."""
        return Blocked(self.from_us, np.where(mask, self.until_us, MISSING))


@compiled
def _binds(from_us: Int64s, until_us: Int64s, as_of_us: Int64s, actions: Bools) -> bool:
    many_from, many_until = from_us.shape[1] > 1, until_us.shape[1] > 1
    for row in range(len(as_of_us)):
        for action in range(len(actions)):
            until = until_us[row, action if many_until else 0]
            if actions[action] and until > as_of_us[row, 0] and until > from_us[row, action if many_from else 0]:
                return True
    return False


@dataclass(frozen=True)
class Origin:
    """Whose refusal it is: rule, layer, code, version of the rule, and its wording by locale."""

    rule: str
    layer: Layer
    code: str
    version: str
    text: Callable[[str], str]


@dataclass(frozen=True)
class Restriction:
    """What one rule forbids; ``actions`` (A,) are those that it is about, never ``wait``."""

    origin: Origin
    blocked: Blocked
    actions: Bools
