"""The payment model: one booster per horizon, stopped and calibrated out of time, then refitted on all mature rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from decisioning.calibration import Calibrator
from decisioning.models import PaymentModel
from features.reference import Reference, fit_numbers
from training.boosting import Columns, Recipe, margins
from training.calibration import fit_calibrator
from training.config import ModelConfig
from training.growing.growers import Alone, Grower
from training.splits import Split
from training.windows import Bools, Int64s

Floats = npt.NDArray[np.float64]
Int32s = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Target:
    """What one horizon learns: ``paid`` (n,) 0 or 1, ``usable`` (n,) mature rows, and how they are split."""

    horizon_days: int
    paid: Floats
    usable: Bools
    split: Split


@dataclass(frozen=True)
class Fitted:
    """Two pairs of booster and calibrator: the one that was evaluated, and the one that is shipped."""

    evaluated: tuple[lgb.Booster, Calibrator]
    shipped: tuple[lgb.Booster, Calibrator]
    rounds: int


def fit_horizon(
    values: Floats,
    columns: Columns,
    target: Target,
    *,
    debtor: Int32s,
    config: ModelConfig,
    grower: Grower | None = None,
) -> Fitted:
    """Fit one horizon.

    Parameters
    ----------
    values : (n, k) features
    debtor : (n,) for the choice of the calibrator
    grower : grows the boosters from rows of ``values``; by default this process

    Notes
    -----
    The evaluated booster sees the training rows only; validation stops and calibrates it; test rows judge it. The
    shipped booster has as many trees, grown on all mature rows. Its own training rows cannot calibrate it, so its
    calibrator is fitted on the evaluated booster's margins of validation and test rows, which both lie after training.
    """
    split, grower, recipe = target.split, grower or Alone(values), Recipe("binary", config)
    booster = grower.until_valid(recipe, columns, paid=target.paid, train=split.train, valid=split.valid)
    rounds = booster.current_iteration()
    later = np.concatenate([split.valid, split.test])
    margin = margins(booster, values[later], threads=config.threads)
    calibrator, ship = (
        fit_calibrator(margin[: len(rows)], target.paid[rows], debtor[rows]) for rows in (split.valid, later)
    )
    everything = np.flatnonzero(target.usable)
    refit = grower.of_rounds(recipe, columns, paid=target.paid, rows=everything, rounds=rounds)
    return Fitted((booster, calibrator), (refit, ship), rounds)


def fit_evaluated(
    values: Floats, columns: Columns, target: Target, *, debtor: Int32s, config: ModelConfig, train: Int64s
) -> tuple[lgb.Booster, Calibrator]:
    """Booster and calibrator that saw no test row: grown on ``train``, stopped and calibrated on validation rows."""
    valid, recipe = target.split.valid, Recipe("binary", config)
    booster = Alone(values).until_valid(recipe, columns, paid=target.paid, train=train, valid=valid)
    margin = margins(booster, values[valid], threads=config.threads)
    return booster, fit_calibrator(margin, target.paid[valid], debtor[valid])


def later_scores(fitted: Mapping[int, Fitted], target: Target, values: Floats, debtor: Int32s) -> Reference:
    """What the service should answer where nothing drifts: ``p_pay`` of each horizon on rows that came after training.

    Parameters
    ----------
    target : of the explained horizon, whose validation and test rows are taken for all of them
    values, debtor : (n, k) features and (n,) debtors of all rows

    Notes
    -----
    The shipped booster has seen these rows. Its calibrator was fitted to what the evaluated one says of them, so that
    pair is asked: on average it tells what was paid.
    """
    pairs = {days: (fit.evaluated[0], fit.shipped[1]) for days, fit in fitted.items()}
    rows = np.concatenate([target.split.valid, target.split.test])
    model = _model(pairs, explained=target.horizon_days)
    p_pay = model.predict(values[rows])
    columns = {f"{days}d": p_pay[:, place] for place, days in enumerate(model.horizons)}
    return fit_numbers(columns, units=len(np.unique(debtor[rows])))


def assemble(fitted: dict[int, Fitted], *, explained: int, shipped: str) -> PaymentModel:
    """The model of all horizons, from the pairs that were ``evaluated`` or that are ``shipped``."""
    return _model({days: getattr(fit, shipped) for days, fit in fitted.items()}, explained=explained)


def _model(pairs: Mapping[int, tuple[lgb.Booster, Calibrator]], *, explained: int) -> PaymentModel:
    return PaymentModel(
        horizons=tuple(sorted(pairs)),
        explained=explained,
        boosters={days: pair[0] for days, pair in pairs.items()},
        calibrators={days: pair[1] for days, pair in pairs.items()},
    )
