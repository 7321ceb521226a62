"""Learners of the response model, one file each, behind one small protocol."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from decisioning.response import ResponseModel
from domain.errors import NotEnoughDataError
from features.schema import FeatureSchema
from training.config import TrainingConfig
from training.contact_log import ContactLog
from training.learners.blend import FunnelBlendLearner
from training.learners.fitted_q import FittedQLearner
from training.learners.funnel import FunnelLearner
from training.learners.hurdle import HurdleLearner
from training.learners.learned import LearnedResponse
from training.response_log import ResponseLog


class Learner(Protocol):
    """Something that turns logged decisions, and what contacts showed, into a predict-only response model."""

    def fit(
        self, log: ResponseLog, schema: FeatureSchema, config: TrainingConfig, *, contacts: ContactLog
    ) -> LearnedResponse:
        """Learn what each action leads to."""


CHALLENGER = "hurdle"
"""Always trained and reported beside the learner that is named, which falls back to it where data are too few."""
LEARNERS: dict[str, Learner] = {
    CHALLENGER: HurdleLearner(),
    "funnel": FunnelLearner(),
    "funnel_blend": FunnelBlendLearner(),
    "funnel_q": FittedQLearner(),
}
"""By the name that ``training.yaml`` uses."""


Once = Callable[[str, Callable[[], LearnedResponse]], LearnedResponse]
"""Hears the name of a learner and how to fit it, and gives what it learned: now, or on an earlier run."""


def _now(_name: str, fit: Callable[[], LearnedResponse]) -> LearnedResponse:
    return fit()


@dataclass(frozen=True)
class Chosen:
    """The model that is shipped, ``None`` where nothing can be learned; ``told`` goes into the evaluation."""

    model: ResponseModel | None
    told: dict[str, Any]


def fit(
    learner: str,
    log: ResponseLog,
    schema: FeatureSchema,
    config: TrainingConfig,
    *,
    contacts: ContactLog,
    once: Once = _now,
) -> Chosen:
    """Fit the learner of that name, and the challenger beside it.

    Notes
    -----
    Where there is too little for the learner, the challenger takes its place, and ``told`` says why; where there is too
    little for either, nothing is learned.
    """
    try:
        plain = once(CHALLENGER, lambda: LEARNERS[CHALLENGER].fit(log, schema, config, contacts=contacts))
    except NotEnoughDataError as error:
        return Chosen(None, {"refused": str(error)})
    if learner == CHALLENGER:
        return Chosen(plain.model, {"heads": dict(plain.summary)})
    try:
        found = once(learner, lambda: LEARNERS[learner].fit(log, schema, config, contacts=contacts))
    except NotEnoughDataError as error:
        told = {"learner": CHALLENGER, "fell_back": str(error), "heads": dict(plain.summary)}
        return Chosen(plain.model, told)
    return Chosen(found.model, {"heads": dict(found.summary), "challenger": {"heads": dict(plain.summary)}})


__all__ = ["CHALLENGER", "LEARNERS", "Chosen", "LearnedResponse", "Learner", "Once", "fit"]
