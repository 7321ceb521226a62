"""One day's plan for a portfolio: what every account gets under capacities and budgets, and at which prices."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from decisioning.allocation.allotted import Allotted
from decisioning.allocation.apart import draw_apart, left_by
from decisioning.allocation.claims import Gathered, Members
from decisioning.allocation.drawing import draw_within
from decisioning.allocation.losses import Asked, losses
from decisioning.allocation.problem import Floats, Ints, Problem
from decisioning.allocation.repair import use_of
from decisioning.allocation.resources import Resources
from decisioning.allocation.solver import Solution, solve
from decisioning.arms import POLICY
from decisioning.config import Exploration
from decisioning.offers import Lots, Offers
from decisioning.policy import Choice, action_probabilities
from domain.errors import UnknownAccountError


@dataclass(frozen=True)
class Portions:
    """What n ``accounts`` (positions, rising) are given by a plan: of all accounts, or of some of them.

    ``given`` (n,) is the action of each where nobody explores, ``choice`` what was drawn; ``price`` (K,) that of a unit
    of each resource. ``currency`` is the symbol that texts use.
    """

    accounts: Ints
    resources: Resources
    given: Ints
    price: Floats
    choice: Choice
    members: Members
    currency: str

    def __call__(self, found: Offers, _: Lots, *, locale: str) -> Allotted:
        """The part of the accounts of a page; their draws are in it.

        Raises
        ------
        UnknownAccountError : the plan was made without one of them
        """
        rows = np.searchsorted(self.accounts, found.spine.account)
        if not np.isin(found.spine.account, self.accounts).all():
            raise UnknownAccountError(
                f"found accounts that the plan of {len(self.accounts)} does not hold; needed a plan made for all that "
                "are decided on, so allot the same accounts"
            )
        price, members = self.price, self.members(found)
        own = self.choice.take(rows)
        lost = losses(found, self.given[rows], own, members, self.resources, asked=Asked(locale, self.currency, price))
        return Allotted(own, self.resources.charges(found, members, price), lost)


@dataclass(frozen=True)
class Plan:
    """What n ``accounts`` (positions, rising) are given, and who draws what.

    ``solution`` is the allocation of what arms leave where nobody explores, accounts of arms waiting in it; ``choice``
    what was drawn, ``use`` (K,) what that takes, in so many decisions ``uses`` (K,). ``local_days`` are the debtors'
    days, rising; ``currency`` is the symbol that texts use.
    """

    accounts: Ints
    resources: Resources
    solution: Solution
    choice: Choice
    use: Floats
    uses: Ints
    members: Members
    local_days: tuple[int, ...]
    currency: str

    def __call__(self, found: Offers, lots: Lots, *, locale: str) -> Allotted:
        """The part of the plan for the accounts of a page, as ``Portions`` gives it."""
        return self.portions(found, lots, locale=locale)

    @cached_property
    def portions(self) -> Portions:
        """What all accounts are given."""
        given = self.solution.choice.astype(np.int64)
        return Portions(
            self.accounts, self.resources, given, self.solution.price, self.choice, self.members, self.currency
        )


def planned(
    found: Gathered, resources: Resources, exploration: Exploration, *, members: Members, currency: str
) -> Plan:
    """Lets arms draw, solves the problem for what they leave, and lets all others draw around their part of that."""
    apart, rows = draw_apart(found.problem, found.apart, draws=found.draws, order=found.order), found.apart.rows
    problem = left_by(found.problem, apart.use)
    solution = solve(problem)
    probabilities = _probabilities(problem, solution, exploration)
    probabilities[rows] = np.eye(1, probabilities.shape[1])
    drawn = draw_within(problem, solution.choice, probabilities, draws=found.draws, order=found.order)
    drawn[rows], probabilities[rows] = apart.action, apart.probabilities
    action, arm = drawn.astype(np.int64), np.full(len(problem), POLICY)
    arm[rows] = found.apart.controls.arm
    own = probabilities[np.arange(len(problem)), action]
    return Plan(
        found.accounts, resources, solution, Choice(action, own, probabilities, arm), use_of(problem, drawn),
        _uses(problem, action, resources), members, found.local_days, currency,
    )  # fmt: skip


def _probabilities(problem: Problem, solution: Solution, exploration: Exploration) -> Floats:
    """(n, A) as without limits, over values less prices, with what the solution gives in the place of the best."""
    net = np.array(problem.value, dtype=np.float64)
    charged = np.array(problem.constant @ solution.price)
    for segment in range(len(charged)):
        net[problem.segment == segment] -= charged[segment]
    for column, (a, k) in enumerate(zip(problem.pair_action, problem.pair_resource, strict=True)):
        net[:, a] -= solution.price[k] * problem.amount[:, column]
    allowed = problem.value > -np.inf
    # What was moved to keep the limits is, by a hair, not the best at these prices; it ranks first all the same.
    rows = np.arange(len(net))
    top = np.nextafter(np.max(np.where(allowed, net, -np.inf), axis=1), np.inf)
    net[rows, solution.choice] = top
    return action_probabilities(net, allowed, exploration)


def _uses(problem: Problem, action: Ints, resources: Resources) -> Ints:
    """(K,) how many accounts use any of each resource."""
    some = (problem.constant > 0)[problem.segment, action]
    for a, k in resources.pairs:
        some[:, k] |= action == a
    return np.asarray(some.sum(axis=0), dtype=np.int64)


def shortfalls(plan: Plan) -> dict[str, tuple[float, float]]:
    """Minimums that cannot be reached: by name what lacks, and how much could be used if nothing else mattered."""
    solution = plan.solution
    return {
        one.name: (float(short), float(most))
        for one, short, most in zip(plan.resources.items, solution.shortfall, solution.most, strict=True)
        if short > 0
    }
