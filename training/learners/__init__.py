"""Learners of the response model, one file each, behind one small protocol."""

from __future__ import annotations

from typing import Protocol

from decisioning.response import HurdleModel
from features.schema import FeatureSchema
from training.config import TrainingConfig
from training.learners.hurdle import HurdleLearner, LearnedResponse
from training.response_log import ResponseLog


class Learner(Protocol):
    """Something that turns logged decisions into a predict-only response model."""

    def fit(self, log: ResponseLog, schema: FeatureSchema, config: TrainingConfig) -> LearnedResponse:
        """Learn what each action leads to."""


LEARNERS: dict[str, Learner] = {"hurdle": HurdleLearner()}
"""By the name that ``training.yaml`` uses; the funnel and its blend take their places here."""

__all__ = ["LEARNERS", "HurdleModel", "LearnedResponse", "Learner"]
