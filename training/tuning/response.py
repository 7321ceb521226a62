"""Shapes of the response model, judged by what its policy would have been worth on later logged decisions.

The value is doubly robust (``training.ope``), so that it needs a log that explored. Where the log supports no value,
the stages of the model are judged by their log-loss on later rows instead, and the reason is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.errors import DataError, NotEnoughDataError
from training.caching.steps import Chain
from training.config import TrainingConfig
from training.learners import CHALLENGER, LEARNERS, LearnedResponse
from training.ope.estimators import Log, effective_rows, mean_of
from training.ope.support import support
from training.ope.verdict import MIN_EFFECTIVE
from training.tuning.origins import Origin
from training.tuning.search import OnTrial, search
from training.tuning.shapes import Shape, shape_of, with_shape
from training.tuning.winning import Fold

VALUE, STAGES = "policy value per decision (DR), its negative as loss", "log-loss of the response model's stages"
_STAGES = ("received", "agreed", "pay")


@dataclass(frozen=True)
class ResponseMaterial:
    """The origins and the configuration of a search, and the steps before it; ``found`` are folds judged so far."""

    origins: tuple[Origin, ...]
    config: TrainingConfig
    after: Chain
    found: dict[tuple[Any, ...], Fold] = field(default_factory=dict)

    def learn(self, shape: Shape, origin: Origin) -> LearnedResponse:
        """The model of a shape at an origin: of a funnel the boosters alone, without their twins."""
        name = self.config.response.learner
        learner = LEARNERS[CHALLENGER if name == CHALLENGER else "funnel"]
        config = self.config.model_copy(update={"model": with_shape(self.config.model, shape)})
        taught = origin.taught
        return learner.fit(taught.log, taught.schema, config, contacts=taught.contacts)

    def judge(self, objective: str, shape: Shape, number: int) -> Fold:
        """Losses of a shape after an origin, by one of the two objectives."""
        known = (objective, tuple(sorted(shape.items())), number)
        if known not in self.found:
            chain = self.after.then(objective=objective, shape=dict(shape), fold=number)
            loss, origin = (self._worth if objective == VALUE else self._stages), self.origins[number]
            self.found[known] = chain.of("response trial", lambda: loss(shape, origin))
        return self.found[known]

    def folds(self, objective: str, shape: Shape) -> list[Fold]:
        """The same after every origin."""
        return [self.judge(objective, shape, number) for number in range(len(self.origins))]

    def _worth(self, shape: Shape, origin: Origin) -> Fold:
        scores, weight = origin.valued(self.learn(shape, origin).model)
        return Fold(-scores, origin.judging.log.cluster, weight)

    def _stages(self, shape: Shape, origin: Origin) -> Fold:
        """Of the stages that are boosters, each on rows later than those it was grown on."""
        found = self.learn(shape, origin).summary
        losses = [float(found[name]["test_log_loss"]) for name in _STAGES if "test_log_loss" in found.get(name, {})]
        if not losses:
            raise NotEnoughDataError("no stage of the response model has enough rows to be judged on later ones")
        return Fold(np.array(losses), np.zeros(len(losses), dtype=np.int64))


def tune_response(material: ResponseMaterial, *, tell: OnTrial) -> dict[str, Any]:
    """What is told of the search, by policy value where the log supports it.

    Raises
    ------
    NotEnoughDataError : too little was known at an origin to learn the response model
    """
    config, at_hand = material.config, shape_of(material.config.model)
    lacking = _lacking(material, at_hand)
    objective = VALUE if lacking is None else STAGES
    found = search(
        lambda shape, number: material.judge(objective, shape, number), at_hand, config.tuning,
        folds=len(material.origins), trials=config.tuning.response_trials, seed=config.model.seed, tell=tell,
    )  # fmt: skip
    told: dict[str, Any] = {"objective": objective, **found.to_json()}
    if lacking is not None:
        return {**told, "fell_back": lacking}
    shapes = {"at_hand": at_hand, "best": found.best.shape}
    values = {name: _value(material.folds(VALUE, shape)) for name, shape in shapes.items()}
    effective = values["best"]["effective"]
    if told["taken"] and effective < MIN_EFFECTIVE:
        why = f"its policy rests on {effective:.1f} effective decisions, needed {MIN_EFFECTIVE:.0f}"
        told |= {"taken": False, "shape": at_hand, "not_taken": why}
    return {**told, "value": values}


def _lacking(material: ResponseMaterial, shape: Shape) -> str | None:
    """Why no policy can be valued on the log, asked of the one of the shape at hand; ``None`` where it can."""
    try:
        weight = _weights(material.folds(VALUE, shape))
        logs = [origin.judging.log for origin in material.origins]
    except DataError as error:
        return str(error)
    effective = effective_rows(weight)
    if effective < MIN_EFFECTIVE:
        return f"{effective:.1f} effective decisions tell what a policy is worth, needed {MIN_EFFECTIVE:.0f}"
    names = ("action_prob", "reward", "cluster")
    whole = Log(*(np.concatenate([getattr(log, name) for log in logs]) for name in names))
    return "the log lacks support for the model's policy" if support(whole, weight).lacking else None


def _value(folds: Sequence[Fold]) -> dict[str, float]:
    """The value of a policy over all spans, in currency per decision, with its interval and effective decisions."""
    scores = np.concatenate([-one.losses for one in folds])
    found = mean_of(scores, np.concatenate([one.debtor for one in folds]))
    return {"value": found.value, "low": found.low, "high": found.high, "effective": effective_rows(_weights(folds))}


def _weights(folds: Sequence[Fold]) -> npt.NDArray[np.float64]:
    return np.concatenate([one.weight for one in folds if one.weight is not None])
