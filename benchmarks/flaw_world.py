"""A small lender for the bench of planted flaws: its rows, a model of them, and the lights of that model's report.

Everything between the simulated tables and the lights is what ``acerto train`` and ``acerto report`` do, for one
horizon and with few trees; nothing is stubbed. A flaw is planted between two of those steps.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.bundle import BundleParts, write_bundle
from domain.actions import ActionCatalogue, ActionsConfig
from domain.clock import parse_moment, rfc3339, to_us
from domain.config import load_section
from features.config import FeaturesConfig
from features.encoding import Encoded, encode
from features.schema import FeatureSchema, fit_schema
from features.tables import read_tables
from simulation.portfolio import Portfolio, draw_portfolio
from simulation.world import play
from training import labels, verdicts
from training.boosting import Columns
from training.config import ModelConfig, SplitsConfig, TrainingConfig
from training.dataset import Horizon, PaymentRows, payment_rows, payment_target
from training.evaluation import plain
from training.facts import end_of_data
from training.matrix import inspect
from training.payment import Fitted, Target, assemble, fit_horizon, later_scores
from training.reporting.evidence import Evidence, Run, read_evidence
from training.reporting.keeping import Champion, kept
from training.reporting.lights import Light
from training.reporting.parts import Section
from training.reporting.policy import ReportOwner, ReportPolicy
from training.runs.fingerprint import data_summary

Floats = npt.NDArray[np.float64]
SectionOf = Callable[[Evidence], Section]
CONFIGS = Path(__file__).parent.parent / "configs"
DAYS = 30
ACCOUNTS = 5_000
TRAINING = TrainingConfig(
    model=ModelConfig(threads=1, max_leaves=15, max_depth=5, learning_rate=0.15, max_rounds=60),
    splits=SplitsConfig(valid_share=0.15, test_share=0.30),
)
_TRAINED_AT = "2026-07-01T00:00:00+00:00"
_STATES = 6
_FIRST_OPENED = to_us(parse_moment("2021-01-01T00:00:00Z"))
_CATEGORICAL = ("product",)
_MORE = (
    "promises_made_count",
    "promises_broken_count",
    "promises_broken_recency",
    "kept_share",
    "account_age",
    "product",
)
OWNER = ReportOwner(
    owner="Credit risk", approver="Model committee", tier="2", intended_use="collection",
    monitoring_owner="Credit risk", cadence="monthly", triggers=("a red light",), rollback="acerto rollback",
)  # fmt: skip


@dataclass(frozen=True)
class Study:
    """What a model is made from: the lender's tables, sampled rows with features, and their outcome within 30 days.

    ``config`` are the settings of training, ``seed`` that of the lender; ``champion`` is what another version says
    of the test rows, where there is one.
    """

    encoded: Encoded
    horizon: Horizon
    rows: PaymentRows
    target: Target
    config: TrainingConfig
    seed: int
    data: dict[str, Any]
    champion: Floats | None = None

    @property
    def values(self) -> Floats:
        """(n, k) features."""
        return self.rows.values

    @property
    def columns(self) -> Columns:
        """As the booster is told of them."""
        schema = self.rows.schema
        return Columns(schema.names, schema.categorical, schema.directions)

    @property
    def rng(self) -> np.random.Generator:
        """Draws of a plant: the same at every run."""
        return np.random.default_rng([self.seed, 0x5EED])

    def place(self, name: str) -> int:
        """The column of a feature."""
        return self.rows.schema.names.index(name)

    def with_values(self, values: Floats) -> Study:
        """The same rows with other features."""
        return replace(self, rows=replace(self.rows, values=values))

    def with_paid(self, paid: Floats) -> Study:
        """The same rows with other outcomes."""
        return replace(self, target=replace(self.target, paid=paid))


def lender(seed: int, *, accounts: int = ACCOUNTS) -> Study:
    """Simulate a lender and take its rows, as training does."""
    catalogue = ActionCatalogue(load_section(CONFIGS / "actions.yaml", ActionsConfig))
    attributes = load_section(CONFIGS / "features.yaml", FeaturesConfig).attributes
    folk = draw_portfolio(accounts, catalogue=catalogue, rng=np.random.default_rng(seed))
    with tempfile.TemporaryDirectory() as folder:
        play(_of_few_segments(folk), out=Path(folder), catalogue=catalogue, tell=lambda _what, _share: None)
        tables = read_tables(Path(folder), attributes=attributes)
    encoded = encode(tables, attributes=attributes)
    horizon = Horizon(end_of_data(tables, until_us=None), TRAINING.posting_lag_days)
    schema = _of_few_features(fit_schema(encoded, attributes=attributes))
    rows = payment_rows(encoded, schema, TRAINING, horizon, longest_days=DAYS)
    target = payment_target(rows, labels.receipts(encoded), horizon, days=DAYS, config=TRAINING)
    data = {**data_summary(tables), "end": rfc3339(horizon.end_us)}
    return Study(encoded, horizon, rows, target, TRAINING, seed, data)


def _of_few_segments(folk: Portfolio) -> Portfolio:
    """In six states, placed from 2021 on: so small a book has too few rows for 27 states and twenty vintages."""
    return replace(folk, region=folk.region % _STATES, opened_us=np.maximum(folk.opened_us, _FIRST_OPENED))


def _of_few_features(schema: FeatureSchema) -> FeatureSchema:
    """Without those of single channels and responses, which bring such a model little and cost most of the time."""
    names = tuple(name for name in schema.names[: schema.index["contacts_sms_count_30d"]]) + _MORE
    return replace(schema, names=names, categories={name: schema.categories[name] for name in _CATEGORICAL})


def fitted(study: Study) -> Fitted:
    """Train on a study."""
    return fit_horizon(
        study.values, study.columns, study.target, debtor=study.rows.rows.debtor, config=study.config.model
    )


def evidence_of(study: Study, model: Fitted, folder: Path, *, policy: ReportPolicy) -> Evidence:
    """Measure a model, write its bundle to a new folder as training does, and read what the report is made from."""
    rows, target, models = study.rows, study.target, {DAYS: model}
    judged = verdicts.judge(rows, {DAYS: target}, models, study.columns, explained=DAYS, config=study.config)
    inspected = inspect(rows, rows.schema)
    champion: Champion | str = "none was promoted"
    if study.champion is not None:
        # Its data ended before this version's test rows begin, so that all of them are new to both.
        champion = Champion("1", "0" * 64, target.split.test_from_us, study.champion)
    files = kept(
        study.encoded, rows, target, scores=judged.scores, reference=inspected.reference, champion=champion
    )  # fmt: skip
    evaluation = plain({
        **judged.measured, "explained_horizon": DAYS, "features": inspected.section(rows.schema),
        "settings": study.config.model_dump(mode="json"), "sampling": {"as_of": rows.sampled, "rows": len(rows.spine)},
        "label": {"payment": "any within 30 days"}, "data": study.data, "response": {},
    })  # fmt: skip
    parts = BundleParts(
        version="2", trained_at=_TRAINED_AT, schema=rows.schema,
        payment=assemble(models, explained=DAYS, shipped="shipped"), response=None, settings={},
        golden_values=study.values[:16], reference=inspected.reference,
        scores=later_scores(models, target, study.values, rows.rows.debtor),
        evaluation={"evaluation.json": verdicts.as_json(evaluation), "sample.npz": judged.sample, **files},
    )  # fmt: skip
    write_bundle(folder, parts)
    return read_evidence(folder, policy=policy, owner=OWNER, locale="en", desk=None, run=Run())


def lights_of(evidence: Evidence, sections: Sequence[SectionOf]) -> dict[str, Light]:
    """The lights of some sections, by code."""
    return {light.code: light for section in sections for light in section(evidence).lights}
