"""The learning curve: the model of one origin, had fewer debtors been there to learn from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from training.backtesting.judging import judged
from training.backtesting.origins import Origin, with_scores
from training.boosting import margins
from training.config import ModelConfig
from training.payment import Target, fit_evaluated
from training.runs.learning import columns_of
from training.splits import hash_share

SHARES = (0.125, 0.25, 0.5, 1.0)
_SALT = 0x85EB


def learning_curve(origin: Origin, config: ModelConfig, *, seed: int) -> list[dict[str, Any]]:
    """Figures on the rows after an origin by share of the debtors in training and validation, each within the next.

    The boosters are those that saw training rows alone, stopped and calibrated on validation rows, for every share.
    """
    debtor, split = origin.rows.rows.debtor, origin.target.split
    place = hash_share(debtor.astype(np.int64), seed=config.seed + _SALT)
    found = []
    for share in SHARES:
        inside = place < share
        target = _among(origin, inside)
        booster, calibrator = fit_evaluated(
            origin.rows.values, columns_of(origin.rows.schema), target, debtor=debtor, config=config,
            train=target.split.train,
        )  # fmt: skip
        p_pay = calibrator.apply(margins(booster, origin.values, threads=config.threads))
        counts = {"share": share, "training_rows": len(target.split.train), "trees": booster.current_iteration()}
        debtors = len(np.unique(debtor[split.train][inside[split.train]]))
        # The same draws for every share, so that the shares differ in the model alone.
        told = judged(with_scores(origin.later, p_pay), rng=np.random.default_rng(seed))
        found.append({**counts, "training_debtors": debtors, **told})
    return found


def _among(origin: Origin, inside: npt.NDArray[np.bool_]) -> Target:
    """The target with training and validation rows of some debtors."""
    split = origin.target.split
    train, valid = (part[inside[part]] for part in (split.train, split.valid))
    return replace(origin.target, split=replace(split, train=train, valid=valid))
