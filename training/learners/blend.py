"""The funnel whose gates are blends of a booster and its linear twin, by a weight chosen on debtors left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from decisioning.funnel import FunnelModel
from decisioning.response import Head
from decisioning.twin import BlendedHead, Twin, design
from features.schema import FeatureSchema
from training.boosting import Columns, Recipe, fit_rounds, fit_stopped, margins
from training.calibration import fit_calibrator
from training.config import TrainingConfig
from training.contact_log import ContactLog
from training.learners.funnel import Fitting, FunnelLearner, corrected, held
from training.learners.heads import Table
from training.learners.learned import LearnedResponse
from training.metrics import METRICS
from training.response_log import ResponseLog
from training.windows import Int64s

Floats = npt.NDArray[np.float64]

_MOST_ROWS = 12_000
"""With more rows than this the booster alone is as good, and three times as fast (docs/model.md)."""
_WEIGHTS = (1.0, 0.75, 0.5, 0.25, 0.0)
_RIDGE = 0.05
_DRIVERS = ("days_past_due", "overdue_cents")


class FunnelBlendLearner:
    """See the module; stateless."""

    def fit(
        self, log: ResponseLog, schema: FeatureSchema, config: TrainingConfig, *, contacts: ContactLog
    ) -> LearnedResponse:
        """Fit the funnel, and blend the gates that have few enough rows.

        Raises
        ------
        NotEnoughDataError : as of the funnel
        """
        plain = FunnelLearner().plain(log, schema, config, contacts=contacts)
        model = plain.model
        assert isinstance(model, FunnelModel)
        if int(contacts.received.sum()) > _MOST_ROWS:
            return corrected(plain, contacts, schema)  # every gate has as many rows as this at least
        heads, summary = dict(model.heads), dict(plain.summary)
        binary = Recipe("binary", config.model)
        recipes = {"received": binary, "agreed": held(binary)}
        for name, (table, label) in Fitting(schema, model.names, config).gate_tables(contacts).items():
            head = heads[name]
            if isinstance(head, Head) and head.booster is not None and len(label) <= _MOST_ROWS:
                heads[name], told = _blended(head, table, label, _Blending(schema, recipes[name]))
                summary[name] = {**summary[name], **told}
        return corrected(LearnedResponse(replace(model, heads=heads), summary), contacts, schema)


@dataclass(frozen=True)
class _Blending:
    schema: FeatureSchema
    recipe: Recipe

    @property
    def width(self) -> int:
        return len(self.schema.names)

    @property
    def drivers(self) -> tuple[int, ...]:
        return tuple(self.schema.index[name] for name in _DRIVERS if name in self.schema.index)

    @property
    def columns(self) -> Columns:
        return Columns(self.schema.names, self.schema.categorical)


def _blended(head: Head, table: Table, label: Floats, how: _Blending) -> tuple[Any, dict[str, Any]]:
    """The head with its twin where the twin lowers log-loss on the debtors of the first fold, else as it was."""
    out = table.fold == 0
    learn, check = np.flatnonzero(~out), np.flatnonzero(out)
    grown = _grown(table, label, learn, how.recipe)
    straight = _twin(table, label, learn, how)
    margin = {w: w * grown(table.rows[check]) + (1 - w) * _straight(straight, table.rows[check]) for w in _WEIGHTS}
    ones = np.ones(len(check))
    loss = {w: METRICS["log_loss"](label[check], _sigmoid(found), ones) for w, found in margin.items()}
    weight = min(_WEIGHTS, key=lambda w: loss[w])
    told = {"booster_weight": weight, "log_loss_by_weight": {f"{w:g}": float(loss[w]) for w in _WEIGHTS}}
    if weight == 1.0:
        return head, told
    calibrator = fit_calibrator(margin[weight], label[check], table.debtor[check])
    twin = _twin(table, label, np.arange(len(label)), how)
    return BlendedHead(head.booster, twin, weight, calibrator), {**told, "kind": "booster and twin"}


def _grown(table: Table, label: Floats, rows: Int64s, recipe: Recipe) -> Any:
    """Margins of a booster of some rows, stopped on a fifth of their debtors."""
    stop = table.fold[rows] == 1
    train, valid = rows[~stop], rows[stop]
    booster = fit_stopped(
        recipe, table.columns, train=(table.rows[train], label[train]), valid=(table.rows[valid], label[valid])
    )
    return lambda asked: margins(booster, asked, threads=recipe.model.threads)


def _twin(table: Table, label: Floats, rows: Int64s, how: _Blending) -> Twin:
    """A twin of some rows; its prognostic score is cross-fitted by debtor while it is fitted, and refitted after."""
    recipe = replace(how.recipe, model=how.recipe.model.model_copy(update={"monotone": "off"}))
    own, fold, y = table.rows[rows][:, : how.width], table.fold[rows], label[rows]
    parity = fold % 2 == 0
    score, rounds = np.zeros(len(rows)), 0
    for left in (parity, ~parity):
        booster = fit_stopped(recipe, how.columns, train=(own[~left], y[~left]), valid=(own[left], y[left]))
        score[left], rounds = margins(booster, own[left], threads=recipe.model.threads), booster.current_iteration()
    shipped = fit_rounds(recipe, how.columns, data=(own, y), rounds=rounds)
    action = table.rows[rows][:, how.width :]
    mean, scale = _centre(action)
    twin = Twin(shipped, how.drivers, mean, scale, np.zeros(1))
    terms = design(score, action, own[:, how.drivers], of=twin)
    return replace(twin, coefficients=_ridge(terms, y))


def _centre(action: Floats) -> tuple[Floats, Floats]:
    """Mean and scale of what is known of each column; 0 and 1 where nothing is known or nothing varies."""
    known = np.isfinite(action)
    count = np.maximum(known.sum(axis=0), 1)
    filled = np.where(known, action, 0.0)
    mean = filled.sum(axis=0) / count
    scale = np.sqrt((np.where(known, action - mean, 0.0) ** 2).sum(axis=0) / count)
    return mean, np.where(scale > 0, scale, 1.0)


def _ridge(terms: Floats, label: Floats) -> Floats:
    found = LogisticRegression(C=_RIDGE, solver="newton-cholesky").fit(terms, label)
    return np.concatenate([found.intercept_, found.coef_[0]])


def _straight(twin: Twin, rows: Floats) -> Floats:
    """(m,) margins of the twin on rows of the model."""
    width = rows.shape[1] - len(twin.mean)
    score = margins(twin.prognostic, rows[:, :width], threads=1)
    terms = design(score, rows[:, width:], rows[:, twin.drivers], of=twin)
    return np.asarray(twin.coefficients[0] + terms @ twin.coefficients[1:], dtype=np.float64)


def _sigmoid(margin: Floats) -> Floats:
    return np.asarray(1.0 / (1.0 + np.exp(-margin)), dtype=np.float64)
