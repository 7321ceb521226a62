"""Sixteen ways in which a portfolio drifts, each planted in one week: the kinds that the bench of monitoring counts.

Shifts of features are as strong as makes their PSI 0.25, in the bins of training and against the same rows without
them. What has no PSI changes by the red limit of its check.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from drift_world import World, take
from scipy.optimize import brentq
from scipy.special import expit, logit

from decisioning.budgets import Budget
from decisioning.config import DecisionConfig
from features.reference import FeatureReference, counts_in
from features.stability import stability
from training.monitoring.watched import ScoredRows, Watched

PSI = 0.25
_STEPS = 40
_MOST_PAY = 0.98
_BUDGET = 1.02
"""The budget of the bench is so much above the fullest day of the slice."""


@dataclass(frozen=True)
class Planted:
    """A slice with something planted in ``week`` (its name), and the limits of the day that it is judged by."""

    watched: Watched
    week: str
    limits: DecisionConfig


Change = Callable[[World, Watched, np.random.Generator], Planted]


@dataclass(frozen=True)
class Plant:
    """One kind: the checks of which one must alarm in the planted week, ``about`` what (anything where empty)."""

    name: str
    codes: tuple[str, ...]
    change: Change
    about: str = ""


def psi_of(known: FeatureReference, now: np.ndarray, before: np.ndarray) -> float:
    """PSI of two columns in the bins of training."""
    sides = [counts_in(np.ascontiguousarray(one), known) for one in (now, before)]
    return stability(sides[0], sides[1], units=len(now), units_before=len(before), false_alarm=0.05).psi


def _strength(told: Callable[[float], float], high: float) -> float:
    """Where a rising PSI reaches what is planted, by halving."""
    low = 0.0
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if told(middle) < PSI else (low, middle)
    return high


def _pooled(watched: Watched, place: int) -> np.ndarray:
    return np.concatenate([rows.values[:, place] for rows in watched.rows])


def _last(watched: Watched, rows: ScoredRows, limits: DecisionConfig) -> Planted:
    return Planted(replace(watched, rows=(*watched.rows[:-1], rows)), watched.weeks[-1].name, limits)


def _scored(rows: ScoredRows, values: np.ndarray, whole: World) -> ScoredRows:
    return replace(rows, values=values, p_pay=whole.bundle.payment.predict(values))


def _moved(name: str, move: Callable[[np.ndarray, float], np.ndarray], high: float, also: str = "") -> Change:
    """Every value of a feature is moved, and with it those whose names end in ``also``."""

    def change(whole: World, watched: Watched, _rng: np.random.Generator) -> Planted:
        schema, reference = whole.bundle.schema, whole.bundle.reference
        assert reference is not None
        place, known = schema.index[name], reference.features[name]
        column = _pooled(watched, place)
        strength = _strength(lambda size: psi_of(known, move(column, size), column), high)
        rows = watched.rows[-1]
        values = rows.values.copy()
        for other, where in schema.index.items():
            if other == name or (also and also in other):
                values[:, where] = move(values[:, where], strength)
        return _last(watched, _scored(rows, values, whole), whole.limits)

    return change


def _scale(column: np.ndarray, size: float) -> np.ndarray:
    return column * (1.0 + size)


def _shift(column: np.ndarray, size: float) -> np.ndarray:
    return column + size


def _missing(name: str) -> Change:
    def change(whole: World, watched: Watched, rng: np.random.Generator) -> Planted:
        place, known = whole.bundle.schema.index[name], _known(whole, name)
        column = _pooled(watched, place)
        draw = rng.random(len(column))
        share = _strength(lambda size: psi_of(known, np.where(draw < size, np.nan, column), column), 1.0)
        rows = watched.rows[-1]
        values = rows.values.copy()
        values[rng.random(len(rows)) < share, place] = np.nan
        return _last(watched, _scored(rows, values, whole), whole.limits)

    return change


def _unseen(name: str) -> Change:
    """A category that training never saw: missing in the matrix, and counted as unseen."""

    def change(whole: World, watched: Watched, rng: np.random.Generator) -> Planted:
        planted = _missing(name)(whole, watched, rng)
        rows, place = planted.watched.rows[-1], whole.bundle.schema.index[name]
        share = float(np.isnan(rows.values[:, place]).mean() - np.isnan(watched.rows[-1].values[:, place]).mean())
        return _last(watched, replace(rows, unseen={**rows.unseen, name: share}), whole.limits)

    return change


def _mixed(name: str, weight: Callable[[np.ndarray, float], np.ndarray], high: float) -> Change:
    """Rows of the week are drawn again, by a weight that depends on one feature."""

    def change(whole: World, watched: Watched, rng: np.random.Generator) -> Planted:
        place, known = whole.bundle.schema.index[name], _known(whole, name)
        column = _pooled(watched, place)

        def told(size: float) -> float:
            weights = weight(column, size)
            draws = np.random.default_rng(0).choice(len(column), len(column), p=weights / weights.sum())
            return psi_of(known, column[draws], column)

        weights = weight(watched.rows[-1].values[:, place], _strength(told, high))
        rows = watched.rows[-1]
        # Without replacement, so that every row is a debtor of its own: as many as the heaviest weight lets be drawn.
        drawn = np.flatnonzero(rng.random(len(rows)) < weights / weights.max())
        return _last(watched, take(rows, drawn), whole.limits)

    return change


def _late_debtors(column: np.ndarray, size: float) -> np.ndarray:
    known = np.nan_to_num(column, nan=0.0)
    ranks = np.argsort(np.argsort(known, kind="stable"), kind="stable") / max(len(known) - 1, 1)
    return np.exp(size * ranks)


def _one_creditor(column: np.ndarray, size: float) -> np.ndarray:
    return np.where(column == 0.0, 1.0 + size, 1.0)


def _known(whole: World, name: str) -> FeatureReference:
    assert whole.bundle.reference is not None
    return whole.bundle.reference.features[name]


def _labels(place: int, factor: float) -> Change:
    """In the last mature week payments come as often as expected times a factor: all odds are multiplied alike."""

    def change(whole: World, watched: Watched, rng: np.random.Generator) -> Planted:
        week = max(where for where, rows in enumerate(watched.rows) if rows.mature[place])
        rows = watched.rows[week]
        paid = rows.paid.copy()
        # Where nearly everybody pays, there are not so many more who could.
        margin, wanted = logit(rows.p_pay[:, place]), min(factor * rows.p_pay[:, place].sum(), _MOST_PAY * len(rows))
        moved = brentq(lambda by: expit(margin + by).sum() - wanted, -10.0, 10.0)
        paid[:, place] = rng.random(len(rows)) < expit(margin + moved)
        found = list(watched.rows)
        found[week] = replace(rows, paid=paid)
        return Planted(replace(watched, rows=tuple(found)), watched.weeks[week].name, whole.limits)

    return change


def _answers(channel: str) -> Change:
    """Half of the answers on a channel do not come, in the last week whose answers are known."""

    def change(whole: World, watched: Watched, rng: np.random.Generator) -> Planted:
        made = watched.contacts
        assert made is not None
        week = [one for one in watched.weeks if one.end_us <= watched.answered_until_us][-1]
        mine = week.holds(made.at_us) & (made.channel == made.channels.index(channel))
        lost = mine & (rng.random(len(mine)) < whole.config.limits["RESPONSE_RATE"].red)
        found = replace(watched, contacts=replace(made, received=made.received & ~lost))
        return Planted(found, week.name, whole.limits)

    return change


def _decided(change_of: Callable[..., object]) -> Change:
    """Something about the decisions of the last week."""

    def change(whole: World, watched: Watched, rng: np.random.Generator) -> Planted:
        made = watched.decisions
        assert made is not None
        week = watched.weeks[-1]
        now = change_of(made, week.holds(made.at_us), rng.random(len(made.at_us)), whole)
        return Planted(replace(watched, decisions=now), week.name, whole.limits)

    return change


def _no_exploration(made, mine, draw, whole):
    share = whole.config.limits["EXPLORATION_SHARE"].red
    return replace(made, explored=made.explored & ~(mine & (draw < share)))


def _new_refusal(made, mine, draw, whole):
    flag = mine & (draw < whole.config.limits["REFUSAL_SHARE"].red)
    return replace(made, refusals={**made.refusals, "NEW_RULE": flag})


def _more_waiting(made, mine, draw, whole):
    share = made.waits[mine].mean()
    odds = whole.config.limits["WAIT_SHARE"].red / max(1.0 - share, 1e-9)
    return replace(made, waits=made.waits | (mine & (draw < odds)))


def _fewer_decisions(made, mine, draw, whole):
    kept = ~(mine & (draw < whole.config.limits["VOLUME_DECISIONS"].red))
    columns = {name: getattr(made, name)[kept] for name in ("at_us", "debtor", "waits", "explored", "control")}
    return replace(made, **columns, refusals={code: flag[kept] for code, flag in made.refusals.items()})


def _late(whole: World, watched: Watched, rng: np.random.Generator) -> Planted:
    paid, week = watched.payments, watched.weeks[-1]
    more = week.holds(paid.recorded_us) & (rng.random(len(paid.late)) < whole.config.limits["LATE_PAYMENTS"].red)
    return Planted(replace(watched, payments=replace(paid, late=paid.late | more)), week.name, whole.limits)


def budget_of(watched: Watched) -> DecisionConfig:
    """A budget of contact costs a little above the fullest day of all weeks."""
    made = watched.contacts
    assert made is not None
    first = int(made.day.min())
    fullest = np.bincount(made.day - first, weights=made.cost_cents).max() / 100.0
    return DecisionConfig(budgets={"contact_cost": Budget(per_day=_BUDGET * fullest)})


def _overrun(whole: World, watched: Watched, _rng: np.random.Generator) -> Planted:
    made, week = watched.contacts, watched.weeks[-1]
    assert made is not None
    limits = budget_of(watched)
    mine = week.holds(made.at_us)
    per_day = np.bincount(made.day[mine] - made.day[mine].min(), weights=made.cost_cents[mine]).max() / 100.0
    times = whole.config.limits["BUDGET_USE"].red * limits.budgets["contact_cost"].per_day / per_day
    cost = np.where(mine, 1.001 * times * made.cost_cents, made.cost_cents)
    return Planted(replace(watched, contacts=replace(made, cost_cents=cost)), week.name, limits)


_SHIFTS = ("FEATURE_PSI", "SCORE_PSI")
PLANTS = {
    one.name: one
    for one in (
        Plant("income scaled", _SHIFTS[:1], _moved("income", _scale, 10.0), "income"),
        Plant(
            "gap between payments shifted", _SHIFTS[:1], _moved("payments_gap_mean", _shift, 400.0), "payments_gap_mean"
        ),
        Plant("income missing", _SHIFTS[:1], _missing("income"), "income"),
        Plant("product unseen", ("FEATURE_UNSEEN",), _unseen("product"), "product"),
        Plant("mix of creditors", _SHIFTS[:1], _mixed("creditor", _one_creditor, 200.0), "creditor"),
        Plant("all amounts larger", _SHIFTS[:1], _moved("balance_cents", _scale, 10.0, also="_cents"), "balance_cents"),
        Plant("mix of days past due", _SHIFTS, _mixed("days_past_due", _late_debtors, 20.0)),
        Plant("fewer pay than expected", ("CALIBRATION_MEAN",), _labels(1, 0.7), "p_pay_30d"),
        Plant("more pay than expected", ("CALIBRATION_MEAN",), _labels(1, 1.3), "p_pay_30d"),
        Plant("sms is answered half as often", ("RESPONSE_RATE",), _answers("sms"), "sms"),
        Plant("exploration stops", ("EXPLORATION_SHARE",), _decided(_no_exploration)),
        Plant("a refusal code appears", ("REFUSAL_SHARE",), _decided(_new_refusal), "NEW_RULE"),
        Plant("more waiting", ("WAIT_SHARE",), _decided(_more_waiting)),
        Plant("half of the decisions", ("VOLUME_DECISIONS",), _decided(_fewer_decisions)),
        Plant("payments recorded late", ("LATE_PAYMENTS",), _late),
        Plant("budget overrun", ("BUDGET_USE",), _overrun, "contact_cost"),
    )
}
"""By name."""
