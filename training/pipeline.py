"""Training as one story: facts, rows, labels, models, measurements, bundle, registry."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from decisioning.bundle import BundleParts, ModelBundle, read_bundle, write_bundle
from domain.clock import rfc3339
from domain.errors import BundleError, FeatureSchemaMismatchError
from domain.tables import Tables
from features.batch import compute_all
from training import registry, verdicts
from training.caching.steps import Steps
from training.data_gates import RESULT, Checked
from training.dataset import Compute
from training.discount_learning import discount_learning
from training.evaluation import plain
from training.growing.growers import Workers
from training.payment import assemble
from training.reporting.keeping import Champion, champion_scores, kept
from training.runs.artifacts import artifacts
from training.runs.configs import Configs
from training.runs.fingerprint import data_summary
from training.runs.importance import FILE as IMPORTANCE
from training.runs.importance import importance
from training.runs.learning import Learned, learn, parts_of
from training.runs.record import FILE, as_bytes, params_of, run_record
from training.runs.stopwatch import OnStep, Stopwatch
from training.seeds import Pair, open_desk, seed_choices, seed_scores
from training.tuning.logged import trial_runs
from training.tuning.tuned import Tuned

_STEPS = {
    "sort events": 0.02, "compute features": 0.08, "label": 0.16, "tune": 0.18, "fit payment models": 0.20,
    "fit the response model": 0.55, "evaluate": 0.80, "write the bundle": 0.95, "register": 0.97, "done": 1.0,
}  # fmt: skip


@dataclass(frozen=True)
class TrainingResult:
    """The registered bundle, everything that was measured, and which steps an earlier run had done."""

    bundle: ModelBundle
    evaluation: dict[str, Any]
    steps: Steps

    @property
    def version(self) -> str:
        """The version it was registered under."""
        return self.bundle.version


def train(
    tables: Tables,
    *,
    configs: Path,
    until: datetime | None,
    name: str | None,
    tracking: registry.Tracking,
    checked: Checked | None = None,
    steps: Steps | None = None,
    compute: Compute = compute_all,
    workers: Workers | None = None,
    on_step: OnStep | None = None,
) -> TrainingResult:
    """Train, evaluate and register a version; it becomes the challenger.

    Parameters
    ----------
    until : nothing that happened or was recorded at or after this moment is used; ``None`` uses everything
    checked : how the tables were validated, where they were; kept with the run and in the bundle
    steps : where finished steps are kept for a run that is stopped, and what becomes of each; kept nowhere by default
    compute : computes the features of the payment model's rows; another may have them computed elsewhere, to the bit
    workers : grow the payment model's boosters, where there are more rows than ``distributed.above_rows``
    on_step : told the name of each step as it starts, and the share of the work done before it

    Raises
    ------
    ConfigError : a configuration file cannot be used
    DataError, NotEnoughDataError : there is too little to learn from, and what is missing; or a feature is suspected of
        leakage
    WorkerError : workers that were to grow boosters are not there, or did not
    """
    loaded, told, steps = Configs.load(configs), Stopwatch(_STEPS, on_step), steps or Steps()
    learned = learn(
        tables, loaded, until=until, told=told, checked=checked, steps=steps, compute=compute, workers=workers
    )
    told("evaluate")
    judged, waiting = _judged(learned, loaded), _waiting(learned, loaded)
    data = {**data_summary(learned.known), "end": rfc3339(learned.horizon.end_us)}
    evaluation = _evaluation({**judged.measured, "discount_learning": waiting}, learned, loaded, data=data)
    files = {
        "evaluation.json": verdicts.as_json(evaluation), "sample.npz": judged.sample,
        IMPORTANCE: _importance(learned, loaded), **_other_seeds(learned, loaded, judged.sample),
        **_for_the_report(learned, judged, loaded, tracking),
    }  # fmt: skip
    files |= checked.files(learned.gates) if checked else {}
    told("write the bundle")
    record = run_record(
        loaded, until=until, data=data, seconds=told.seconds, steps=steps.told, tuning=learned.tuned.told,
        workers=learned.workers,
    )  # fmt: skip
    files[FILE] = as_bytes(record)
    parts = parts_of(learned, loaded, files=files, trained_at=registry.now().isoformat())
    shown = artifacts(loaded, evaluation) | {one: files[one] for one in files if one == RESULT}
    run = registry.RunRecord(
        name, params_of(record, loaded), verdicts.headline(evaluation), shown, tags=learned.gates.tags(),
        children=trial_runs(learned.tuned),
    )  # fmt: skip
    return TrainingResult(_registered(parts, run, tracking=tracking, told=told), evaluation, steps)


def retrain(
    tables: Tables,
    out: Path,
    *,
    configs: Path,
    until: datetime | None,
    tuning: Mapping[str, Any] | None = None,
    workers: Workers | None = None,
    on_step: OnStep | None = None,
) -> ModelBundle:
    """Fit the same models again and write them to ``out``: nothing is measured or registered, so no hash differs by it.

    Parameters
    ----------
    tuning : what the run's search has found; nothing is searched again
    workers : as many as grew the run's boosters, where it had some

    Raises
    ------
    What :func:`train` raises; BundleError where ``out`` exists
    """
    loaded = Configs.load(configs)
    # Other seeds are for the report alone.
    loaded = replace(loaded, training=loaded.training.model_copy(update={"seeds": 0}))
    told = Stopwatch(_STEPS, on_step)
    tuned = None if tuning is None else Tuned.recorded(loaded.training.model, tuning)
    learned = learn(tables, loaded, until=until, told=told, tuned=tuned, workers=workers)
    told("write the bundle")
    return write_bundle(out, parts_of(learned, loaded, files={}, trained_at=registry.now().isoformat()))


def _judged(learned: Learned, loaded: Configs) -> verdicts.Judged:
    """The measurements of every horizon."""
    days = sorted(learned.targets)
    explained = loaded.decision.explained_horizon
    return learned.fits.then(horizons=days, explained=explained).of(
        "measure", lambda: verdicts.judge(
            learned.rows, learned.targets, learned.fitted, learned.columns, explained=explained, config=loaded.training
        ),
    )  # fmt: skip


def _waiting(learned: Learned, loaded: Configs) -> dict[str, Any]:
    """Whether discounts teach waiting."""
    actions, seed = [asdict(action) for action in loaded.catalogue.actions], loaded.training.model.seed
    return learned.fits.then(actions=actions).of(
        "discount learning", lambda: discount_learning(learned.encoded, loaded.catalogue, learned.horizon, seed=seed)
    )


def _evaluation(measured: dict[str, Any], learned: Learned, loaded: Configs, *, data: dict[str, Any]) -> dict[str, Any]:
    """Everything that was measured, with what it was measured on, as plain JSON values."""
    found: dict[str, Any] = plain(
        {
            **measured,
            "explained_horizon": loaded.decision.explained_horizon,
            "sampling": {"as_of": learned.rows.sampled, "rows": len(learned.rows.spine)},
            "label": loaded.label(),
            "response": learned.responded.told,
            "data": data,
            "features": learned.inspected.section(learned.schema),
            "settings": loaded.training.model_dump(mode="json"),
            "data_gates": learned.gates.to_json(),
            "tuning": dict(learned.tuned.told),
        }
    )
    return found


def _importance(learned: Learned, loaded: Configs) -> bytes:
    """Of the evaluated model of the explained horizon, on rows that came after training."""
    days = loaded.decision.explained_horizon
    split = learned.targets[days].split
    rows = learned.rows.values[np.concatenate([split.valid, split.test])]
    booster = learned.fitted[days].evaluated[0]
    return importance(booster, rows, learned.schema.names, threads=loaded.training.model.threads)


def _other_seeds(learned: Learned, loaded: Configs, sample: bytes) -> dict[str, bytes]:
    """What the response model of another seed would choose."""
    payment = assemble(learned.fitted, explained=loaded.decision.explained_horizon, shipped="shipped")
    pair = Pair(learned.schema, payment, {}, learned.responded.model, learned.responded.other_seed)
    return seed_choices(pair, sample, where=open_desk(loaded.catalogue, loaded.decision))


def _for_the_report(
    learned: Learned, judged: verdicts.Judged, loaded: Configs, tracking: registry.Tracking
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
            champion = champion_scores(learned.encoded, rows.spine.take(target.split.test), bundle, days=days)
    others = loaded.training.seeds
    seeded = learned.fits.then(days=days, others=others).of(
        "other seeds",
        lambda: seed_scores(
            rows.values, learned.columns, target, debtor=rows.rows.debtor, config=learned.tuned.payment, others=others
        ),
    )
    scores = {**judged.scores, **seeded}
    return kept(learned.encoded, rows, target, scores=scores, reference=learned.inspected.reference, champion=champion)


def _registered(
    parts: BundleParts, run: registry.RunRecord, *, tracking: registry.Tracking, told: Stopwatch
) -> ModelBundle:
    with tempfile.TemporaryDirectory(prefix="acerto-") as folder:
        draft = write_bundle(Path(folder) / "bundle", parts)
        told("register")
        hashes = {"model_hash": draft.model_hash, "schema_fingerprint": parts.schema.fingerprint}
        whole = replace(run, params={**hashes, **run.params}, metrics={**run.metrics, **told.metrics()})
        bundle = registry.register(draft.folder, whole, tracking)
    told("done")
    return bundle
