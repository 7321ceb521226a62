"""Money told against money that came: on explored decisions, by models that saw none of their debtors.

Two models are learned, each from the debtors of one half. What one of them expects of the decisions of the other half
is held against what came in. And what one of them claims for the actions it would choose is judged by the other one:
who picks the largest of a hundred estimates picks errors with it (the winner's curse), and errors of two halves are not
the same. The shipped model knows both halves, so half of the claim that is not confirmed is taken off its effects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.config import Objective
from decisioning.response import ResponseModel
from decisioning.valuation import amount_due_cents, amounts, present_value, recovered_cents, worth
from domain.actions import Action, ActionCatalogue
from features.encoding import Encoded
from features.schema import FeatureSchema
from features.spine import Spine
from training import sampling
from training.contact_log import ContactLog, Money, shares_returned
from training.ope.decisions import eligible_of
from training.ope.estimators import clustered_se
from training.response_log import ResponseLog
from training.splits import debtor_folds
from training.standing import standing_at
from training.windows import Bools, Int64s

Floats = npt.NDArray[np.float64]
Fit = Callable[[ResponseLog, ContactLog], ResponseModel]

_EXPLORED_BELOW = 0.5
_MOST_ROWS, _FEWEST = 6_000, 200
_HALVES = 7_919
_BANDS = 10
_Z = 1.959964


@dataclass(frozen=True)
class Checked:
    """``told`` for the evaluation; ``kept`` is the share of a claimed gain that holds, 1 where it was not measured."""

    told: dict[str, Any]
    kept: float = 1.0


@dataclass(frozen=True)
class _Rows:
    """Explored decisions, (n,) and (n, A): what is owed and came back in cents, and what could be chosen."""

    place: Int64s
    values: Floats
    cluster: Int64s
    half: Int64s
    balance_cents: Int64s
    due_cents: Int64s
    came_cents: Floats
    action: Int64s
    action_prob: Floats
    allowed: Bools


@dataclass(frozen=True)
class Checking:
    """What the check needs beside log and contacts."""

    encoded: Encoded
    schema: FeatureSchema
    catalogue: ActionCatalogue
    money: Money
    objective: Objective
    seed: int

    @property
    def actions(self) -> list[Action]:
        """What can be chosen without an approval."""
        return [action for action in self.catalogue.actions if not action.gated]


def check(log: ResponseLog, contacts: ContactLog, fit: Fit, *, checking: Checking) -> Checked:
    """Expected against realised money on the explored decisions of a log.

    Parameters
    ----------
    fit : learns a model from a log and its contacts; it is called twice, with half of the debtors each

    Raises
    ------
    NotEnoughDataError : a half holds too little to learn from
    """
    # A seed of its own: halves that were made of the learner's folds would leave it without some of them.
    everyone = np.arange(len(checking.encoded.debtor_ids), dtype=np.int32)
    half = debtor_folds(everyone, folds=2, seed=checking.seed + _HALVES)
    rows = _explored(log, checking, half)
    if len(rows.place) < _FEWEST:
        found = f"found {len(rows.place)} explored decisions with a known probability, needed {_FEWEST}"
        return Checked({"not_measured": found})
    models = [fit(*_of_half(log, contacts, half == number)) for number in (0, 1)]
    asked = [_worth(model, rows, checking) for model in models]
    at = np.arange(len(rows.place))
    # The model of the other half expects, and that of the own half judges.
    expected, net = (np.where((rows.half == 0)[:, None], asked[1][k], asked[0][k]) for k in (0, 1))
    judging = np.where((rows.half == 0)[:, None], asked[0][1], asked[1][1])
    chosen = np.where(rows.allowed, net, -np.inf).argmax(axis=1)
    claimed, judged = (table[at, chosen] - table[:, 0] for table in (net, judging))
    confirmed = float(np.clip(judged.sum() / claimed.sum(), 0.0, 1.0)) if claimed.sum() > 0 else 1.0
    # The excess comes from the variance of estimates, which is half as large where twice as many debtors are known.
    kept = 1.0 - (1.0 - confirmed) / 2.0
    told = {
        "rows": len(at),
        "logged": _ratio(expected[at, rows.action], rows.came_cents, rows.cluster),
        "bands": _bands(expected[at, rows.action], rows.came_cents, rows.cluster),
        "chosen": _of_chosen(expected, rows, chosen),
        "winners_curse": {
            "claimed": claimed.mean() / 100,
            "judged": judged.mean() / 100,
            "confirmed": confirmed,
            "kept": kept,
        },
    }
    return Checked(told, kept)


def _explored(log: ResponseLog, checking: Checking, half: Int64s) -> _Rows:
    encoded = checking.encoded
    probability = encoded.tables.floats("decisions", "action_prob")[log.row]
    names = {action.name: place for place, action in enumerate(checking.actions)}
    action = np.array([names.get(action.name, -1) for action in log.actions], dtype=np.int64)[log.action]
    followed = checking.money.horizon.mature(log.as_of_us, 30)
    places = np.flatnonzero((probability > 0) & (probability < _EXPLORED_BELOW) & (action >= 0) & followed)
    account = encoded.account_of("decisions")[log.row]
    drawn = sampling.at_most(Spine(account[places], log.as_of_us[places]), _MOST_ROWS, seed=checking.seed)
    places = places[drawn]
    spine = Spine(account[places], log.as_of_us[places])
    standing = standing_at(encoded, spine)
    open_to, _ = eligible_of(
        encoded, log.row[places], checking.catalogue, used=np.unique(log.action), actions=log.actions
    )
    ungated = np.array([not action.gated for action in checking.catalogue.actions])
    allowed = open_to[:, ungated].copy()
    allowed[np.arange(len(places)), action[places]] = True
    allowed[:, 0] = True
    share = shares_returned(encoded, spine, checking.money, np.zeros(len(places), dtype=np.int64))
    return _Rows(
        place=places,
        values=log.values[places],
        cluster=log.debtor[places].astype(np.int64),
        half=half[log.debtor[places]],
        balance_cents=standing.balance_cents,
        due_cents=amount_due_cents(standing),
        came_cents=share * standing.balance_cents,
        action=action[places],
        action_prob=probability[places],
        allowed=allowed,
    )


def _of_half(log: ResponseLog, contacts: ContactLog, mine: Bools) -> tuple[ResponseLog, ContactLog]:
    rows = np.flatnonzero(mine[log.debtor])
    return log.take(rows), contacts.of(mine, rows)


def _worth(model: ResponseModel, rows: _Rows, checking: Checking) -> tuple[Floats, Floats]:
    """Expected money and expected net value, both (n, A) cents."""
    outcomes = model.outcomes(rows.values, checking.schema, checking.actions, allowed=rows.allowed)
    asked = amounts(rows.due_cents, checking.actions, balance_cents=rows.balance_cents)
    present = present_value(checking.actions, checking.objective.monthly_discount_rate)
    found = worth(outcomes, asked, checking.actions, checking.objective)
    return recovered_cents(outcomes, asked, present), found.net_cents


def _ratio(expected: Floats, came: Floats, cluster: Int64s, weight: Floats | None = None) -> dict[str, float | None]:
    """Expected over realised money with its 95 % interval, rows of one debtor together (delta method); or nothing."""
    w = np.ones(len(came)) if weight is None else weight
    told, real = float((w * expected).sum()), float((w * came).sum())
    if real <= 0:
        return {"ratio": None, "low": None, "high": None}
    ratio = told / real
    spread = clustered_se(w * (expected - ratio * came), cluster) * len(came) / real
    return {"ratio": ratio, "low": ratio - _Z * spread, "high": ratio + _Z * spread}


def _bands(expected: Floats, came: Floats, cluster: Int64s) -> list[dict[str, float]]:
    """Means by tenth of what was expected, in currency, with the interval of what came."""
    found = []
    for rows in np.array_split(np.argsort(expected, kind="stable"), _BANDS):
        mean = came[rows].mean() / 100
        spread = _Z * clustered_se(came[rows] - came[rows].mean(), cluster[rows]) / 100
        band = {"rows": len(rows), "expected": expected[rows].mean() / 100, "came": mean}
        found.append({**band, "low": mean - spread, "high": mean + spread})
    return found


def _of_chosen(expected: Floats, rows: _Rows, chosen: Int64s) -> dict[str, float | None]:
    """As the ratio of all, of the decisions where the model would have done what exploration did, weighted back."""
    same = rows.action == chosen
    weight = np.where(same, 1.0 / rows.action_prob, 0.0)
    at = np.arange(len(chosen))
    return {"rows": int(same.sum()), **_ratio(expected[at, chosen], rows.came_cents, rows.cluster, weight)}
