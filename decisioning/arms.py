"""Control arms: debtors set apart for good, by whom it is told what the policy adds to what comes in anyway."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, Field, PositiveInt, model_validator

from decisioning.draws import uniform
from domain.actions import ActionCatalogue
from domain.clock import MISSING
from domain.errors import ConfigError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]

ARMS = ("policy", "holdout", "random", "rules", "payment")
"""Where an arm stands here is its code. All but the first are controls."""
POLICY, HOLDOUT, RANDOM, RULES, PAYMENT = range(len(ARMS))
_EXACT = 1e-12
_NEVER = np.iinfo(np.int64).max


class Arms(BaseModel, frozen=True, extra="forbid"):
    """Shares of debtors set apart, stable over time: whoever is in an arm stays in it while its share is not lowered.

    ``holdout`` is left alone; ``random`` gets any allowed action, all alike; ``rules`` what the fixed ladder says;
    ``payment`` gets the ladder's action where the probability of paying by itself is below ``payment_below``, and is
    left alone otherwise, as a payment score alone would have it.
    """

    holdout: float = Field(default=0.0, ge=0.0, le=1.0)
    random: float = Field(default=0.0, ge=0.0, le=1.0)
    rules: float = Field(default=0.0, ge=0.0, le=1.0)
    payment: float = Field(default=0.0, ge=0.0, le=1.0)
    payment_below: float = Field(default=0.5, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _leaves_somebody(self) -> Self:
        if sum(self.shares) > 1.0 + _EXACT:
            raise ValueError(f"the shares of the arms must sum to 1 at most, found {sum(self.shares):g}")
        return self

    @property
    def goes_by_ladder(self) -> bool:
        """Whether any arm needs a ladder."""
        return self.rules > 0 or self.payment > 0

    @property
    def parts(self) -> Floats:
        """(5,) by code: the share of each control arm of all debtors that are not left alone, 0 of the other two."""
        acting = max(1.0 - self.holdout, _EXACT)
        return np.array([0.0, 0.0, self.random, self.rules, self.payment]) / acting

    @property
    def shares(self) -> tuple[float, ...]:
        """The share of each control arm, in the order of ``ARMS``."""
        return self.holdout, self.random, self.rules, self.payment


class LadderStep(BaseModel, frozen=True, extra="forbid"):
    """From how many days past due a step holds, and what is done then: the first of the patterns that is allowed.

    It acts on its first day, and again ``every_days`` after it, until the next step begins.
    """

    from_days_past_due: int
    actions: tuple[str, ...] = Field(min_length=1)
    every_days: PositiveInt = 7


def check_ladder(arms: Arms, ladder: Sequence[LadderStep], catalogue: ActionCatalogue) -> None:
    """Refuses a ladder that cannot be climbed, and arms that need one where there is none.

    Raises
    ------
    ConfigError : steps do not rise, a pattern names no action, or an arm has no ladder to go by
    """
    if arms.goes_by_ladder and not ladder:
        raise ConfigError(
            "decision.yaml, arms: found a share for `rules` or `payment` and no `ladder:`; needed its steps, such as "
            "`ladder: [{from_days_past_due: 1, actions: [sms/none/*]}]`"
        )
    days = [step.from_days_past_due for step in ladder]
    if days != sorted(set(days)):
        raise ConfigError(f"decision.yaml, ladder: found steps from days {days}, needed distinct and rising ones")
    for step in ladder:
        for pattern in step.actions:
            if not catalogue.matching(pattern):
                raise ConfigError(
                    f"decision.yaml, ladder: found {pattern!r}, which is no action of actions.yaml; needed "
                    "channel/offer/moment, where * stands for any"
                )


class Controls(NamedTuple):
    """The ``arm`` (n,) of each row by code, and what control rows do: ``rank`` (n, A), the lowest first.

    Equal ranks are left to chance, and -1 is never done; rows of the policy have nothing else.
    """

    arm: Int64s
    rank: Int64s

    @classmethod
    def nobody(cls, rows: int, actions: int) -> Controls:
        """All rows are the policy's."""
        return cls(np.zeros(rows, dtype=np.int64), np.full((rows, actions), -1))

    def take(self, rows: Int64s) -> Controls:
        """Those of other rows."""
        return Controls(self.arm[rows], self.rank[rows])

    def within(self, reach: Bools) -> Controls:
        """The same where only some actions (n, A) are within reach: the next in rank takes the place of another."""
        return Controls(self.arm, np.where(reach, self.rank, -1))

    @property
    def probabilities(self) -> Floats:
        """(n, A) of what control rows do; 0 in rows of the policy."""
        may = self.rank >= 0
        first = may & (self.rank == np.where(may, self.rank, _NEVER).min(axis=1, keepdims=True))
        return np.asarray(first / np.maximum(first.sum(axis=1, keepdims=True), 1), dtype=np.float64)


def arms_of(debtor_ids: Sequence[str], arms: Arms) -> Int64s:
    """(n,) the arm of each debtor, by its id and the shares alone: it stays there over models and policies.

    One arm after the other takes its share of who is left, each by a hash of its own. So an arm holds whom it held
    before when it is enlarged, and no arm moves by what a later one is given.
    """
    found = np.zeros(len(debtor_ids), dtype=np.int64)
    left = 1.0
    for code, share in enumerate(arms.shares, start=1):
        if share > 0.0:
            odds = share / left
            taken = np.array([uniform(ARMS[code], debtor) < odds for debtor in debtor_ids], dtype=np.bool_)
            found[(found == POLICY) & taken] = code
        left = max(left - share, _EXACT)
    return found


def control_ranks(arm: Int64s, allowed: Bools, *, arms: Arms, p_pay: Floats, ladder: Int64s) -> Int64s:
    """(n, A) in which order control rows do what, as in ``Controls``.

    Parameters
    ----------
    allowed : (n, A); column 0 is ``wait`` and always allowed
    p_pay : (n,) probability of paying if left alone
    ladder : (n, A) order of the ladder's actions (``ladder_ranks``)
    """
    waits = np.where(np.arange(allowed.shape[1]) == 0, 0, -1)
    leaves = (arm == HOLDOUT) | ((arm == PAYMENT) & (p_pay >= arms.payment_below))
    found = np.full(allowed.shape, -1)
    found[leaves] = waits
    found[arm == RANDOM] = np.where(allowed[arm == RANDOM], 0, -1)
    climbs = ((arm == RULES) | (arm == PAYMENT)) & ~leaves
    found[climbs] = ladder[climbs]
    return found


def ladder_ranks(
    steps: Sequence[LadderStep], catalogue: ActionCatalogue, days_past_due: Int64s, *, allowed: Bools
) -> Int64s:
    """(n, A) order of the ladder's actions: those of the last step reached, on its days, and ``wait`` last of all.

    By pattern first, and within one as in the catalogue; -1 for what is not allowed or in no pattern.
    ``days_past_due`` (n,) is ``clock.MISSING`` where nothing is open.
    """
    actions = allowed.shape[1]
    found = np.full(allowed.shape, -1)
    known = days_past_due != MISSING
    for place, step in enumerate(steps):
        after = steps[place + 1].from_days_past_due if place + 1 < len(steps) else np.iinfo(np.int64).max
        since = days_past_due - step.from_days_past_due
        here = known & (since >= 0) & (days_past_due < after) & (since % step.every_days == 0)
        for turn, pattern in reversed([*enumerate(step.actions)]):
            fits = list(catalogue.matching(pattern))
            order = np.full(actions, -1)
            order[fits] = turn * actions + np.array(fits)
            found = np.where(here[:, None] & allowed & (order >= 0), order, found)
    found[:, 0] = _NEVER - 1
    return found
