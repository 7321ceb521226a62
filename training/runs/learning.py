"""From tables to models: rows, labels and fits, and the parts of a bundle that they make, without any measurement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from decisioning.bundle import BundleParts
from domain.clock import to_us
from domain.tables import Tables
from features.batch import compute_all
from features.encoding import Encoded, encode
from features.gates.breaches import Gates
from features.schema import FeatureSchema, fit_schema
from training import labels
from training.boosting import Columns
from training.data_gates import Checked
from training.dataset import Compute, Horizon, PaymentRows, payment_rows, payment_target
from training.facts import end_of_data, known_before
from training.matrix import Inspected, inspect
from training.payment import Fitted, Target, assemble, fit_horizon, later_scores
from training.responding import Responded, World, respond
from training.runs.configs import Configs

Told = Callable[[str], None]
"""Hears the name of each step as it starts."""

_GOLDEN_ROWS, _GOLDEN_ACTIONS = 16, 12


@dataclass(frozen=True)
class Learned:
    """What the models were made from, and the models.

    ``known`` are the tables up to the cut, ``encoded`` the same as arrays, ``horizon`` says when they end, and
    ``gates`` what of their expectations is not met.
    """

    known: Tables
    encoded: Encoded
    horizon: Horizon
    rows: PaymentRows
    inspected: Inspected
    targets: dict[int, Target]
    fitted: dict[int, Fitted]
    responded: Responded
    gates: Gates

    @property
    def schema(self) -> FeatureSchema:
        """The features, with the usual rates that were fitted on training rows."""
        return self.rows.schema

    @property
    def columns(self) -> Columns:
        """The columns of the training matrix."""
        return columns_of(self.rows.schema)


def columns_of(schema: FeatureSchema) -> Columns:
    """The columns of a schema's matrix as the boosters name them."""
    return Columns(schema.names, schema.categorical, schema.directions)


def learn(
    tables: Tables,
    loaded: Configs,
    *,
    until: datetime | None,
    told: Told,
    checked: Checked | None = None,
    compute: Compute = compute_all,
) -> Learned:
    """Fit every model on what was known before ``until``; raises what ``training.pipeline.train`` does."""
    told("sort events")
    known = tables if until is None else known_before(tables, until_us=to_us(until))
    encoded = encode(known, attributes=loaded.features.attributes)
    end_us = end_of_data(known, until_us=None if until is None else to_us(until))
    horizon = Horizon(end_us, loaded.training.posting_lag_days)
    schema = fit_schema(encoded, attributes=loaded.features.attributes)
    config, decision = loaded.training, loaded.decision
    told("compute features")
    rows = payment_rows(encoded, schema, config, horizon, longest_days=max(decision.horizon_days), compute=compute)
    schema = rows.schema
    inspected = inspect(rows, schema)
    told("label")
    money = labels.receipts(encoded)
    targets = {days: payment_target(rows, money, horizon, days=days, config=config) for days in decision.horizon_days}
    target = targets[decision.explained_horizon]
    judged = np.flatnonzero(target.usable)
    gates = checked.with_features(rows.values[judged], target.paid[judged], schema) if checked else Gates()
    told("fit payment models")
    columns = columns_of(schema)
    fitted = {
        days: fit_horizon(rows.values, columns, target, debtor=rows.rows.debtor, config=config.model)
        for days, target in targets.items()
    }
    told("fit the response model")
    world = World(encoded, schema, loaded.catalogue, money, horizon)
    return Learned(known, encoded, horizon, rows, inspected, targets, fitted, respond(world, config, decision), gates)


def parts_of(learned: Learned, loaded: Configs, *, files: dict[str, bytes], trained_at: str) -> BundleParts:
    """What goes into the bundle; ``files`` are what was measured, and decide no hash."""
    rows, explained = learned.rows.values, loaded.decision.explained_horizon
    golden = rows[np.unique(np.linspace(0, len(rows) - 1, _GOLDEN_ROWS).astype(np.int64))]
    actions = [action for action in loaded.catalogue.actions if not action.gated]
    chosen = np.unique(np.linspace(0, len(actions) - 1, _GOLDEN_ACTIONS).astype(np.int64))
    return BundleParts(
        version="draft",
        trained_at=trained_at,
        schema=learned.schema,
        payment=assemble(learned.fitted, explained=explained, shipped="shipped"),
        response=learned.responded.model,
        settings=_settings(learned, loaded),
        golden_values=golden,
        golden_actions=[actions[place] for place in chosen],
        evaluation=files,
        reference=learned.inspected.reference,
        scores=later_scores(learned.fitted, learned.targets[explained], rows, learned.rows.rows.debtor),
    )


def _settings(learned: Learned, loaded: Configs) -> dict[str, Any]:
    """What is frozen in the bundle and decides its hash."""
    return {
        "training": loaded.that_decide_the_model(),
        "label": loaded.label(),
        "rounds": {str(days): fit.rounds for days, fit in learned.fitted.items()},
        "response": {key: learned.responded.told.get(key) for key in ("learner", "refused", "share_days", "tried")},
    }
