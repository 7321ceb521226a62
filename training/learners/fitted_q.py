"""The funnel that looks ahead: what an action is worth when the decisions after it are those of the policy it makes.

The funnel values an action as if the logging policy went on afterwards. But a contact is worth little where the log's
later contacts would have worked anyway, and waiting is worth more where later decisions will be better ones. So the
greedy policy π of the funnel is valued by fitted Q evaluation over the sequences of the log:

    Q_k(x, a) = money until the next decision at x' + Q_{k−1}(x', π(x')) less its costs,    Q_0 = the funnel's

π stays the funnel's own through all steps: the policy is evaluated, and no maximum is taken over what is being fitted.
The money of the log is kept and corrected at every later decision, by the difference of π's action and the logged one
(Harutyunyan et al. 2016, "Q(λ) with off-policy corrections", λ = 1), so that levels, which are noisy, cancel:

    c_k(x, a) = Q_k(x, a) − Q_0(x, a) = E[ weight · (Q_0(x', π) − Q_0(x', logged) + c_{k−1}(x', π)) ]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.config import Objective
from decisioning.funnel import ROOF, FunnelModel
from decisioning.valuation import amounts, worth
from features.schema import FeatureSchema
from training.boosting import Columns, Recipe, fit_rounds, fit_stopped, margins
from training.config import TrainingConfig
from training.contact_log import ContactLog, Moments
from training.learners.blend import FunnelBlendLearner
from training.learners.funnel import Fitting
from training.learners.heads import FOLDS
from training.learners.learned import LearnedResponse
from training.response_log import ResponseLog
from training.sequences import Sequences, Steps, Turns
from training.splits import debtor_folds
from training.windows import Bools

Floats = npt.NDArray[np.float64]
Told = Callable[[Floats], Floats]

_PAGE = 1_000
_ENOUGH = 1_000
"""Rows below which what is gained later is one mean."""


class FittedQLearner:
    """See the module; stateless."""

    def fit(
        self, log: ResponseLog, schema: FeatureSchema, config: TrainingConfig, *, contacts: ContactLog
    ) -> LearnedResponse:
        """Fit the funnel, then its heads ``self`` and ``deal`` again on labels that look ahead.

        With no steps, or no decisions that follow on one another, it is the funnel.

        Raises
        ------
        NotEnoughDataError : as of the funnel
        """
        base = FunnelBlendLearner().fit(log, schema, config, contacts=contacts)
        found, model = contacts.sequences, base.model
        assert isinstance(model, FunnelModel)
        if found is None or not (found.quiet.turn >= 0).any():
            return base
        ahead = Ahead.of(model, schema, found)
        alone, deal, told = _continued(ahead, found, contacts, _Regression(schema, config))
        quiet = contacts.quiet_share - _own(ahead, found.quiet) + alone(contacts.quiet.values)
        after = contacts.deal_share + deal(contacts.deals.moments.values)
        looking = replace(contacts, quiet_share=np.clip(quiet, 0.0, ROOF), deal_share=np.clip(after, 0.0, ROOF))
        heads, summary = dict(model.heads), dict(base.summary)
        for name, (head, measured) in Fitting(schema, model.names, config).money(looking).items():
            heads[name], summary[name] = head, {**measured, "continuing": told}
        return LearnedResponse(replace(model, heads=heads), summary)


@dataclass(frozen=True)
class Ahead:
    """What the funnel expects at later decisions, all (t,) shares of the balance.

    ``gain``: the policy's action net of its costs, over what the logged action brings; ``p_deal``, that the policy's
    action ends in a deal; ``own``, what the logged action brings over waiting.
    """

    gain: Floats
    p_deal: Floats
    own: Floats

    @classmethod
    def of(cls, model: FunnelModel, schema: FeatureSchema, found: Sequences) -> Ahead:
        """Ask a funnel about all actions at every turn; its greedy policy takes the one that is worth most."""
        starts = range(0, len(found.turns), _PAGE)
        pages = [_page(model, schema, found.turns.take(slice(at, at + _PAGE)), found.objective) for at in starts]
        return cls(*(np.concatenate(parts) for parts in zip(*pages, strict=True))) if pages else cls(*np.zeros((3, 0)))


def _page(model: FunnelModel, schema: FeatureSchema, turns: Turns, objective: Objective) -> tuple[Floats, ...]:
    outcomes = model.outcomes(turns.values, schema, turns.choices, allowed=turns.allowed)
    asked = amounts(turns.due_cents, turns.choices, balance_cents=turns.balance_cents)
    money = worth(outcomes, asked, turns.choices, objective)
    best = np.where(turns.allowed, money.objective_cents, -np.inf).argmax(axis=1)[:, None]
    logged = turns.action[:, None] == np.arange(len(turns.actions))
    seen = model.outcomes(turns.values, schema, turns.actions, allowed=logged)
    returned, reached, agreed, brought = (
        _needed(found) for found in (outcomes.returned, outcomes.p_reached, outcomes.p_agreed, seen.returned)
    )
    own = np.where(logged, brought, 0.0).sum(axis=1) - returned[:, 0]
    owes, balance = turns.balance_cents > 0, np.maximum(turns.balance_cents, 1)
    over_waiting = np.take_along_axis(money.net_cents, best, axis=1)[:, 0] - money.net_cents[:, 0]
    p_deal = model.kept * np.take_along_axis(reached * agreed, best, axis=1)[:, 0]
    return tuple(np.where(owes, found, 0.0) for found in (over_waiting / balance - own, p_deal, own))


def continued(steps: Steps, gain: Floats) -> Floats:
    """(n,) what moments gain through their next decision: its gain (t,) by weight, nothing where none follows."""
    found = np.zeros(len(steps.turn))
    some = steps.turn >= 0
    found[some] = steps.weight[some] * gain[steps.turn[some]]
    return found


def gained(ahead: Ahead, alone: Floats, deal: Floats) -> Floats:
    """(t,) gain of following the policy at a turn and after it, where ``alone`` without a deal there, ``deal`` with."""
    return ahead.gain + alone + ahead.p_deal * (deal - alone)


def _own(ahead: Ahead, quiet: Steps) -> Floats:
    """(n,) what the decision taken at a quiet moment is expected to bring: waiting would not have brought it."""
    found = np.zeros(len(quiet.own))
    some = quiet.own >= 0
    found[some] = ahead.own[quiet.own[some]]
    return found


@dataclass(frozen=True)
class _Regression:
    """How gains are regressed on what is known of the account."""

    schema: FeatureSchema
    config: TrainingConfig

    def fit(self, moments: Moments, label: Floats, rows: Bools) -> Told:
        """A small booster of the label on some rows, or their mean where they are few; 0 without any."""
        some = np.flatnonzero(rows)
        if len(some) < _ENOUGH:
            mean = _mean(label[some])
            return lambda values: np.full(len(values), mean)
        recipe, columns = Recipe("regression", self.config.model).small(), self._columns
        fold = debtor_folds(moments.debtor[some], folds=FOLDS, seed=self.config.model.seed)
        learn, check = some[fold > 0], some[fold == 0]
        data = [(moments.values[part], label[part]) for part in (learn, check, some)]
        stopped = fit_stopped(recipe, columns, train=data[0], valid=data[1])
        booster = fit_rounds(recipe, columns, data=data[2], rounds=stopped.current_iteration())
        return lambda values: margins(booster, values, threads=recipe.model.threads)

    @property
    def _columns(self) -> Columns:
        return Columns(self.schema.names, self.schema.categorical)


def _continued(
    ahead: Ahead, found: Sequences, contacts: ContactLog, regression: _Regression
) -> tuple[Told, Told, dict[str, Any]]:
    """What is gained later by following the policy, without and with a deal now; as functions of account features."""
    # Of a moment after which a deal was made the deal tells; without one nothing of today's contact may leak into it.
    quiet, deals = found.quiet.usable & ~found.quiet.agreed, found.deals.usable
    alone: Told = _nothing
    deal: Told = _nothing
    means = []
    for _ in range(regression.config.response.continuing.steps):
        gain = gained(ahead, alone(found.turns.values), deal(found.turns.values))
        labels = continued(found.quiet, gain), continued(found.deals, gain)
        alone = regression.fit(contacts.quiet, labels[0], quiet)
        deal = regression.fit(contacts.deals.moments, labels[1], deals)
        means.append((_mean(labels[0][quiet]), _mean(labels[1][deals])))
    told = {
        "steps": len(means), "turns": len(found.turns), "rows": int(quiet.sum()), "deals": int(deals.sum()),
        "mean_gain_by_step": [mean[0] for mean in means], "mean_gain_after_deal_by_step": [mean[1] for mean in means],
    }  # fmt: skip
    return alone, deal, told


def _mean(label: Floats) -> float:
    return float(label.mean()) if len(label) else 0.0


def _needed(found: Floats | None) -> Floats:
    assert found is not None  # a funnel tells all of its gates
    return found


def _nothing(values: Floats) -> Floats:
    return np.zeros(len(values))
