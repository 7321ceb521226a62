"""What the policy adds, told by debtors who were set apart: each arm less every control, over so many days.

A debtor's arm is a hash of its id, so arms differ by chance alone and no model has any part in the comparison. It goes
by intention to treat: whoever is in an arm counts there, whatever was carried out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from decisioning.arms import ARMS
from decisioning.config import Objective
from domain.actions import ActionCatalogue
from domain.clock import FOREVER
from domain.errors import NotEnoughDataError
from features.encoding import Encoded
from features.spine import Spine
from training import labels, sampling
from training.dataset import Horizon
from training.ope.estimators import Estimate, mean_of
from training.standing import standing_at
from training.windows import EventIndex, index_events

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

_LEAST_DEBTORS = 30
"""Fewer debtors in an arm say nothing that an interval by the normal distribution would be right about."""
_POWER = float(stats.norm.ppf(0.975) + stats.norm.ppf(0.9))
"""A difference of so many standard errors is told nine times in ten."""


@dataclass(frozen=True, slots=True)
class Period:
    """Accounts enter at their first decision at or after ``from_us`` and are followed for ``days``."""

    days: int
    from_us: int | None = None


@dataclass(frozen=True)
class ArmValue:
    """One arm: how many accounts and debtors, and per account, in currency: net value, received, cost; contacts."""

    arm: str
    accounts: int
    debtors: int
    net: Estimate
    received: float
    cost: float
    contacts: float


@dataclass(frozen=True)
class Lift:
    """What one arm brings per account less another, in currency, and in per cent of the other's.

    ``verdict`` is better, worse or not_established; ``debtors_needed`` is how many of each arm would tell a difference
    of this size nine times in ten, at today's spread.
    """

    arm: str
    than: str
    uplift: Estimate
    per_cent: float
    verdict: str
    debtors_needed: int | None


@dataclass(frozen=True)
class Lifts:
    """All arms with enough debtors, the policy less each control; what was ``left_out``, by reason."""

    days: int
    arms: tuple[ArmValue, ...]
    lifts: tuple[Lift, ...]
    left_out: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """All of it, as ``acerto arms --json`` prints it."""
        return {
            "days": self.days,
            "arms": {
                one.arm: {
                    "accounts": one.accounts, "debtors": one.debtors, "net": _told(one.net),
                    "received": one.received, "cost": one.cost, "contacts": one.contacts,
                }
                for one in self.arms
            },
            "lifts": [
                {
                    "arm": one.arm, "than": one.than, "uplift": _told(one.uplift), "per_cent": one.per_cent,
                    "verdict": one.verdict, "debtors_needed": one.debtors_needed,
                }
                for one in self.lifts
            ],
            "left_out": self.left_out,
        }  # fmt: skip


def arm_lifts(
    encoded: Encoded, catalogue: ActionCatalogue, horizon: Horizon, *, objective: Objective, period: Period
) -> Lifts:
    """Values by arm, and the policy less each control.

    Each account enters at its first decision in the period. Its value is the present value of the money received from
    then on over ``days``, on debts known by then, less the cost of every contact, complaint and opt-out in those days.

    Raises
    ------
    NotEnoughDataError : no decision can be followed for so long, or fewer than two arms have enough debtors
    """
    spine, rows = sampling.decided(encoded)
    if not len(rows):
        raise NotEnoughDataError("found no decisions, or an empty table; needed decisions with their `arm`")
    arm = encoded.tables.text("decisions", "arm").take(rows).recode({name: code for code, name in enumerate(ARMS)})
    entered, left_out = _entered(encoded, spine, arm.astype(np.int64), horizon, period)
    if not len(entered):
        raise NotEnoughDataError(
            f"found no account that was followed for {period.days} days after a decision, left out {left_out}; give a "
            "longer history, or fewer --days"
        )
    mine, code = spine.take(entered), arm[entered].astype(np.int64)
    debtor = encoded.debtor[mine.account].astype(np.int64)
    money = _money(encoded, catalogue, mine, objective, days=period.days)
    arms, kept = [], {}
    for place, name in enumerate(ARMS):
        some = code == place
        debtors = len(np.unique(debtor[some]))
        if debtors < _LEAST_DEBTORS:
            if debtors:
                left_out[f"{name}_has_few_debtors"] = int(some.sum())
            continue
        arms.append(_value(name, money.take(some), debtor[some]))
        kept[name] = money.net[some], debtor[some]
    if len(arms) < 2:
        raise NotEnoughDataError(
            f"found {[one.arm for one in arms]} with at least {_LEAST_DEBTORS} debtors, needed two arms or more; set "
            "`arms:` in decision.yaml, such as {holdout: 0.02, random: 0.02}, and let decisions be made under them"
        )
    lifts = tuple(_lift(kept, name) for name in list(kept)[1:]) if ARMS[0] in kept else ()
    return Lifts(period.days, tuple(arms), lifts, left_out)


def _entered(
    encoded: Encoded, spine: Spine, arm: Int64s, horizon: Horizon, period: Period
) -> tuple[Int64s, dict[str, int]]:
    """Rows of the first decision of each account in the period, and how many were left out, by reason."""
    early = np.zeros(len(spine), dtype=np.bool_) if period.from_us is None else spine.as_of_us < period.from_us
    rows = np.flatnonzero(~early)
    order = rows[np.lexsort((spine.as_of_us[rows], spine.account[rows]))]
    first = order[np.diff(spine.account[order], prepend=-1) != 0]
    debtor = encoded.debtor[spine.account]
    moved = _in_several(debtor[rows], arm[rows])
    out = {
        "immature": ~horizon.mature(spine.as_of_us[first], period.days),
        "owed_nothing": ~standing_at(encoded, spine.take(first)).owes,
        "unknown_arm": arm[first] < 0,
        "debtor_in_several_arms": np.isin(debtor[first], moved),
    }
    good, left_out = np.ones(len(first), dtype=np.bool_), {}
    for reason, some in out.items():
        left_out[reason] = int((good & some).sum())
        good &= ~some
    return first[good], left_out


def _in_several(debtor: npt.NDArray[np.int32], arm: Int64s) -> npt.NDArray[np.int32]:
    """Debtors whose rows name more than one arm: shares were changed in between, and they compare with nobody."""
    pairs = np.unique(np.stack([debtor.astype(np.int64), arm]), axis=1)
    whose, arms = np.unique(pairs[0], return_counts=True)
    return whose[arms > 1].astype(np.int32)


@dataclass(frozen=True)
class _Money:
    net: Floats
    received: Floats
    cost: Floats
    contacts: Floats

    def take(self, some: npt.NDArray[np.bool_]) -> _Money:
        return _Money(self.net[some], self.received[some], self.cost[some], self.contacts[some])


def _money(encoded: Encoded, catalogue: ActionCatalogue, spine: Spine, objective: Objective, *, days: int) -> _Money:
    received = labels.present_value_cents(
        labels.receipts(encoded), spine, horizon_days=days, monthly_rate=objective.monthly_discount_rate
    ) / 100.0  # fmt: skip
    made, spent = _contacts(encoded, catalogue, spine, days=days)
    complained = _count(labels.complaints(encoded), spine, days)
    opted_out = np.sum([_count(index, spine, days) for index in labels.opt_outs(encoded)], axis=0)
    annoyed = objective.complaint_cost * complained + objective.opt_out_cost * opted_out
    return _Money(received - spent - annoyed, received, spent + annoyed, made)


def _count(index: EventIndex, spine: Spine, days: int) -> Floats:
    low, high = index.bounds(spine, horizon_days=days)
    return (high - low).astype(np.float64)


def _contacts(encoded: Encoded, catalogue: ActionCatalogue, spine: Spine, *, days: int) -> tuple[Floats, Floats]:
    """(n,) contacts made in the days after each row, and what they cost: what is told, else what the channel costs."""
    if not encoded.tables.has("contacts"):
        return np.zeros(len(spine)), np.zeros(len(spine))
    rows = np.flatnonzero(encoded.known_until("contacts") == FOREVER)
    channel = encoded.tables.text("contacts", "channel").take(rows)
    unit = {name: catalogue.config.channels[name].unit_cost if name in catalogue.config.channels else 0.0
            for name in channel.values}  # fmt: skip
    usual = np.array([*(unit[name] for name in channel.values), 0.0])[channel.codes]
    told = encoded.tables.floats("contacts", "cost")[rows]
    cost = np.where(np.isfinite(told), told, usual)
    index = index_events(encoded.account_of("contacts")[rows], encoded.tables.ints("contacts", "occurred_at")[rows])
    summed = np.append(0.0, np.cumsum(cost[index.order]))
    low, high = index.bounds(spine, horizon_days=days)
    return (high - low).astype(np.float64), summed[high] - summed[low]


def _value(name: str, money: _Money, debtor: Int64s) -> ArmValue:
    cost, received, contacts = (float(part.mean()) for part in (money.cost, money.received, money.contacts))
    return ArmValue(name, len(debtor), len(np.unique(debtor)), mean_of(money.net, debtor), received, cost, contacts)


def _lift(kept: dict[str, tuple[Floats, Int64s]], than: str) -> Lift:
    """The policy less another arm: debtors of two arms are different people, so that variances add."""
    (net, debtor), (other, other_debtor) = kept[ARMS[0]], kept[than]
    own, theirs = mean_of(net, debtor), mean_of(other, other_debtor)
    uplift = Estimate(own.value - theirs.value, float(np.hypot(own.se, theirs.se)))
    verdict = "better" if uplift.low > 0 else "worse" if uplift.high < 0 else "not_established"
    spread = [one.se * len(np.unique(whose)) ** 0.5 for one, whose in ((own, debtor), (theirs, other_debtor))]
    needed = None if uplift.value == 0 else int(np.ceil((_POWER * np.hypot(*spread) / uplift.value) ** 2))
    per_cent = 100.0 * uplift.value / theirs.value if theirs.value else np.nan
    return Lift(ARMS[0], than, uplift, float(per_cent), verdict, needed)


def _told(found: Estimate) -> dict[str, float]:
    return {"value": found.value, "low": found.low, "high": found.high}
