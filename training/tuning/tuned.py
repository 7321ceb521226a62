"""What tuning decides for a training: the settings of either model, and what is told of how they were found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain.errors import NotEnoughDataError
from training.caching.steps import Chain
from training.config import ModelConfig, TrainingConfig
from training.tuning.payment import PaymentMaterial, tune_payment
from training.tuning.shapes import shape_of, with_shape

PAYMENT, RESPONSE = "payment", "response"


@dataclass(frozen=True)
class Tuned:
    """Settings of the payment and of the response model; ``told`` by model, empty where nothing was searched."""

    payment: ModelConfig
    response: ModelConfig
    told: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def untouched(cls, model: ModelConfig) -> Tuned:
        """Both as they are configured."""
        return cls(model, model)

    @classmethod
    def recorded(cls, model: ModelConfig, told: Mapping[str, Any]) -> Tuned:
        """As a run has recorded it: nothing is searched again."""
        shapes = {name: with_shape(model, told[name]["shape"]) for name in (PAYMENT, RESPONSE) if name in told}
        return cls(shapes.get(PAYMENT, model), shapes.get(RESPONSE, model), told)

    def shapes(self) -> dict[str, dict[str, float | int]]:
        """The shapes that were settled on, by model; nothing where nothing was searched."""
        found = {PAYMENT: self.payment, RESPONSE: self.response}
        return {name: shape_of(found[name]) for name in self.told}


def tune(material: PaymentMaterial, config: TrainingConfig, *, after: Chain) -> Tuned:
    """Search for a better shape of each model."""
    return Tuned.recorded(config.model, {PAYMENT: _payment(material, config, after=after)})


def _payment(material: PaymentMaterial, config: TrainingConfig, *, after: Chain) -> dict[str, Any]:
    """What is told of the payment model's search; where data are too few, why it was left as it is."""
    try:
        return {"objective": "calibrated log-loss", **tune_payment(material, config, after=after).to_json()}
    except NotEnoughDataError as error:
        return {"shape": shape_of(config.model), "taken": False, "not_tuned": str(error), "trials": []}
