"""Training as one story: facts, rows, labels, models, measurements, bundle, registry."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.bundle import BundleParts, ModelBundle, read_bundle, write_bundle
from decisioning.config import DecisionConfig
from domain.actions import ActionCatalogue, ActionsConfig
from domain.clock import rfc3339, to_us
from domain.config import load_section
from domain.errors import BundleError, FeatureSchemaMismatchError
from domain.tables import Tables
from features.config import FeaturesConfig
from features.encoding import Encoded, encode
from features.gates.breaches import Gates
from features.schema import FeatureSchema, fit_schema
from training import labels, registry, verdicts
from training.boosting import Columns
from training.config import TrainingConfig, load_training_config
from training.data_gates import RESULT, Checked
from training.dataset import Horizon, PaymentRows, payment_rows, payment_target
from training.discount_learning import discount_learning
from training.evaluation import plain
from training.facts import end_of_data, known_before
from training.fingerprint import data_summary
from training.matrix import Inspected, inspect
from training.payment import Fitted, Target, assemble, fit_horizon, later_scores
from training.reporting.keeping import Champion, champion_scores, kept
from training.responding import Responded, World, respond
from training.seeds import Pair, open_desk, seed_choices, seed_scores

Floats = npt.NDArray[np.float64]
OnStep = Callable[[str, float], None]

_GOLDEN_ROWS, _GOLDEN_ACTIONS = 16, 12
_STEPS = {
    "sort events": 0.02, "compute features": 0.08, "label": 0.16, "fit payment models": 0.20,
    "fit the response model": 0.55, "evaluate": 0.80, "write the bundle": 0.95, "register": 0.97, "done": 1.0,
}  # fmt: skip


@dataclass(frozen=True)
class Configs:
    """The configuration files that training reads."""

    training: TrainingConfig
    decision: DecisionConfig
    features: FeaturesConfig
    catalogue: ActionCatalogue

    @classmethod
    def load(cls, folder: Path) -> Configs:
        """Read them from a folder; each problem is a ``ConfigError``."""
        return cls(
            training=load_training_config(folder / "training.yaml"),
            decision=load_section(folder / "decision.yaml", DecisionConfig),
            features=load_section(folder / "features.yaml", FeaturesConfig),
            catalogue=ActionCatalogue(load_section(folder / "actions.yaml", ActionsConfig)),
        )


@dataclass(frozen=True)
class TrainingResult:
    """The registered bundle, and everything that was measured."""

    bundle: ModelBundle
    evaluation: dict[str, Any]

    @property
    def version(self) -> str:
        """The version it was registered under."""
        return self.bundle.version


@dataclass(frozen=True)
class _Learned:
    """What the models were made from, and the models."""

    rows: PaymentRows
    inspected: Inspected
    targets: dict[int, Target]
    fitted: dict[int, Fitted]
    responded: Responded
    gates: Gates


def train(
    tables: Tables,
    *,
    configs: Path,
    until: datetime | None,
    name: str | None,
    tracking: registry.Tracking,
    checked: Checked | None = None,
    on_step: OnStep | None = None,
) -> TrainingResult:
    """Train, evaluate and register a version; it becomes the challenger.

    Parameters
    ----------
    until : nothing that happened or was recorded at or after this moment is used; ``None`` uses everything
    checked : how the tables were validated, where they were; kept with the run and in the bundle
    on_step : told the name of each step as it starts, and the share of the work done before it

    Raises
    ------
    ConfigError : a configuration file cannot be used
    DataError, NotEnoughDataError : there is too little to learn from, and what is missing; or a feature is suspected of
        leakage
    """
    loaded = Configs.load(configs)
    told = _steps(on_step)
    told("sort events")
    known = tables if until is None else known_before(tables, until_us=to_us(until))
    encoded = encode(known, attributes=loaded.features.attributes)
    end_us = end_of_data(known, until_us=None if until is None else to_us(until))
    horizon = Horizon(end_us, loaded.training.posting_lag_days)
    schema = fit_schema(encoded, attributes=loaded.features.attributes)
    learned = _learn(encoded, schema, loaded, horizon, told, checked=checked)
    schema = learned.rows.schema
    told("evaluate")
    columns = Columns(schema.names, schema.categorical, schema.directions)
    judged = verdicts.judge(
        learned.rows, learned.targets, learned.fitted, columns, explained=loaded.decision.explained_horizon,
        config=loaded.training,
    )  # fmt: skip
    told("write the bundle")
    waiting = discount_learning(encoded, loaded.catalogue, horizon, seed=loaded.training.model.seed)
    data = {**data_summary(known), "end": rfc3339(end_us)}
    evaluation = _evaluation({**judged.measured, "discount_learning": waiting}, learned, schema, loaded, data=data)
    files = {
        "evaluation.json": verdicts.as_json(evaluation), "sample.npz": judged.sample,
        **_for_the_report(encoded, learned, judged, loaded, tracking), **_other_seeds(learned, loaded, judged.sample),
    }  # fmt: skip
    files |= checked.files(learned.gates) if checked else {}
    parts = _parts(learned, schema, loaded, files=files)
    bundle = _registered(parts, evaluation, learned.gates, name=name, tracking=tracking, told=told)
    told("done")
    return TrainingResult(bundle, evaluation)


def _evaluation(
    measured: dict[str, Any], learned: _Learned, schema: FeatureSchema, loaded: Configs, *, data: dict[str, Any]
) -> dict[str, Any]:
    """Everything that was measured, with what it was measured on, as plain JSON values."""
    found: dict[str, Any] = plain(
        {
            **measured,
            "explained_horizon": loaded.decision.explained_horizon,
            "sampling": {"as_of": learned.rows.sampled, "rows": len(learned.rows.spine)},
            "label": _label(loaded),
            "response": learned.responded.told,
            "data": data,
            "features": learned.inspected.section(schema),
            "settings": loaded.training.model_dump(mode="json"),
            "data_gates": learned.gates.to_json(),
        }
    )
    return found


def _other_seeds(learned: _Learned, loaded: Configs, sample: bytes) -> dict[str, bytes]:
    """What the response model of another seed would choose."""
    payment = assemble(learned.fitted, explained=loaded.decision.explained_horizon, shipped="shipped")
    pair = Pair(learned.rows.schema, payment, {}, learned.responded.model, learned.responded.other_seed)
    return seed_choices(pair, sample, where=open_desk(loaded.catalogue, loaded.decision))


def _for_the_report(
    encoded: Encoded, learned: _Learned, judged: verdicts.Judged, loaded: Configs, tracking: registry.Tracking
) -> dict[str, bytes]:
    """What the report needs beside what was measured; the champion of now is asked about the same test rows."""
    days = loaded.decision.explained_horizon
    target, rows, before = learned.targets[days], learned.rows, registry.champions(tracking)[-1:]
    champion: Champion | str = "none was promoted"
    if before:
        try:
            bundle = read_bundle(registry.bundle_of(before[0], tracking))
        except (BundleError, FeatureSchemaMismatchError) as error:
            # A champion that this build cannot read stops no training: the report says so instead of comparing.
            champion = f"version {before[0]} cannot be read by this build ({type(error).__name__})"
        else:
            champion = champion_scores(encoded, rows.spine.take(target.split.test), bundle, days=days)
    columns, settings = Columns(rows.schema.names, rows.schema.categorical, rows.schema.directions), loaded.training
    seeded = seed_scores(
        rows.values, columns, target, debtor=rows.rows.debtor, config=settings.model, others=settings.seeds
    )
    seeded |= judged.scores
    return kept(encoded, rows, target, scores=seeded, reference=learned.inspected.reference, champion=champion)


def _learn(
    encoded: Encoded, schema: FeatureSchema, loaded: Configs, horizon: Horizon, told: Callable[[str], None],
    *, checked: Checked | None,
) -> _Learned:  # fmt: skip
    config, decision = loaded.training, loaded.decision
    told("compute features")
    rows = payment_rows(encoded, schema, config, horizon, longest_days=max(decision.horizon_days))
    schema = rows.schema
    inspected = inspect(rows, schema)
    told("label")
    money = labels.receipts(encoded)
    targets = {days: payment_target(rows, money, horizon, days=days, config=config) for days in decision.horizon_days}
    target = targets[decision.explained_horizon]
    judged = np.flatnonzero(target.usable)
    gates = checked.with_features(rows.values[judged], target.paid[judged], schema) if checked else Gates()
    told("fit payment models")
    columns = Columns(schema.names, schema.categorical, schema.directions)
    fitted = {
        days: fit_horizon(rows.values, columns, target, debtor=rows.rows.debtor, config=config.model)
        for days, target in targets.items()
    }
    told("fit the response model")
    world = World(encoded, schema, loaded.catalogue, money, horizon)
    return _Learned(rows, inspected, targets, fitted, respond(world, config, decision), gates)


def _parts(learned: _Learned, schema: FeatureSchema, loaded: Configs, *, files: dict[str, bytes]) -> BundleParts:
    rows, explained = learned.rows.values, loaded.decision.explained_horizon
    golden = rows[np.unique(np.linspace(0, len(rows) - 1, _GOLDEN_ROWS).astype(np.int64))]
    actions = [action for action in loaded.catalogue.actions if not action.gated]
    chosen = np.unique(np.linspace(0, len(actions) - 1, _GOLDEN_ACTIONS).astype(np.int64))
    return BundleParts(
        version="draft",
        trained_at=registry.now().isoformat(),
        schema=schema,
        payment=assemble(learned.fitted, explained=explained, shipped="shipped"),
        response=learned.responded.model,
        settings=_settings(loaded, learned),
        golden_values=golden,
        golden_actions=[actions[place] for place in chosen],
        evaluation=files,
        reference=learned.inspected.reference,
        scores=later_scores(learned.fitted, learned.targets[explained], rows, learned.rows.rows.debtor),
    )


def _registered(
    parts: BundleParts,
    evaluation: dict[str, Any],
    gates: Gates,
    *,
    name: str | None,
    tracking: registry.Tracking,
    told: Callable[[str], None],
) -> ModelBundle:
    with tempfile.TemporaryDirectory(prefix="acerto-") as folder:
        draft = write_bundle(Path(folder) / "bundle", parts)
        told("register")
        params = {"model_hash": draft.model_hash, "schema_fingerprint": parts.schema.fingerprint}
        record = registry.RunRecord(
            name, params, verdicts.headline(evaluation), tags=gates.tags(), files={RESULT: gates.to_json()}
        )
        return registry.register(draft.folder, record, tracking)


def _label(loaded: Configs) -> dict[str, Any]:
    return {
        "payment": "a payment in [as_of, as_of + horizon) on any debt of the account, not reversed within the window",
        "response": loaded.training.label.model_dump(),
        "posting_lag_days": loaded.training.posting_lag_days,
        "value_horizon_days": loaded.decision.value_horizon_days,
        "currency": loaded.decision.currency,
    }


def _settings(loaded: Configs, learned: _Learned) -> dict[str, Any]:
    """What is frozen in the bundle and decides its hash; threads change the time, not the model."""
    training = loaded.training.model_dump(mode="json")
    training["model"].pop("threads")
    training.pop("gates")
    training.pop("seeds")
    return {
        "training": training,
        "label": _label(loaded),
        "rounds": {str(days): fit.rounds for days, fit in learned.fitted.items()},
        "response": {key: learned.responded.told.get(key) for key in ("learner", "refused", "share_days", "tried")},
    }


def _steps(on_step: OnStep | None) -> Callable[[str], None]:
    def told(step: str) -> None:
        if on_step is not None:
            on_step(step, _STEPS[step])

    return told
