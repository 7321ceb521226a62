"""Do debtors who were offered discounts learn to wait for them? What a log can tell, and what it cannot.

The effect is that of the offer itself, at random as far as the log's ``action_prob`` says, on whether the account pays
what is asked, without a discount, in the 90 days after the offer has run out; against a contact on the same channel
that offers nothing.

An offer that is taken leaves less to pay later, which is no waiting. Without learning a discount changes later payments
through those who take it alone, so that the effect on the others lies between two that need no model: takers counted as
if they would never have paid in full later, and as if all of them would have. They are the ends of the bounds of Lee
(2009, Review of Economic Studies 76, 1071-1102), times the share of those who took nothing. Learning is established
where even the second is a loss that matters for certain, and excluded where even the first is none for certain.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from domain.actions import ActionCatalogue
from domain.errors import DataError, NotEnoughDataError
from features.encoding import Encoded
from training.dataset import Horizon
from training.offer_log import AFTER_DAYS, NOTHING, PAID_BEFORE, PAID_DAYS, OfferLog, offer_log
from training.ope.estimators import Estimate, clustered_se, clusters_in, effective_rows, mean_of
from training.ope.verdict import MIN_EFFECTIVE

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Verdict = Literal["yes", "no", "not_established"]

MATTERS = 0.1
"""Of those who would pay in full later, the share whose waiting matters: with more the answer is yes, with fewer no.

A loss that merely is not 0 would be found by chance in one log of forty, and somebody would stop offering discounts.
"""
MIN_OUTCOMES = 10.0
"""Effective rows that must have either outcome: a normal interval of a rarer one is too narrow."""
_MOST_EARLIER = 3
_GROUPS: Mapping[str, Callable[[OfferLog], Bools]] = {
    "everybody": lambda log: np.ones(len(log), dtype=np.bool_),
    "repeat_non_payers": lambda log: (log.earlier > 0) & (log.paid_before == NOTHING),
}
"""On whom the effect is asked; a repeat non-payer was offered a discount before, and has paid nothing for a year."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What an explored discount does to later payment in full, as a difference of shares of the accounts.

    ``takers_lost`` counts who took the offer as not paying in full later, ``takers_kept`` as if they all would have:
    the effect on the others lies between. ``otherwise`` is the share that took nothing and pays in full later where no
    discount was offered. ``effective`` rows tell as much as the weighted ones, with the discount and without;
    ``reasons`` say why there is no verdict.
    """

    verdict: Verdict
    rows: tuple[int, int]
    effective: tuple[float, float]
    debtors: int
    otherwise: float | None = None
    takers_lost: Estimate | None = None
    takers_kept: Estimate | None = None
    reasons: tuple[str, ...] = ()


def effect(log: OfferLog, group: Bools) -> Effect:
    """The effect on the mature rows of a group; intervals take the rows of one debtor to depend on each other."""
    rows = np.flatnonzero(group & log.mature & (log.share > 0) & (log.discount | log.plain))
    cluster = np.unique(log.debtor[rows], return_inverse=True)[1].astype(np.int64)
    weight, discount = log.share[rows] / log.action_prob[rows], log.discount[rows]
    effective = effective_rows(weight[discount]), effective_rows(weight[~discount])
    told = (int(discount.sum()), int((~discount).sum())), effective, clusters_in(cluster) if len(rows) else 0
    if min(*effective, told[2]) < MIN_EFFECTIVE:
        few = f"found {effective[0]:.1f} effective rows with a discount, {effective[1]:.1f} without, {told[2]} debtors"
        return Effect("not_established", *told, reasons=(f"{few}; needed {MIN_EFFECTIVE:.0f} of each",))
    kept, lost = log.later[rows] | log.taken[rows], log.later[rows] & ~log.taken[rows]
    return _answered(
        Effect(
            "not_established", *told, float(np.average(lost[~discount], weights=weight[~discount])),
            _difference(lost, weight, discount, cluster=cluster), _difference(kept, weight, discount, cluster=cluster),
        ),
        share=float(np.average(kept, weights=weight)),
    )  # fmt: skip


def _answered(found: Effect, *, share: float) -> Effect:
    """The verdict on both ends of the effect; ``share`` pays in full later where takers are counted as if they did."""
    assert found.takers_lost is not None and found.takers_kept is not None and found.otherwise is not None
    rarer = min(share, 1.0 - share) * min(found.effective)
    if rarer < MIN_OUTCOMES:
        return replace(
            found, reasons=(f"found {rarer:.1f} effective rows of the rarer outcome, needed {MIN_OUTCOMES:.0f}",)
        )
    matters = MATTERS * found.otherwise
    if found.takers_kept.high < -matters:
        return replace(found, verdict="yes")
    if found.takers_lost.low > -matters:
        return replace(found, verdict="no")
    between = f"the effect lies between {found.takers_lost.low:+.3f} and {found.takers_kept.high:+.3f}"
    bound = f"{MATTERS:.0%} of the {found.otherwise:.1%} who pay in full otherwise"
    return replace(found, reasons=(f"{between}: neither more nor less than {bound} for certain",))


def _difference(outcome: Bools, weight: Floats, discount: Bools, *, cluster: npt.NDArray[np.int64]) -> Estimate:
    """Weighted mean with the discount less that without (Hájek), and its cluster-robust error by the delta method."""
    value, influence = 0.0, np.zeros(len(outcome))
    for side, sign in ((discount, 1.0), (~discount, -1.0)):
        own = weight * side
        mean = float((own * outcome).sum() / own.sum())
        value += sign * mean
        influence += sign * own * (outcome - mean) / own.mean()
    return Estimate(value, clustered_se(influence, cluster))


def table(log: OfferLog) -> list[dict[str, Any]]:
    """Payment within ``PAID_DAYS`` after contacts with and without a discount, by earlier offers and payments.

    Told as it was logged: who is offered a discount is no accident, so that two cells differ by more than the offer.
    """
    found = []
    for earlier in range(_MOST_EARLIER + 1):
        times = log.earlier >= earlier if earlier == _MOST_EARLIER else log.earlier == earlier
        for place, name in enumerate(PAID_BEFORE):
            rows = times & (log.paid_before == place)
            sides = {"with_discount": log.discount, "without_discount": log.other}
            cells = {side: _rate(log, rows & mask) for side, mask in sides.items()}
            said = f"{earlier}+" if earlier == _MOST_EARLIER else str(earlier)
            found.append({"earlier_offers": said, "paid_before": name, **cells})
    return found


def _rate(log: OfferLog, rows: Bools) -> dict[str, Any]:
    told: dict[str, Any] = {"decisions": int(rows.sum()), "paid": None}
    if rows.any():
        told["paid"] = estimate_json(mean_of(log.paid[rows].astype(np.float64), log.debtor[rows]))
    return told


def estimate_json(found: Estimate) -> dict[str, float | None]:
    """Value and interval; the ends are missing where one debtor alone is behind it."""
    low, high = (end if np.isfinite(end) else None for end in (found.low, found.high))
    return {"value": found.value, "low": low, "high": high}


def discount_learning(encoded: Encoded, catalogue: ActionCatalogue, horizon: Horizon, *, seed: int) -> dict[str, Any]:
    """Table and effects as JSON; without a log that tells them, ``not_available`` with the reason, and neither."""
    settings = {"paid_days": PAID_DAYS, "after_days": AFTER_DAYS, "matters": MATTERS}
    try:
        log = offer_log(encoded, catalogue, horizon, seed=seed)
    except (NotEnoughDataError, DataError) as error:
        return {**settings, "not_available": [str(error)], "table": [], "effects": {}}
    return {**settings, "valid_days": log.valid_days, **judged(log)}


def judged(log: OfferLog) -> dict[str, Any]:
    """Table, effects and what is not available, as JSON."""
    effects = {name: _effect_json(effect(log, of(log))) for name, of in _GROUPS.items()}
    missing = []
    if not log.mature.any():
        missing.append(f"no decision is {log.valid_days} + {AFTER_DAYS} days old yet, and later payments take as long")
    elif not ((log.share > 0) & log.discount & log.mature).any():
        missing.append("no discount was offered where the same channel could have offered none: nothing to compare")
    return {"decisions": len(log), "not_available": missing, "table": table(log), "effects": effects}


def _effect_json(found: Effect) -> dict[str, Any]:
    told = asdict(found)
    for name in ("takers_lost", "takers_kept"):
        one = getattr(found, name)
        told[name] = None if one is None else estimate_json(one)
    for name in ("rows", "effective"):
        told[name] = dict(zip(("with_discount", "without_discount"), told[name], strict=True))
    return told
