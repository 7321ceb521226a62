"""What a page of accounts is given: the choice, what each action was charged, and what was lost by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from decisioning.allocation.problem import Floats
from decisioning.config import Exploration
from decisioning.eligibility import Eligibility
from decisioning.offers import Lots, Offers
from decisioning.policy import Choice, choose
from domain.decisions import LostToBudget


@dataclass(frozen=True, slots=True)
class Allotted:
    """The ``choice`` of n accounts; ``charge_cents`` (n, A) and ``lost`` (n,) where resources have prices.

    ``eligible`` is what stays allowed where some actions need more than is left; without it, what rules allow.
    """

    choice: Choice
    charge_cents: Floats | None = None
    lost: Sequence[LostToBudget | None] = ()
    eligible: Eligibility | None = None


class Allot(Protocol):
    """What chooses for a page where there is not enough of everything for everybody."""

    def __call__(self, found: Offers, lots: Lots, /, *, locale: str) -> Allotted:
        """The choice for the accounts of a page, with texts in ``locale``."""


def unlimited(found: Offers, lots: Lots, exploration: Exploration) -> Allotted:
    """The choice where each account is decided on alone."""
    objective, allowed = found.money.objective_cents, found.eligible.allowed
    return Allotted(choose(objective, allowed, exploration, draws=lots.draws, controls=lots.controls))
