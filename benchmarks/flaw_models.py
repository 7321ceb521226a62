"""Flaws of the model, of the log that a policy is valued on, and of what a run decided; and their sound twins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from flaw_plants import group_of, plant
from flaw_world import DAYS, Floats, Study

from decisioning.calibration import Calibrator
from training.boosting import Recipe, fit_rounds, margins, take
from training.calibration import fit_identity
from training.ope.estimators import Log, Target
from training.ope.opponents import compare
from training.ope.told import Told
from training.ope.verdict import evaluate
from training.payment import Fitted
from training.reporting.decided import DecidedRows
from training.reporting.evidence import Evidence, HeldOut, Run
from training.reporting.keeping import protected_cuts

_ACTIONS = 5


@plant("CALIBRATION_SLOPE", stage="model")
def too_sure_of_itself(_study: Study, model: Fitted) -> Fitted:
    """Log-odds are stretched by half: what is likely is called nearly sure."""
    stretched = Calibrator.platt(1.5, 0.0)
    return Fitted((model.evaluated[0], stretched), (model.shipped[0], stretched), model.rounds)


@plant("CALIBRATION_MEAN", stage="model")
def base_rate_of_elsewhere(_study: Study, model: Fitted) -> Fitted:
    """Probabilities are those of a portfolio that pays better: half a unit of log-odds is added."""
    moved = Calibrator.platt(1.0, 0.5)
    return Fitted((model.evaluated[0], moved), (model.shipped[0], moved), model.rounds)


@plant("DISCRIMINATION_OVERFIT", stage="model")
def learned_by_heart(study: Study, _model: Fitted) -> Fitted:
    """Trees go on until they know their rows by heart: large, of single rows, and nothing stops them."""
    loose = {"max_leaves": 63, "max_depth": 12, "learning_rate": 0.2, "min_rows_per_leaf": 2, "l2": 0.0}
    recipe, split = Recipe("binary", study.config.model.model_copy(update=loose)), study.target.split
    booster = fit_rounds(recipe, study.columns, data=take(study.values, study.target.paid, split.train), rounds=60)
    margin = margins(booster, study.values[split.valid], threads=1)
    pair = (booster, fit_identity(margin, study.target.paid[split.valid]))
    return Fitted(pair, pair, 60)


@plant("CHALLENGER_AUC", stage="model")
def worse_than_the_champion(study: Study, model: Fitted) -> Fitted:
    """The new version learned from an eighth of the rows."""
    split = study.target.split
    few = split.train[::8]
    booster = fit_rounds(
        Recipe("binary", study.config.model), study.columns, data=take(study.values, study.target.paid, few), rounds=30
    )
    return Fitted((booster, model.evaluated[1]), (booster, model.shipped[1]), 30)


@plant("SEGMENT_SMALL", stage="evidence")
def segments_of_a_few_rows(study: Study, evidence: Evidence) -> Evidence:
    """A third of the rows lies in segments of a hundred rows each: products are told by campaign."""
    held = evidence.held_out
    assert held is not None
    rows = len(held.columns["paid"])
    code = np.where(study.rng.random(rows) < 1 / 3, 1 + study.rng.integers(0, rows // 300, size=rows), 0)
    told = {
        **held.told,
        "labels": {**held.told["labels"], "product": [f"c{one}" for one in range(int(code.max()) + 1)]},
    }
    return replace(evidence, held_out=HeldOut({**held.columns, "cut_product": code}, told))


@plant("POLICY_SUPPORT", stage="evidence")
def policy_far_from_the_log(study: Study, evidence: Evidence) -> Evidence:
    """The policy never does what the log's rule says, and the log explores one decision in a hundred."""
    return replace(evidence, comparison=compared(study, explored=0.01, differs=1.0))


@plant("POLICY_UNSEEN", "POLICY_SUPPORT", stage="evidence")
def log_without_exploration(study: Study, evidence: Evidence) -> Evidence:
    """The log does what its rule says in all but one of a thousand decisions; the policy in seven of ten."""
    return replace(evidence, comparison=compared(study, explored=0.001))


@plant("POLICY_PROBABILITIES", stage="evidence")
def probabilities_of_before_the_rules(study: Study, evidence: Evidence) -> Evidence:
    """``action_prob`` is what was drawn from before a rule took one action of five away from half the accounts."""
    return replace(evidence, comparison=compared(study, before_rules=True))


@plant("DECISIONS_PRESSURE", stage="evidence")
def pressure_by_group(study: Study, evidence: Evidence) -> Evidence:
    """Debtors of sixty and older are called where others get a message in half of the decisions."""
    return replace(evidence, run=Run(decided=decided(study, harder=0.5)))


def compared(
    study: Study, *, explored: float = 0.4, differs: float = 0.3, before_rules: bool = False
) -> dict[str, Any]:
    """What ``acerto promote`` keeps of a comparison, of a log of five actions on the test rows.

    The log follows a rule but for the ``explored`` share, drawn evenly from what a rule of contact leaves. ``model``
    takes another action, a better one, in the share of rows in which it ``differs``.
    """
    rng, rows = study.rng, study.target.split.test
    n = np.arange(len(rows))
    eligible = np.ones((len(rows), _ACTIONS), dtype=np.bool_)
    eligible[rng.random(len(rows)) < 0.5, _ACTIONS - 1] = False
    usual = rng.integers(0, _ACTIONS - 2, size=len(rows))
    probability = explored * eligible / eligible.sum(axis=1, keepdims=True)
    probability[n, usual] += 1.0 - explored
    action = (probability.cumsum(axis=1) > rng.random(len(rows))[:, None]).argmax(axis=1)
    logged = probability[n, action]
    if before_rules:
        logged = np.where(action == usual, 1.0 - explored, 0.0) + explored / _ACTIONS
    reward = 100.0 * study.target.paid[rows] + 100.0 * action
    log = Log(logged, reward, np.unique(study.rows.rows.debtor[rows], return_inverse=True)[1].astype(np.int64))
    own = usual + (rng.random(len(rows)) < differs)
    return _told(log, action, {"model": own, "ladder": usual}, eligible)


def _told(
    log: Log, action: npt.NDArray[np.int64], fixed: dict[str, npt.NDArray[np.int64]], eligible: npt.NDArray[np.bool_]
) -> dict[str, Any]:
    flat = np.full(len(log), float(log.reward.mean()))
    policies = {name: (chosen == action).astype(np.float64) for name, chosen in fixed.items()}
    policies["random"] = 1.0 / eligible.sum(axis=1)
    targets = {name: Target(pi, flat, flat, unsupported=0.0) for name, pi in policies.items()}
    opponents = {one.opponent: one.as_json() for one in compare(log, targets)}
    return {
        "decisions": len(log), "horizon_days": DAYS, "seen_in_training": 0, "compared_at": "2026-07-01T00:00:00+00:00",
        "opponents": opponents, "evaluated": Told(evaluate(log, targets), outcome_model="the mean").as_json(),
    }  # fmt: skip


def decided(study: Study, *, harder: float = 0.0) -> DecidedRows:
    """Decisions on the last row of each account: calls where more is overdue, else messages; a tenth gets a discount.

    ``harder`` is the share of decisions on debtors of sixty and older that become calls whatever is overdue.
    """
    rng, account = study.rng, study.rows.spine.account
    last = np.flatnonzero(np.append(account[1:] != account[:-1], True))
    n, late = len(last), np.nan_to_num(study.rows.rows.days_past_due[last])
    calls = (late > np.quantile(late, 0.7)) | (group_of(study, ">= 60")[last] & (rng.random(n) < harder))
    cuts = protected_cuts(study.encoded, study.rows.spine.take(last))
    return DecidedRows(
        pressure=np.where(calls, 1.0, 0.3), discounted=(rng.random(n) < 0.1).astype(np.float64),
        discount_share=np.zeros(n), refused=rng.random(n) * 0.5, arm=tuple(np.where(rng.random(n) < 0.02, "holdout",
        "policy").tolist()), debtor=np.unique(study.rows.rows.debtor[last], return_inverse=True)[1].astype(np.int64),
        groups=cuts,
    )  # fmt: skip


def champion_of(study: Study) -> Floats:
    """(test,) what a version says that learned from the older half of the training rows."""
    split = study.target.split
    moments = study.rows.spine.as_of_us[split.train]
    older = split.train[moments <= np.median(moments)]
    data = take(study.values, study.target.paid, older)
    booster = fit_rounds(Recipe("binary", study.config.model), study.columns, data=data, rounds=30)
    margin = margins(booster, study.values[split.test], threads=1)
    return np.asarray(1.0 / (1.0 + np.exp(-margin)), dtype=np.float64)
