"""Shapes of boosters: the settings that are searched, drawn from the declared bounds, and put into a model's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from training.config import ModelConfig
from training.tuning.config import SpaceConfig

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Shape = Mapping[str, float | int]
"""Values of the settings in ``NAMES``."""
NAMES = tuple(SpaceConfig.model_fields)
_LOGARITHMIC = ("learning_rate", "min_rows_per_leaf", "l2")


def shape_of(model: ModelConfig) -> dict[str, float | int]:
    """The shape that a model has now."""
    return {name: getattr(model, name) for name in NAMES}


def with_shape(model: ModelConfig, shape: Mapping[str, Any]) -> ModelConfig:
    """The same settings in another shape; what is no valid one is refused by pydantic."""
    return ModelConfig.model_validate({**model.model_dump(), **{name: shape[name] for name in NAMES}})


def distributions(space: SpaceConfig) -> dict[str, BaseDistribution]:
    """The bounds as Optuna takes them."""
    from optuna.distributions import FloatDistribution, IntDistribution  # noqa: PLC0415  (only where it is tuned)

    found: dict[str, BaseDistribution] = {}
    for name in NAMES:
        low, high = getattr(space, name)
        whole = isinstance(low, int)
        kind = IntDistribution if whole else FloatDistribution
        found[name] = kind(low, high, log=name in _LOGARITHMIC)
    return found


def inside(space: SpaceConfig, shape: Shape) -> bool:
    """Whether a shape lies within the bounds."""
    return all(getattr(space, name)[0] <= shape[name] <= getattr(space, name)[1] for name in NAMES)
