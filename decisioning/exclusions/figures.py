"""What is told of exclusions: the funnel, what each rule refuses, and who is left with nothing but ``wait``.

A *pair* is an account and an action other than ``wait``. Money plays no part here: these are counts.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

LAYERS = ("eligible", "applicable", "suitable", "limit", "budget")
"""Layers of refusals in the order in which they are asked; ``budget`` are capacities, budgets and minimums."""
STAGES = ("candidates", "eligible", "applicable", "suitable", "allowed", "affordable", "chosen")
"""What is left after each layer, from everything down to what was chosen; ``allowed`` is left after ``limit``."""


class Stage(BaseModel, frozen=True, extra="forbid"):
    """What is left at one stage: ``pairs``, and the ``accounts`` that have any of them."""

    name: str
    accounts: int
    pairs: int


class Funnel(BaseModel, frozen=True, extra="forbid"):
    """All stages of some accounts or actions, each a part of the one before.

    A pair falls out at the first layer that refuses it, however many do.
    """

    label: str
    stages: tuple[Stage, ...]

    def at(self, name: str) -> Stage:
        """One stage by its name."""
        return self.stages[STAGES.index(name)]


class OfChannel(BaseModel, frozen=True, extra="forbid"):
    """What a rule refuses of one channel."""

    accounts: int
    pairs: int
    alone_pairs: int


class RuleExclusion(BaseModel, frozen=True, extra="forbid"):
    """What one code of one rule refuses.

    ``accounts`` have any pair refused by it, ``whole_accounts`` all of them. *Alone* are pairs that nothing else
    refuses: they would be open without it. ``alone_accounts`` have any such pair, and ``keeps_waiting`` are those of
    them that have no other action: without this rule alone they would have one. ``text`` is its wording by locale.
    """

    rule: str
    code: str
    layer: str
    text: dict[str, str] = {}
    accounts: int
    pairs: int
    alone_accounts: int
    alone_pairs: int
    whole_accounts: int
    keeps_waiting: int
    channels: dict[str, OfChannel]


class Cause(BaseModel, frozen=True, extra="forbid"):
    """Accounts with the same smallest set of rules that by itself refuses every action."""

    rules: tuple[str, ...]
    codes: tuple[str, ...]
    accounts: int


class OnlyWait(BaseModel, frozen=True, extra="forbid"):
    """Accounts to which the contact policy leaves no action but ``wait``, and why.

    ``rules_away`` counts them by the fewest rules that would have to be lifted for one action to open.
    """

    accounts: int
    causes: tuple[Cause, ...]
    rules_away: dict[int, int]


class Waits(BaseModel, frozen=True, extra="forbid"):
    """Accounts that wait, each counted once, under the first that applies.

    ``no_action``: nothing is allowed. ``control_arm``: the debtor is in an arm of an experiment. ``lost_to_budget``:
    the best action uses what is worth more elsewhere. ``by_choice``: waiting was worth most, or was explored.
    """

    accounts: int
    no_action: int
    control_arm: int
    lost_to_budget: int
    by_choice: int


class Exclusions(BaseModel, frozen=True, extra="forbid"):
    """All of it for the decisions of one run; ``decisions_sha256`` is that of the file they were written to.

    ``rules`` come with those first that refuse most pairs. Capacities and budgets decide by price and leave on record
    only the best action that an account lost, so that ``affordable`` is at most one pair an account below ``allowed``.
    """

    decided_at: str | None
    model_version: str | None
    policy_version: str | None
    accounts: int
    actions: int
    total: Funnel
    channels: tuple[Funnel, ...]
    segments: dict[str, tuple[Funnel, ...]]
    rules: tuple[RuleExclusion, ...]
    only_wait: OnlyWait
    waits: Waits
    decisions_sha256: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return self.model_dump(mode="json")
