"""``tuning`` of ``training.yaml``: whether shapes are searched, for how long, and between which bounds."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from decisioning.tree_limits import DEEPEST

MOST_LEAVES = 1024


def _rising(bounds: tuple[float, float]) -> tuple[float, float]:
    if bounds[0] > bounds[1]:
        raise ValueError(f"found the bounds {list(bounds)}, needed the lower one first")
    return bounds


Whole = Annotated[tuple[PositiveInt, PositiveInt], AfterValidator(_rising)]
Share = Annotated[tuple[PositiveFloat, PositiveFloat], AfterValidator(_rising)]


class SpaceConfig(BaseModel, frozen=True, extra="forbid"):
    """Bounds of each setting that is searched, both included; two equal ones fix it.

    Learning rate, rows of a leaf and l2 are searched on a logarithmic scale.
    """

    max_leaves: Whole = (7, 31)
    max_depth: Whole = (3, 6)
    learning_rate: Share = (0.03, 0.2)
    min_rows_per_leaf: Whole = (20, 500)
    l2: Share = (0.1, 100.0)
    feature_share: Share = (0.4, 1.0)

    @model_validator(mode="after")
    def _can_be_explained(self) -> Self:
        if self.max_depth[1] > DEEPEST:
            raise ValueError(
                f"max_depth: found up to {self.max_depth[1]}, needed at most {DEEPEST}, the deepest tree whose scores "
                "the explanation kernel takes apart exactly"
            )
        if not 2 <= self.max_leaves[0] <= self.max_leaves[1] <= MOST_LEAVES:
            raise ValueError(f"max_leaves: found {list(self.max_leaves)}, needed 2 to {MOST_LEAVES}")
        if self.learning_rate[1] > 1 or self.feature_share[1] > 1:
            raise ValueError("learning_rate and feature_share: found bounds above 1, needed at most 1")
        return self


class TuningConfig(BaseModel, frozen=True, extra="forbid"):
    """``enabled`` is the one key that switches it on.

    The payment model has a budget of ``trials``, the response model one of ``response_trials``, which take far longer;
    0 leaves a model as it is. Each also has one of ``max_seconds``, where that is given: whichever ends
    first. Trials alone give the same model each time; seconds do not, since how many trials fit into them depends on
    the machine. ``folds`` are spans of time: all but the last choose the best trial, and the last confirms it.
    """

    enabled: bool = False
    trials: NonNegativeInt = 30
    response_trials: NonNegativeInt = 10
    max_seconds: NonNegativeFloat | None = None
    folds: int = Field(default=4, ge=3, le=12)
    space: SpaceConfig = SpaceConfig()
