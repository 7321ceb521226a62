"""From tables to models: rows, labels and fits, and the parts of a bundle that they make, without any measurement."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial
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
from training.caching.steps import Chain, Steps, key_of_data
from training.config import ModelConfig
from training.data_gates import Checked
from training.dataset import Compute, Horizon, PaymentRows, payment_rows, payment_target
from training.facts import end_of_data, known_before
from training.growing.growers import Workers, growing
from training.matrix import Inspected, inspect
from training.payment import Fitted, Target, assemble, fit_horizon, later_scores
from training.responding import Responded, World, respond
from training.runs.configs import Configs
from training.runs.stopwatch import Stopwatch
from training.tuning.payment import PaymentMaterial
from training.tuning.tuned import Tuned, tune

_GOLDEN_ROWS, _GOLDEN_ACTIONS = 16, 12


@dataclass(frozen=True)
class Learned:
    """What the models were made from, and the models.

    ``known`` are the tables up to the cut, ``encoded`` the same as arrays, ``horizon`` says when they end, and
    ``gates`` what of their expectations is not met; ``fits`` is the chain of steps behind the payment models,
    ``tuned`` the settings that they were grown with, and ``grown_on`` the workers that did, if any.
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
    fits: Chain
    tuned: Tuned
    grown_on: Workers | None = None

    @property
    def schema(self) -> FeatureSchema:
        """The features, with the usual rates that were fitted on training rows."""
        return self.rows.schema

    @property
    def workers(self) -> int | None:
        """How many workers grew the payment model's boosters together, where this process did not."""
        return self.grown_on.count if self.grown_on else None

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
    told: Stopwatch,
    checked: Checked | None = None,
    steps: Steps | None = None,
    tuned: Tuned | None = None,
    compute: Compute = compute_all,
    workers: Workers | None = None,
) -> Learned:
    """Fit every model on what was known before ``until``; raises what ``training.pipeline.train`` does.

    Parameters
    ----------
    steps : where finished steps are kept; nowhere by default
    tuned : what an earlier search has found, to search for nothing again
    compute : computes the features of the payment model's rows, to the bit what is computed here
    workers : grow the payment model's boosters, where there are more rows than ``distributed.above_rows``
    """
    told("sort events")
    known = tables if until is None else known_before(tables, until_us=to_us(until))
    encoded = encode(known, attributes=loaded.features.attributes)
    end_us = end_of_data(known, until_us=None if until is None else to_us(until))
    horizon = Horizon(end_us, loaded.training.posting_lag_days)
    schema = fit_schema(encoded, attributes=loaded.features.attributes)
    config, decision = loaded.training, loaded.decision
    told("compute features")
    after = rows_chain(known, loaded, horizon, steps or Steps())
    longest = max(decision.horizon_days)
    rows = after.of(
        "features", lambda: payment_rows(encoded, schema, config, horizon, longest_days=longest, compute=compute)
    )
    schema = rows.schema
    inspected = inspect(rows, schema)
    told("label")
    money = labels.receipts(encoded)
    targets = {days: payment_target(rows, money, horizon, days=days, config=config) for days in decision.horizon_days}
    target = targets[decision.explained_horizon]
    gates = _gates(rows, target, checked)
    tuned = tuned or _tuned(rows, target, encoded, loaded, horizon=horizon, after=after, told=told)
    told("fit payment models")
    grown_on = _growers(workers, len(rows.spine), above=config.distributed.above_rows)
    fitted, grown = _fitted(rows, targets, tuned.payment, grown_on=grown_on, after=after)
    told("fit the response model")
    world = World(encoded, schema, loaded.catalogue, money, horizon)
    responded = respond(world, config.model_copy(update={"model": tuned.response}), decision, after=after)
    return Learned(known, encoded, horizon, rows, inspected, targets, fitted, responded, gates, grown, tuned, grown_on)


def _gates(rows: PaymentRows, target: Target, checked: Checked | None) -> Gates:
    """What of the tables' expectations is not met, with those about features."""
    if checked is None:
        return Gates()
    judged = np.flatnonzero(target.usable)
    return checked.with_features(rows.values[judged], target.paid[judged], rows.schema)


def _growers(workers: Workers | None, rows: int, *, above: int) -> Workers | None:
    """The workers that grow boosters: those that are given, where rows are many enough."""
    return workers.settled() if workers is not None and rows > above else None


def _tuned(
    rows: PaymentRows,
    target: Target,
    encoded: Encoded,
    loaded: Configs,
    *,
    horizon: Horizon,
    after: Chain,
    told: Stopwatch,
) -> Tuned:
    """The settings of both models: what is configured, or what a search has found where it is asked for."""
    if not loaded.training.tuning.enabled:
        return Tuned.untouched(loaded.training.model)
    told("tune")
    debtor, as_of_us = rows.rows.debtor, rows.rows.as_of_us
    material = PaymentMaterial(rows.values, columns_of(rows.schema), target, debtor, as_of_us)
    return tune(material, encoded, loaded, horizon=horizon, after=after, tell=told.within)


def _fitted(
    rows: PaymentRows, targets: dict[int, Target], model: ModelConfig, *, grown_on: Workers | None, after: Chain
) -> tuple[dict[int, Fitted], Chain]:
    """The models of all horizons, and the chain of steps behind them."""
    columns, debtor = columns_of(rows.schema), rows.rows.debtor
    settings = {"model": model.model_dump(mode="json", exclude={"threads"})}
    grown = after.then(**settings, **({"workers": grown_on.count} if grown_on else {}))
    with growing(rows.values, debtor, on=grown_on) as grower:
        fit = partial(fit_horizon, rows.values, columns, debtor=debtor, config=model, grower=grower)
        return {
            days: grown.then(days=days).of(f"payment {days}d", partial(fit, target)) for days, target in targets.items()
        }, grown


def rows_chain(known: Tables, loaded: Configs, horizon: Horizon, steps: Steps) -> Chain:
    """What the rows of the payment model depend on, and so everything that is made of them."""
    if steps.entries is None:
        return Chain(steps)
    config = loaded.training
    return Chain(
        steps,
        key_of_data(
            known,
            end_us=horizon.end_us,
            posting_lag_days=horizon.lag_days,
            features=loaded.features.model_dump(mode="json"),
            sampling=config.sampling.model_dump(mode="json"),
            splits=config.splits.model_dump(mode="json"),
            seed=config.model.seed,
            longest_days=max(loaded.decision.horizon_days),
        ),
    )


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
        **({"tuned": learned.tuned.shapes()} if learned.tuned.told else {}),
        **({"workers": learned.workers} if learned.workers else {}),
    }
