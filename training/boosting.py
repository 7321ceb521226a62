"""LightGBM, always in the same deterministic way: early stopping to find the number of trees, then a refit."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from decisioning.tree_shap import scorer_of
from training.config import ModelConfig
from training.windows import Int64s

Floats = npt.NDArray[np.float64]


_MANY = 5_000
"""Rows from which on reading the trees costs less than it saves."""

Data = tuple[Floats | csr_matrix, Floats] | tuple[Floats | csr_matrix, Floats, Floats]
"""Rows and labels, and the margins that a booster starts from, which its own come on top of; by default 0."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of the columns of a matrix, and the positions of the categorical ones.

    ``directions`` is the sign in which each column may move the target, 0 where it is free; empty frees them all.
    """

    names: tuple[str, ...]
    categorical: tuple[int, ...]
    directions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a booster is grown; ``objective`` is ``binary`` or, for shares in [0, 1], ``cross_entropy``.

    ``leaf_scale`` and ``l2_scale`` are factors on what the model's settings say of leaves.
    """

    objective: str
    model: ModelConfig
    leaf_scale: float = 1.0
    l2_scale: float = 1.0
    patience: int = 25

    def small(self) -> Recipe:
        """For rare outcomes: shallow trees, few of them, strongly shrunk."""
        model = self.model.model_copy(
            update={
                "max_leaves": min(self.model.max_leaves, 6),
                "max_depth": min(self.model.max_depth, 3),
                "learning_rate": self.model.learning_rate / 2,
                "max_rounds": min(self.model.max_rounds, 120),
            }
        )
        return replace(self, model=model, leaf_scale=5 * self.leaf_scale, l2_scale=10 * self.l2_scale)

    def params(self, columns: Columns) -> dict[str, Any]:
        """LightGBM parameters; everything that could make two runs differ is fixed."""
        return {
            **_constraints(columns, self.model.monotone),
            "objective": self.objective,
            "num_leaves": self.model.max_leaves,
            "max_depth": self.model.max_depth,
            "learning_rate": self.model.learning_rate,
            "min_data_in_leaf": max(1, round(self.leaf_scale * self.model.min_rows_per_leaf)),
            "lambda_l2": self.l2_scale * self.model.l2,
            "feature_fraction": self.model.feature_share,
            "max_bin": 63,
            "cat_smooth": 50.0,
            "metric": self.objective,
            "seed": self.model.seed,
            "num_threads": self.model.threads,
            "deterministic": True,
            "force_row_wise": True,
            "feature_pre_filter": False,
            "verbosity": -1,
        }


def fit_stopped(recipe: Recipe, columns: Columns, *, train: Data, valid: Data) -> lgb.Booster:
    """A booster grown on ``train`` until ``valid`` stops improving, cut at its best round."""
    grown = lgb.train(
        recipe.params(columns),
        _dataset(train, columns),
        num_boost_round=recipe.model.max_rounds,
        valid_sets=[_dataset(valid, columns)],
        callbacks=[lgb.early_stopping(recipe.patience, verbose=False)],
    )
    return trimmed(grown, grown.best_iteration)


def fit_rounds(recipe: Recipe, columns: Columns, *, data: Data, rounds: int) -> lgb.Booster:
    """A booster of a given number of trees; in a sparse matrix what is not stored is 0."""
    return lgb.train(recipe.params(columns), _dataset(data, columns), num_boost_round=max(1, rounds))


def trimmed(booster: lgb.Booster, rounds: int) -> lgb.Booster:
    """The first ``rounds`` trees as a booster of their own, so that nothing has to remember where to stop."""
    return lgb.Booster(model_str=booster.model_to_string(num_iteration=max(1, rounds)))


def margins(booster: lgb.Booster, values: Floats, *, threads: int) -> Floats:
    """(n,) raw scores; of many rows by trees that are read here, the same to the last bit for a third of the time."""
    if not len(values):
        return np.zeros(0)
    if len(values) >= _MANY and (scorer := scorer_of(booster)) is not None:
        return scorer.margins(values)
    return np.asarray(booster.predict(values, raw_score=True, num_threads=threads), dtype=np.float64)


def take(values: Floats, target: Floats, rows: Int64s) -> tuple[Floats, Floats]:
    """Features and target of some rows."""
    return values[rows], target[rows]


def _constraints(columns: Columns, method: str) -> dict[str, Any]:
    if method == "off" or not any(columns.directions):
        return {}
    return {"monotone_constraints": list(columns.directions), "monotone_constraints_method": method}


def _dataset(data: Data, columns: Columns) -> lgb.Dataset:
    values, target, *start = data
    with warnings.catch_warnings():
        # LightGBM repeats through warnings what the parameters already say.
        warnings.simplefilter("ignore", UserWarning)
        return lgb.Dataset(
            values,
            label=target,
            init_score=start[0] if start else None,
            feature_name=list(columns.names),
            categorical_feature=list(columns.categorical),
            params={"max_bin": 63, "feature_pre_filter": False, "verbosity": -1},
            free_raw_data=True,
        )
