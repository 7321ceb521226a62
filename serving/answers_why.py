"""Why a decision is what it is, as the service answers it: models for the OpenAPI document."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A part of an answer."""

    model_config = ConfigDict(extra="forbid")


class Contribution(Part):
    """What one feature adds to the explained probability; a missing value is null."""

    feature: str
    value: float | None
    contribution: float


class FeatureAmount(Part):
    """What one feature adds, in currency; ``feature`` is null for what no feature explains."""

    feature: str | None
    amount: float


class Money(Part):
    """``average`` plus all of ``by_factor`` is ``expected_net_value``; so is ``average`` plus all of ``by_feature``."""

    average: float = Field(description="of an average account that owes the same, and what rounding to cents leaves")
    by_factor: dict[str, float]
    by_feature: list[FeatureAmount]


class Difference(Part):
    """The chosen action against another one: all of ``by_factor`` is ``total``, and so is all of ``by_feature``.

    ``price`` is what is no money: the charge for scarce resources, pressure, and the weight of discounts.
    """

    action: str
    total: float = Field(description="the difference of what the policy compares, in currency")
    by_factor: dict[str, float] | None = Field(description="null where the model's form is not known")
    by_feature: list[FeatureAmount] | None


class DecisionChange(Part):
    """One thing that alone, all else held fixed, makes ``action`` the best; its other keys go by its ``kind``."""

    kind: Literal["rule", "feature", "price"]
    action: str
    gain: float = Field(description="currency, of what the policy compares, over what is best now; 0 for a price")
    by: Literal["debtor", "operator", "time", "nobody"] = Field(description="who can bring it about")
    rule: str | None = None
    code: str | None = None
    allowed_from: str | None = Field(default=None, description="when time lifts all that forbids the action")
    feature: str | None = None
    value: float | None = Field(default=None, description="of the feature now, in its unit")
    needed: float | None = Field(default=None, description="the nearest value that changes the decision")
    cost_rise: float | None = Field(default=None, description="currency per attempt of the chosen action")


class Explanation(Part):
    """``base`` plus all contributions is the explained horizon's probability."""

    base: float
    contributions: list[Contribution]
    contrast: dict[str, dict[str, float]]
    money: Money | None = Field(default=None, description="null in records of before it was told")
    differences: dict[str, Difference] = Field(
        default={}, description="to `runner_up` and to `wait`, where these differ"
    )
    changes: list[DecisionChange] = Field(default=[], description="what would change the decision, smallest first")
