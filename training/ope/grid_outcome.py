"""The outcome model of canonical logs: the reward of every action on every decision, from debtors of other folds.

LightGBM, shallow and strongly shrunk, on the account's features as of the decision and on what the action is: there are
over a hundred features with gaps and categories, and rewards whose tails a deep tree would learn by heart. The response
model of the evaluated version is not used: it has seen these decisions, and would agree with itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from decisioning.candidates import candidate_names, grid, rows_for
from decisioning.trees import Trees
from domain.actions import ActionCatalogue
from features.schema import FeatureSchema
from training.boosting import Columns, Recipe, fit_rounds, margins
from training.config import ModelConfig
from training.ope.decisions import Bools, Decisions
from training.ope.estimators import Floats, Int64s


@dataclass(frozen=True, slots=True)
class GridOutcome:
    """``q_logged`` (n,) of the logged action; ``q`` (n, A), ``NaN`` where it was not asked about."""

    q_logged: Floats
    q: Floats

    def under(self, probabilities: Floats) -> Floats:
        """(n,) expected reward under a policy (n, A)."""
        return np.asarray(np.where(probabilities > 0, probabilities * self.q, 0.0).sum(axis=1), dtype=np.float64)


def cross_fitted_grid(
    decisions: Decisions,
    values: Floats,
    reward: Floats,
    fold: Int64s,
    *,
    schema: FeatureSchema,
    catalogue: ActionCatalogue,
    wanted: Bools,
    model: ModelConfig,
) -> GridOutcome:
    """Fit on the other folds, predict each.

    Parameters
    ----------
    values : (n, k) features in the order of ``schema``, as of each decision
    wanted : (n, A) pairs to predict
    """
    names = candidate_names(schema, decisions.actions)
    columns = Columns((*schema.names, *names), schema.categorical)
    table = rows_for(values, schema, decisions.actions, decisions.action, names=names)
    recipe = Recipe("regression", model).small()
    q_logged, q = np.zeros(len(reward)), np.full(wanted.shape, np.nan)
    q[wanted] = 0.0
    for held_out in np.unique(fold):
        inside = fold == held_out
        if inside.all():
            break
        data = (table[~inside], reward[~inside])
        booster = fit_rounds(recipe, columns, data=data, rounds=recipe.model.max_rounds)
        q_logged[inside] = margins(booster, table[inside], threads=model.threads)
        everything = grid(values[inside], schema, catalogue.actions, names=names)
        q[inside] = Trees.of(booster).margins(everything, wanted[inside])
    return GridOutcome(q_logged, q)
