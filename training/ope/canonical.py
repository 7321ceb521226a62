"""A model's policy, and the ones it must beat, valued on the decisions of canonical tables."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from decisioning.bundle import ModelBundle
from decisioning.desk import Desk
from decisioning.engine import probabilities
from domain.clock import parse_moment, rfc3339, to_us
from domain.tables import Tables
from features.batch import compute_many
from features.encoding import Encoded, encode
from features.schema import FeatureSchema
from training import sampling
from training.config import ModelConfig, TrainingConfig
from training.dataset import Horizon
from training.facts import end_of_data
from training.ope.decisions import MAX_ROWS, Decisions, usable
from training.ope.estimators import Floats, Log, Target
from training.ope.grid_outcome import cross_fitted_grid
from training.ope.outcome import folds_of
from training.ope.policies import WAIT_PLACE, baselines, ladder_cells, spread
from training.ope.rewards import Terms, rewards, value_days
from training.ope.told import Told
from training.ope.verdict import Options, evaluate
from training.standing import standing_at

MODEL, CHAMPION = "model", "champion"
OnStep = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Question:
    """Over how many days money counts (``None``: as many as the log allows), from when on, against what.

    ``max_rows`` bounds the decisions, which are drawn by hash where there are more.
    """

    horizon_days: int | None = None
    from_us: int | None = None
    options: Options = field(default_factory=Options)
    max_rows: int = MAX_ROWS


@dataclass(frozen=True)
class Valued:
    """A log ready to be asked about its policies, over ``days`` of money; ``targets`` hold the model's as ``model``."""

    decisions: Decisions
    log: Log
    targets: dict[str, Target]
    days: int


def evaluate_data(
    tables: Tables,
    bundle: ModelBundle,
    *,
    desk: Desk,
    config: TrainingConfig,
    question: Question,
    on_step: OnStep | None = None,
) -> Told:
    """Value the policy of a bundle and the baselines on every decision that can be used.

    Raises
    ------
    NotEnoughDataError : no decision can be valued over that many days
    DataError : ``action_prob`` is none that a choice can have had
    """
    valued = value(tables, bundle, desk=desk, config=config, question=question, on_step=on_step)
    return Told(
        evaluate(valued.log, valued.targets, options=question.options),
        outcome_model="LightGBM on features and action, cross-fitted by debtor",
        asked=(MODEL,),
        context=_context(valued.decisions, bundle, valued.days),
        notices=notices(valued, bundle, longest=desk.config.value_horizon_days),
    )


def value(
    tables: Tables,
    bundle: ModelBundle,
    *,
    desk: Desk,
    config: TrainingConfig,
    question: Question,
    champion: ModelBundle | None = None,
    on_step: OnStep | None = None,
) -> Valued:
    """Rewards of the decisions that can be used, and the policies on them: the model's, a champion's, the baselines.

    Raises
    ------
    NotEnoughDataError : no decision can be valued over that many days
    DataError : ``action_prob`` is none that a choice can have had
    """
    tell = on_step or (lambda _what, _share: None)
    tell("sorting events", 0.1)
    encoded = encode(tables, attributes=bundle.schema.attributes)
    horizon = Horizon(end_of_data(tables, until_us=None), config.posting_lag_days)
    days = question.horizon_days or _days(encoded, horizon, question, longest=desk.config.value_horizon_days)
    decisions = usable(
        encoded, desk.catalogue, horizon, days=days, from_us=question.from_us, seed=config.model.seed,
        max_rows=question.max_rows,
    )  # fmt: skip
    tell("asking the model", 0.3)
    asked = {MODEL: probabilities(encoded, decisions.spine, bundle, desk=desk)}
    if champion is not None:
        known = encode(tables, attributes=champion.schema.attributes)
        asked[CHAMPION] = probabilities(known, decisions.spine, champion, desk=desk)
    tell("valuing what was logged", 0.5)
    log = _log(encoded, decisions, Terms(days, min(days, config.label.horizon_days), desk.config.objective))
    tell("fitting the outcome model", 0.6)
    targets = _targets(encoded, decisions, log, asked, schema=bundle.schema, desk=desk, model=config.model)
    tell("estimating", 0.9)
    return Valued(decisions, log, targets, days)


def _days(encoded: Encoded, horizon: Horizon, question: Question, *, longest: int) -> int:
    """As many days as the decisions that are asked about have lived through, and not those before them."""
    moments = sampling.decided(encoded)[0].as_of_us
    if question.from_us is not None:
        moments = moments[moments >= question.from_us]
    return value_days(moments, horizon, longest=longest)


def _log(encoded: Encoded, decisions: Decisions, terms: Terms) -> Log:
    reward = rewards(encoded, decisions.spine, decisions.actions, decisions.action, rows=decisions.rows, terms=terms)
    return Log(decisions.action_prob, reward, encoded.debtor[decisions.spine.account].astype(np.int64))


def _targets(
    encoded: Encoded,
    decisions: Decisions,
    log: Log,
    asked: dict[str, Floats],
    *,
    schema: FeatureSchema,
    desk: Desk,
    model: ModelConfig,
) -> dict[str, Target]:
    """The asked policies, (n, A) each, and the baselines, with one outcome model for all of them."""
    fold = folds_of(log.cluster, seed=model.seed)
    wanted = decisions.eligible | np.any([policy > 0 for policy in asked.values()], axis=0)
    wanted[:, WAIT_PLACE] = True
    values = compute_many(encoded, decisions.spine, schema)
    outcome = cross_fitted_grid(
        decisions, values, log.reward, fold, schema=schema, catalogue=desk.catalogue, wanted=wanted, model=model
    )
    standing = standing_at(encoded, decisions.spine)
    cell = ladder_cells(standing.days, standing.balance_cents)
    known = {name: spread(decisions, outcome, policy) for name, policy in asked.items()}
    return {**known, **baselines(decisions, outcome, fold, cell=cell)}


def _context(decisions: Decisions, bundle: ModelBundle, days: int) -> dict[str, Any]:
    moments = decisions.spine.as_of_us
    return {
        "model_version": bundle.version,
        "horizon_days": days,
        "left_out": decisions.left_out,
        "first_decision": rfc3339(int(moments.min())),
        "last_decision": rfc3339(int(moments.max())),
    }


def notices(valued: Valued, bundle: ModelBundle, *, longest: int) -> tuple[str, ...]:
    """What whoever reads the figures must know; ``longest`` is the value horizon of the configuration, in days."""
    decisions, days = valued.decisions, valued.days
    left = ", ".join(f"{count:,} {reason}" for reason, count in decisions.left_out.items() if count)
    found = [f"money of {days} days per decision, in currency; left out: {left or 'nothing'}"]
    if days < longest:
        found.append(f"the log is too short for the value horizon of {longest} days: what comes later is in no figure")
    seen = seen_in_training(decisions, bundle)
    if seen:
        found.append(
            f"the model was trained when {seen:,} of these {len(decisions):,} decisions were known: its own figures "
            "are too good; train with --until, and value it on what came after"
        )
    if not decisions.eligible_known:
        found.append("the log does not say what was eligible: support is estimated from the weights alone")
    return tuple(found)


def seen_in_training(decisions: Decisions, bundle: ModelBundle) -> int:
    """How many of the decisions lie before the end of the data that the bundle was trained on."""
    end_us = trained_until_us(bundle)
    return 0 if end_us is None else int((decisions.spine.as_of_us < end_us).sum())


def trained_until_us(bundle: ModelBundle) -> int | None:
    """The end of the data that the bundle was trained on, where its evaluation tells it."""
    path = bundle.folder / "evaluation" / "evaluation.json"
    if not path.is_file():
        return None
    end = json.loads(path.read_text(encoding="utf-8")).get("data", {}).get("end")
    return None if end is None else to_us(parse_moment(end))
