"""What another seed would have made of the same data: it is recorded in training, where the data still are.

A seed decides which features a tree may look at, and which debtors are in which fold; none of it is anything about the
world. So what moves with it is noise of the fit, and the report tells how much of it there is.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.bundle import ModelBundle
from decisioning.config import DecisionConfig
from decisioning.contact_policy import ContactPolicy
from decisioning.desk import Desk, desk
from decisioning.engine import rehearse
from decisioning.models import PaymentModel
from decisioning.rehearsal import NEEDED
from decisioning.response import ResponseModel
from domain.actions import ActionCatalogue
from features.schema import FeatureSchema
from training.boosting import Columns, margins
from training.config import ModelConfig, TrainingConfig
from training.learners import CHALLENGER, LEARNERS, Learner
from training.payment import Target, fit_evaluated

Floats = npt.NDArray[np.float64]
Int32s = npt.NDArray[np.int32]
FILE = "seeds.npz"
MOST_ROWS = 50_000
"""Training rows of the other seeds' models: beyond them a share is taken, of the first seed too, to bound the time."""
_CHOICES = 2_000
Refit = Callable[[Learner, TrainingConfig], ResponseModel]
"""Learns from the rows that the shipped model learned from, with another learner and other settings."""


def with_seed(config: ModelConfig, number: int) -> ModelConfig:
    """The settings of the model under the ``number``-th seed after its own."""
    return config.model_copy(update={"seed": config.seed + number})


def seed_scores(
    values: Floats, columns: Columns, target: Target, *, debtor: Int32s, config: ModelConfig, others: int
) -> dict[str, Floats]:
    """``seed_<number>`` (n,): probabilities of the evaluated model on test rows under other seeds, ``NaN`` elsewhere.

    ``seed_0``, the first seed's own, is there where training rows were too many and all were fitted on a share of them.

    Parameters
    ----------
    values, debtor : (n, k) features and (n,) debtors of all rows
    others : how many seeds beside the first; none with 0
    """
    split = target.split
    step = -(-len(split.train) // MOST_ROWS)
    some = np.flatnonzero(debtor[split.train] % step == 0) if step > 1 else np.arange(len(split.train))
    found: dict[str, Floats] = {}
    for number in range(0 if step > 1 else 1, others + 1) if others else ():
        booster, calibrator = fit_evaluated(
            values, columns, target, debtor=debtor, config=with_seed(config, number), train=split.train[some]
        )
        p_pay = np.full(len(target.paid), np.nan)
        p_pay[split.test] = calibrator.apply(margins(booster, values[split.test], threads=config.threads))
        found[f"seed_{number}"] = p_pay
    return found


def other_response(
    model: ResponseModel | None, told: Mapping[str, Any], fit: Refit, *, config: TrainingConfig
) -> ResponseModel | None:
    """The response model under the next seed, by the learner that was shipped; ``None`` where there is none.

    Parameters
    ----------
    told : what was told of the fit, whose ``learner`` is another one where there was too little for the configured one
    """
    if model is None or not config.seeds:
        return None
    learner = LEARNERS[str(told.get("learner", CHALLENGER))]
    return fit(learner, config.model_copy(update={"model": with_seed(config.model, 1)}))


@dataclass(frozen=True)
class Pair:
    """The shipped models, and the response model of another seed beside the same payment model."""

    schema: FeatureSchema
    payment: PaymentModel
    settings: Mapping[str, Any]
    response: ResponseModel | None
    other: ResponseModel | None

    def bundle(self, response: ResponseModel | None) -> ModelBundle:
        """One of the two as what the engine decides with; it was never written, and has no hash."""
        return ModelBundle(
            schema=self.schema, payment=self.payment, response=response, settings=self.settings, version="draft",
            model_hash="", trained_at="", golden={}, folder=Path(), seal="",
        )  # fmt: skip


def seed_choices(pair: Pair, sample: bytes, *, where: Desk) -> dict[str, bytes]:
    """``seeds.npz``: what both response models choose on the first sampled rows; nothing without another model.

    ``action`` (2, r) are positions in the catalogue, ``chosen_cents`` (2, r) what each model expects of its own choice.
    """
    if pair.other is None or not set(NEEDED) <= pair.schema.index.keys():
        return {}
    with np.load(io.BytesIO(sample), allow_pickle=False) as read:
        values = read["values"][:_CHOICES]
    sides = [rehearse(values, pair.bundle(one), desk=where) for one in (pair.response, pair.other)]
    file = io.BytesIO()
    np.savez_compressed(
        file, action=np.stack([one.action for one in sides]).astype(np.int16),
        chosen_cents=np.stack([one.chosen_cents for one in sides]),
    )  # fmt: skip
    return {FILE: file.getvalue()}


def open_desk(catalogue: ActionCatalogue, config: DecisionConfig) -> Desk:
    """A desk without contact-policy packs: what is compared is two models, and not the rules of a day."""
    return desk(catalogue, config, ContactPolicy(packs=(), rules=()))
