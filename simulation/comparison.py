"""Policies of the closed loop side by side: what they brought and cost, and how they differ from one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import bootstrap

from simulation.arrow import Ints
from simulation.tally import Tally
from simulation.truth import Objective

Floats = npt.NDArray[np.float64]
_DRAWS, _BATCH = 1_000, 50


@dataclass(frozen=True, slots=True)
class Interval:
    """A difference with its 95 % interval over debtors."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Measured:
    """One policy over all rounds; money and costs in currency per account of the portfolio.

    ``unpaid_share`` is the part, by amount, of the debts 1 to 90 days past due at the start that is still owed;
    ``net`` is what was received less contact, benefit, complaint and opt-out cost. Differences are to the reference.
    """

    unpaid_share: float
    received: float
    contact_cost: float
    benefit_cost: float
    complaint_cost: float
    opt_out_cost: float
    net: float
    forgiven: float
    decisions: int
    attempts: int
    complaints: int
    opt_outs: int
    unpaid_share_difference: Interval
    received_difference: Interval
    contact_cost_difference: Interval
    net_difference: Interval

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def compare(
    tallies: Mapping[str, Tally], *, reference: str, debtor: Ints, objective: Objective | None = None
) -> dict[str, Measured]:
    """Every policy's figures, with differences to ``reference`` paired by debtor: they had the same luck.

    Parameters
    ----------
    debtor : (n,) the debtor of each account, from 0 on; accounts of a debtor are drawn together
    """
    costs = objective or Objective()
    against = tallies[reference]
    return {name: _measured(tally, against, debtor, costs) for name, tally in tallies.items()}


def net(tally: Tally, objective: Objective) -> Floats:
    """(n,) money received less everything that acting cost."""
    bothered = objective.complaint_cost * tally.complaints + objective.opt_out_cost * tally.opt_outs
    left: Floats = tally.received - tally.contact_cost - tally.benefit_cost - bothered
    return left


def _measured(tally: Tally, against: Tally, debtor: Ints, objective: Objective) -> Measured:
    accounts = np.ones(len(debtor))
    owed = tally.start_cents.sum(axis=1).astype(np.float64)
    unpaid, worth = tally.unpaid_cents.astype(np.float64), net(tally, objective)
    return Measured(
        unpaid_share=float(unpaid.sum() / max(owed.sum(), 1.0)),
        received=float(tally.received.mean()),
        contact_cost=float(tally.contact_cost.mean()),
        benefit_cost=float(tally.benefit_cost.mean()),
        complaint_cost=float(objective.complaint_cost * tally.complaints.mean()),
        opt_out_cost=float(objective.opt_out_cost * tally.opt_outs.mean()),
        net=float(worth.mean()),
        forgiven=float(tally.forgiven.mean()),
        decisions=int(tally.decisions.sum()),
        attempts=int(tally.attempts.sum()),
        complaints=int(tally.complaints.sum()),
        opt_outs=int(tally.opt_outs.sum()),
        unpaid_share_difference=_ratio(unpaid - against.unpaid_cents, owed, debtor),
        received_difference=_ratio(tally.received - against.received, accounts, debtor),
        contact_cost_difference=_ratio(tally.contact_cost - against.contact_cost, accounts, debtor),
        net_difference=_ratio(worth - net(against, objective), accounts, debtor),
    )


def _ratio(gain: Floats, per: Floats, debtor: Ints) -> Interval:
    """Sum of ``gain`` over sum of ``per``, with a percentile interval over debtors drawn anew (fixed seed)."""
    sums: tuple[Floats, Floats] = (_by_debtor(gain, debtor), _by_debtor(per, debtor))

    def statistic(above: Floats, below: Floats, axis: int) -> Floats:
        found: Floats = above.sum(axis=axis) / np.maximum(below.sum(axis=axis), 1.0)
        return found

    drawn = bootstrap(
        sums, statistic, paired=True, vectorized=True, n_resamples=_DRAWS, batch=_BATCH, method="percentile",
        rng=np.random.default_rng(0),
    )  # fmt: skip
    low, high = drawn.confidence_interval
    return Interval(float(statistic(*sums, axis=-1)), float(low), float(high))


def _by_debtor(values: Floats, debtor: Ints) -> Floats:
    return np.bincount(debtor, weights=values).astype(np.float64)
