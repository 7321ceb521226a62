"""Shapes of the payment model, judged by the calibrated log-loss of the explained horizon on later training rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.errors import NotEnoughDataError
from training.boosting import Columns, margins
from training.caching.steps import Chain
from training.calibration import losses_of
from training.config import ModelConfig, TrainingConfig
from training.payment import Target, fit_evaluated
from training.splits import Split, rolling_splits
from training.tuning.search import OnTrial, Searched, search
from training.tuning.shapes import Shape, shape_of, with_shape
from training.tuning.winning import Fold
from training.windows import Int64s

Floats = npt.NDArray[np.float64]
_FEWEST_TRAINED, _FEWEST_LATER = 500, 100


@dataclass(frozen=True)
class PaymentMaterial:
    """Rows and target of the explained horizon: ``values`` (n, k), ``debtor`` and ``as_of_us`` (n,)."""

    values: Floats
    columns: Columns
    target: Target
    debtor: npt.NDArray[np.int32]
    as_of_us: Int64s


def tune_payment(material: PaymentMaterial, config: TrainingConfig, *, after: Chain, tell: OnTrial) -> Searched:
    """Search on folds within the training rows; validation and test rows, which judge the final model, are not read.

    Raises
    ------
    NotEnoughDataError : the training rows do not reach over enough time for so many folds

    Notes
    -----
    Each fold is a training in small: grown on the earliest rows, stopped and calibrated on later ones, judged on still
    later ones, with a gap of the horizon before each of the last two.
    """
    target, tuning = material.target, config.tuning
    splits = rolling_splits(
        material.as_of_us, target.split.train, horizon_days=target.horizon_days, folds=tuning.folds,
        config=config.splits,
    )  # fmt: skip
    _check(splits)
    chain = after.then(folds=tuning.folds, days=target.horizon_days)

    found: dict[tuple[Any, ...], Fold] = {}

    def judge(shape: Shape, number: int) -> Fold:
        known = (tuple(sorted(shape.items())), number)
        if known not in found:
            model = with_shape(config.model, shape)
            kept = chain.then(model=model.model_dump(mode="json", exclude={"threads"}), fold=number)
            found[known] = kept.of("payment trial", lambda: _judged(material, splits[number], model))
        return found[known]

    shape, seed = shape_of(config.model), config.model.seed
    return search(judge, shape, tuning, folds=tuning.folds, trials=tuning.trials, seed=seed, tell=tell)


def _check(splits: tuple[Split, ...]) -> None:
    """Rows of which a booster can grow trees at all; of fewer every shape is the same."""
    train, later = splits[0].train, min(min(len(one.valid), len(one.test)) for one in splits)
    if len(train) < _FEWEST_TRAINED or later < _FEWEST_LATER:
        raise NotEnoughDataError(
            f"the first of {len(splits)} folds has {len(train)} rows to train on, and one has {later} to judge on; "
            f"needed {_FEWEST_TRAINED} and {_FEWEST_LATER}"
        )


def _judged(material: PaymentMaterial, split: Split, model: ModelConfig) -> Fold:
    inner = replace(material.target, split=split)
    booster, calibrator = fit_evaluated(
        material.values, material.columns, inner, debtor=material.debtor, config=model, train=split.train
    )
    p_pay = calibrator.apply(margins(booster, material.values[split.test], threads=model.threads))
    losses = losses_of(material.target.paid[split.test], p_pay)
    return Fold(losses, material.debtor[split.test].astype(np.int64))
