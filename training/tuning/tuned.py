"""What tuning decides for a training: the settings of either model, and what is told of how they were found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from domain.errors import NotEnoughDataError
from features.encoding import Encoded
from training.caching.steps import Chain
from training.config import ModelConfig, TrainingConfig
from training.dataset import Horizon
from training.response_log import log_split
from training.runs.configs import Configs
from training.tuning.origins import known_until, origins_of
from training.tuning.payment import PaymentMaterial, tune_payment
from training.tuning.response import ResponseMaterial, tune_response
from training.tuning.search import OnTrial
from training.tuning.shapes import shape_of, with_shape

PAYMENT, RESPONSE = "payment", "response"
Tell = Callable[[str, float], None]


def _quiet(_what: str, _part: float) -> None:
    return None


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


def tune(
    material: PaymentMaterial,
    encoded: Encoded,
    loaded: Configs,
    *,
    horizon: Horizon,
    after: Chain,
    tell: Tell = _quiet,
) -> Tuned:
    """Search for a better shape of each model.

    Parameters
    ----------
    encoded, horizon : everything that is known when the final models are trained, and when it ends
    tell : hears which trial starts, and which part of both searches is done
    """
    config = loaded.training
    settings = config.tuning.model_dump(mode="json", include={"folds"})
    chain = after.then(
        model=config.model.model_dump(mode="json", exclude={"threads"}), label=config.label.model_dump(mode="json"),
        decision=loaded.decision.model_dump(mode="json"), response=config.response.model_dump(mode="json"),
        actions=[asdict(action) for action in loaded.catalogue.actions], **settings,
    )  # fmt: skip
    world = _World(encoded, loaded, horizon, material.target.split.test_from_us)
    halves = {name: _half(tell, name, place) for place, name in enumerate((PAYMENT, RESPONSE))}
    told = {
        PAYMENT: _told(config, lambda: _payment(material, config, after=after, tell=halves[PAYMENT])),
        RESPONSE: _told(config, lambda: _response(world, after=chain, tell=halves[RESPONSE])),
    }
    return Tuned.recorded(config.model, told)


def _told(config: TrainingConfig, searched: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What is told of a search; where data are too few, why the model was left as it is."""
    try:
        return searched()
    except NotEnoughDataError as error:
        return {"shape": shape_of(config.model), "taken": False, "not_tuned": str(error), "trials": []}


def _half(tell: Tell, model: str, place: int) -> OnTrial:
    """Tells trials of one of the two searches."""
    return lambda number, most: tell(f"{model} trial {number} of {most}", (place + number / (most + 1)) / 2)


def _payment(material: PaymentMaterial, config: TrainingConfig, *, after: Chain, tell: OnTrial) -> dict[str, Any]:
    if not config.tuning.trials:
        raise NotEnoughDataError("tuning.trials is 0")
    return {"objective": "calibrated log-loss", **tune_payment(material, config, after=after, tell=tell).to_json()}


@dataclass(frozen=True)
class _World:
    """What is known, and the moment from which the final payment model is judged."""

    encoded: Encoded
    loaded: Configs
    horizon: Horizon
    payment_judged_from_us: int


def _response(world: _World, *, after: Chain, tell: OnTrial) -> dict[str, Any]:
    loaded, encoded = world.loaded, world.encoded
    config = loaded.training
    if not config.tuning.response_trials:
        raise NotEnoughDataError("tuning.response_trials is 0")
    if not encoded.tables.rows("decisions"):
        raise NotEnoughDataError("there is no decisions table, or it is empty")
    judged = log_split(encoded, config, catalogue=loaded.catalogue, horizon=world.horizon)
    # Contacts go on for longer than decisions that can be judged, so that their test rows begin later.
    end_us = min(world.payment_judged_from_us, judged.test_from_us)
    origins = origins_of(known_until(encoded.tables, loaded, end_us=end_us), folds=config.tuning.folds)
    return tune_response(ResponseMaterial(origins, config, after.then(end_us=end_us)), tell=tell)
