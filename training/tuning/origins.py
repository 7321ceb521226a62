"""Earlier moments at which a response model is learned again, and the logged decisions after each that judge it.

At an origin everything is made of what was known then, as in a backtest: features, labels, contacts and their fruits.
The decisions after it are valued with the money of the label's horizon, which has come in before anything that judges
the final models.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from decisioning.response import ResponseModel
from decisioning.valuation import amount_due_cents, amounts, worth
from domain.clock import US_PER_DAY
from domain.errors import NotEnoughDataError
from domain.tables import Tables
from features.batch import compute_many
from features.encoding import Encoded, encode
from features.schema import FeatureSchema, fit_schema
from training import labels, sampling
from training.config import TrainingConfig
from training.contact_log import ContactLog, Money, contact_log
from training.dataset import Horizon, payment_rows
from training.facts import known_before
from training.ope.decisions import Decisions, usable
from training.ope.estimators import Floats, Log, dr_scores, weights
from training.ope.grid_outcome import GridOutcome, cross_fitted_grid
from training.ope.outcome import folds_of
from training.ope.policies import WAIT_PLACE, fixed
from training.ope.rewards import Terms, rewards
from training.response_log import ResponseLog, response_log
from training.runs.configs import Configs
from training.standing import standing_at
from training.windows import Int64s

_PAGE = 2_000
_FEWEST = 200
"""Decisions below which a span judges nothing."""


@dataclass(frozen=True)
class Known:
    """Everything up to the moment from which the final models are judged: nothing later is in ``tables``."""

    tables: Tables
    encoded: Encoded
    loaded: Configs
    end_us: int

    @property
    def days(self) -> int:
        """Over which money of a decision counts."""
        return self.loaded.training.label.horizon_days

    @property
    def waiting_us(self) -> int:
        """After which a decision can be valued."""
        return (self.days + self.loaded.training.posting_lag_days) * US_PER_DAY


@dataclass(frozen=True)
class Taught:
    """What was known at an origin, as the learner takes it."""

    log: ResponseLog
    contacts: ContactLog
    schema: FeatureSchema


@dataclass(frozen=True)
class Judging:
    """Decisions after an origin: features as of each, (n, k), what is owed, their log, and an outcome model of it."""

    decisions: Decisions
    values: Floats
    due_cents: Int64s
    balance_cents: Int64s
    log: Log
    outcome: GridOutcome


class Origin:
    """One of the moments; what it takes is computed when it is first asked for, and kept."""

    def __init__(self, known: Known, at_us: int, until_us: int) -> None:
        self.known, self.at_us, self.until_us = known, at_us, until_us

    @cached_property
    def taught(self) -> Taught:
        """What can be learned at the origin; a ``NotEnoughDataError`` where that is too little."""
        loaded = self.known.loaded
        config, decision = loaded.training, loaded.decision
        attributes = loaded.features.attributes
        encoded = encode(known_before(self.known.tables, until_us=self.at_us), attributes=attributes)
        horizon = Horizon(self.at_us, config.posting_lag_days)
        plain = fit_schema(encoded, attributes=attributes)
        schema = payment_rows(encoded, plain, config, horizon, longest_days=self.known.days).schema
        receipts, days = labels.receipts(encoded), decision.value_horizon_days
        log = response_log(
            encoded, schema, config, catalogue=loaded.catalogue, money=receipts, horizon=horizon, value_days=days
        )
        rate = decision.objective.monthly_discount_rate
        money = Money(receipts, horizon, days, rate, decision.objective)
        # The funnel that is tried does not look ahead.
        contacts = contact_log(encoded, schema, _no_sequences(config), catalogue=loaded.catalogue, money=money, log=log)
        return Taught(log, contacts, schema)

    @cached_property
    def judging(self) -> Judging:
        """The decisions of the span after the origin."""
        known, loaded, schema = self.known, self.known.loaded, self.taught.schema
        config = loaded.training
        found = usable(
            known.encoded, loaded.catalogue, Horizon(self.until_us + known.waiting_us, config.posting_lag_days),
            days=known.days, from_us=self.at_us, seed=config.model.seed,
        )  # fmt: skip
        if len(found) < _FEWEST:
            raise NotEnoughDataError(f"found {len(found)} decisions to judge on in a span of time, needed {_FEWEST}")
        terms = Terms(known.days, known.days, loaded.decision.objective)
        reward = rewards(known.encoded, found.spine, found.actions, found.action, rows=found.rows, terms=terms)
        log = Log(found.action_prob, reward, known.encoded.debtor[found.spine.account].astype(np.int64))
        values = compute_many(known.encoded, found.spine, schema)
        wanted = found.eligible.copy()
        wanted[:, WAIT_PLACE] = True
        outcome = cross_fitted_grid(
            found, values, reward, folds_of(log.cluster, seed=config.model.seed), schema=schema,
            catalogue=loaded.catalogue, wanted=wanted, model=config.model,
        )  # fmt: skip
        standing = standing_at(known.encoded, found.spine)
        return Judging(found, values, amount_due_cents(standing), standing.balance_cents, log, outcome)

    def valued(self, model: ResponseModel) -> tuple[Floats, Floats]:
        """DR scores (n,) and weights (n,) of the policy that takes what a model expects most of, among the eligible."""
        judging = self.judging
        chosen = _greedy(model, judging, self.known.loaded, self.taught.schema)
        target = fixed(judging.decisions, judging.outcome, chosen)
        weight = weights(judging.log, target)
        return dr_scores(judging.log, target, weight), weight


def known_until(known: Tables, loaded: Configs, *, end_us: int) -> Known:
    """The data before a moment."""
    tables = known_before(known, until_us=end_us)
    return Known(tables, encode(tables, attributes=loaded.features.attributes), loaded, end_us)


def origins_of(known: Known, *, folds: int) -> tuple[Origin, ...]:
    """Origins whose spans hold the later half of the decisions that can be valued, an equal number each.

    Raises
    ------
    NotEnoughDataError : there are too few decisions for so many spans
    """
    moments = np.sort(sampling.decided(known.encoded)[0].as_of_us)
    last_us = known.end_us - known.waiting_us
    moments = moments[moments < last_us]
    if len(moments) < 2 * folds * _FEWEST:
        raise NotEnoughDataError(
            f"found {len(moments)} decisions whose {known.days} days were over before the test rows, needed "
            f"{2 * folds * _FEWEST} for {folds} folds"
        )
    places = (len(moments) * np.linspace(0.5, 1.0, folds + 1)[:-1]).astype(np.int64)
    edges = [*moments[places].tolist(), last_us]
    return tuple(Origin(known, at, until) for at, until in pairwise(edges))


def _no_sequences(config: TrainingConfig) -> TrainingConfig:
    response = config.response.model_copy(update={"learner": "funnel"})
    return config.model_copy(update={"response": response})


def _greedy(model: ResponseModel, judging: Judging, loaded: Configs, schema: FeatureSchema) -> Int64s:
    """(n,) positions in the catalogue."""
    actions, objective = loaded.catalogue.actions, loaded.decision.objective
    allowed = judging.decisions.eligible.copy()
    allowed[~allowed.any(axis=1), WAIT_PLACE] = True
    chosen = np.zeros(len(allowed), dtype=np.int64)
    for start in range(0, len(allowed), _PAGE):
        rows = slice(start, start + _PAGE)
        outcomes = model.outcomes(judging.values[rows], schema, actions, allowed=allowed[rows])
        asked = amounts(judging.due_cents[rows], actions, balance_cents=judging.balance_cents[rows])
        found = worth(outcomes, asked, actions, objective).objective_cents
        chosen[rows] = np.where(allowed[rows], found, -np.inf).argmax(axis=1)
    return chosen
