"""A lender for the bench of planted drift: its tables, a model of its earlier part, and slices of the weeks after.

One portfolio is simulated, scored and counted once. A slice is half of its debtors, drawn by seed, over judged weeks
that end at one of several weeks: its own reference, its own chance, and the real differences between weeks of the
simulated lender. Nothing between the arrays that are watched and the alerts is stubbed.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from decisioning.bundle import BundleParts, ModelBundle, write_bundle
from decisioning.config import DecisionConfig
from domain.actions import ActionCatalogue, ActionsConfig
from domain.clock import US_PER_DAY, parse_moment, to_us
from domain.config import load_section
from domain.tables import Tables
from features.config import FeaturesConfig
from features.encoding import encode
from features.schema import fit_schema
from features.tables import read_tables
from simulation.portfolio import draw_portfolio
from simulation.world import play
from training import labels
from training.boosting import Columns
from training.config import ModelConfig, TrainingConfig
from training.dataset import Horizon, payment_rows, payment_target
from training.facts import known_before
from training.matrix import inspect
from training.monitoring.conduct import Conduct
from training.monitoring.config import MonitoringConfig, load_monitoring
from training.monitoring.gathering import Span, watch
from training.monitoring.watched import DAYS, ContactRows, DecisionRows, ScoredRows, Watched
from training.payment import assemble, fit_horizon, later_scores

CONFIGS = Path(__file__).parent.parent / "configs"
TRAINED_UNTIL = to_us(parse_moment("2025-06-02T00:00:00Z"))
UNTIL = to_us(parse_moment("2026-02-23T00:00:00Z"))
HORIZONS, EXPLAINED = (7, 30), 30
ENDS = 10
"""So many judged periods there are, each ending a week before the next."""
TRAINING = TrainingConfig(model=ModelConfig(threads=1, max_leaves=15, max_depth=5, learning_rate=0.15, max_rounds=60))
_CODES = {"NO_CONSENT": 0.45, "CAP_CHANNEL": 0.20, "HOLD_DISPUTE": 0.03}
"""The simulated log keeps no refusals: codes with shares of their own stand in for them."""


@dataclass(frozen=True)
class World:
    """Everything that slices are cut from; ``watched`` has as many weeks as the earliest slice reaches back."""

    watched: Watched
    bundle: ModelBundle
    config: MonitoringConfig
    limits: DecisionConfig


def world(folder: Path, *, accounts: int, seed: int = 0) -> World:
    """Simulate a lender, train on its earlier part, and read what is watched of the weeks after."""
    catalogue = ActionCatalogue(load_section(CONFIGS / "actions.yaml", ActionsConfig))
    attributes = load_section(CONFIGS / "features.yaml", FeaturesConfig).attributes
    folk = draw_portfolio(accounts, catalogue=catalogue, rng=np.random.default_rng(seed))
    with tempfile.TemporaryDirectory() as data:
        play(folk, out=Path(data), catalogue=catalogue, tell=lambda _what, _share: None)
        tables = read_tables(Path(data), attributes=attributes)
    bundle = _bundle(folder, tables)
    config = load_monitoring(CONFIGS).model_copy(update={"rows": "decisions"})
    # All weeks of all slices are scored as judged ones, and none before them.
    weeks = config.weeks + config.reference_weeks + ENDS - 1
    whole = config.model_copy(update={"weeks": weeks, "reference_weeks": 4, "against": "training"})
    conduct = Conduct(catalogue, TRAINING.posting_lag_days)
    watched = watch(tables, bundle, config=whole, conduct=conduct, span=Span(None, UNTIL))
    return World(_with_codes(watched), bundle, config, DecisionConfig())


def _bundle(folder: Path, tables: Tables) -> ModelBundle:
    known = known_before(tables, until_us=TRAINED_UNTIL)
    attributes = load_section(CONFIGS / "features.yaml", FeaturesConfig).attributes
    encoded, horizon = encode(known, attributes=attributes), Horizon(TRAINED_UNTIL, TRAINING.posting_lag_days)
    rows = payment_rows(
        encoded, fit_schema(encoded, attributes=attributes), TRAINING, horizon, longest_days=max(HORIZONS)
    )
    schema, money = rows.schema, labels.receipts(encoded)
    columns = Columns(schema.names, schema.categorical, schema.directions)
    targets = {days: payment_target(rows, money, horizon, days=days, config=TRAINING) for days in HORIZONS}
    models = {
        days: fit_horizon(rows.values, columns, target, debtor=rows.rows.debtor, config=TRAINING.model)
        for days, target in targets.items()
    }
    parts = BundleParts(
        version="1", trained_at="2025-06-02T00:00:00+00:00", schema=schema,
        payment=assemble(models, explained=EXPLAINED, shipped="shipped"), response=None, settings={},
        golden_values=rows.values[:16], reference=inspect(rows, schema).reference,
        scores=later_scores(models, targets[EXPLAINED], rows.values, rows.rows.debtor),
    )  # fmt: skip
    return write_bundle(folder / "bundle", parts)


def _with_codes(watched: Watched) -> Watched:
    decisions = watched.decisions
    assert decisions is not None  # the simulator logs them
    rng = np.random.default_rng(7)
    codes = {code: rng.random(len(decisions.at_us)) < share for code, share in _CODES.items()}
    return replace(watched, decisions=replace(decisions, refusals=codes), fallbacks={"priors": 0.0})


def clean(whole: World, seed: int, *, share: float = 0.5) -> Watched:
    """One slice in which nothing was planted: a share of the debtors, and weeks that end at one of ``ENDS``."""
    rng = np.random.default_rng([seed, 0xD21F7])
    watched, config = whole.watched, whole.config
    debtors = 1 + max(int(rows.debtor.max(initial=0)) for rows in watched.rows)
    kept = rng.random(max(debtors, _most(watched))) < share
    last = len(watched.weeks) - int(rng.integers(ENDS))
    first = last - config.weeks
    weeks, before = watched.weeks[first:last], watched.weeks[first - config.reference_weeks : first]
    until_us = weeks[-1].end_us
    rows = [_of(one, kept, until_us, week.end_us) for one, week in zip(watched.rows, watched.weeks, strict=True)]
    places = slice(len(watched.before) + first - config.reference_weeks, len(watched.before) + last)
    return replace(
        watched,
        before=before,
        weeks=weeks,
        rows=tuple(rows[first:last]),
        weeks_before=before,
        rows_before=tuple(rows[first - config.reference_weeks : first]),
        owing=np.round(watched.owing[places] * share).astype(np.int64),
        decisions=_decisions(watched.decisions, kept),
        contacts=_contacts(watched.contacts, kept),
        payments=_payments(watched, kept),
        answered_until_us=until_us - DAYS * US_PER_DAY,
    )


def _most(watched: Watched) -> int:
    tables = (watched.decisions, watched.contacts, watched.payments)
    return 1 + max(int(one.debtor.max()) for one in tables if one is not None)


def _of(rows: ScoredRows, kept: np.ndarray, until_us: int, end_us: int) -> ScoredRows:
    some = kept[rows.debtor]
    lag = TRAINING.posting_lag_days
    mature = np.array([end_us + (days + lag) * US_PER_DAY <= until_us for days in HORIZONS])
    return replace(take(rows, np.flatnonzero(some)), mature=mature)


def take(rows: ScoredRows, places: np.ndarray) -> ScoredRows:
    """Some rows of a week, which may come more than once."""
    names = ("debtor", "values", "p_pay", "part", "paid")
    return replace(rows, **{name: getattr(rows, name)[places] for name in names})


def _decisions(made: DecisionRows | None, kept: np.ndarray) -> DecisionRows | None:
    if made is None:
        return None
    some = kept[made.debtor]
    columns = {name: getattr(made, name)[some] for name in ("at_us", "debtor", "waits", "explored", "control")}
    return replace(made, **columns, refusals={code: flag[some] for code, flag in (made.refusals or {}).items()})


def _contacts(made: ContactRows | None, kept: np.ndarray) -> ContactRows | None:
    if made is None:
        return None
    some = kept[made.debtor]
    names = ("at_us", "day", "debtor", "channel", "cost_cents", "received", "opted_out")
    return replace(made, **{name: getattr(made, name)[some] for name in names})


def _payments(watched: Watched, kept: np.ndarray) -> object:
    paid = watched.payments
    some = kept[paid.debtor]
    return replace(paid, **{name: getattr(paid, name)[some] for name in ("recorded_us", "debtor", "late")})
