"""The payment model's rows: sampled moments with their features, and the label of each horizon."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from decisioning.valuation import amount_due_cents
from domain.errors import NotEnoughDataError
from features.batch import compute_all, with_fitted_priors
from features.encoding import Encoded
from features.schema import FeatureSchema
from features.spine import Spine
from training import labels, sampling
from training.config import TrainingConfig
from training.evaluation import Rows
from training.payment import Target
from training.splits import time_split, unseen_debtors
from training.standing import standing_at
from training.windows import Bools, Int64s

Floats = npt.NDArray[np.float64]
Compute = Callable[[Encoded, Spine, FeatureSchema], Floats]
"""What ``features.batch.compute_all`` does, to the bit, wherever it is done."""


@dataclass(frozen=True)
class Horizon:
    """The moment at which the data end, and how long postings may take."""

    end_us: int
    lag_days: int

    def mature(self, as_of_us: Int64s, days: int) -> Bools:
        """Whether a window of that many days can be judged."""
        return labels.mature(as_of_us, horizon_days=days, lag_days=self.lag_days, end_us=self.end_us)


@dataclass(frozen=True)
class PaymentRows:
    """The payment model's rows: ``spine``, ``values`` (n, k), what evaluation needs, and how they were sampled.

    ``schema`` has the usual rates of the rows that every horizon trains on.
    """

    spine: Spine
    values: Floats
    schema: FeatureSchema
    rows: Rows
    sampled: str


def payment_rows(
    encoded: Encoded,
    schema: FeatureSchema,
    config: TrainingConfig,
    horizon: Horizon,
    *,
    longest_days: int,
    compute: Compute = compute_all,
) -> PaymentRows:
    """Sampled moments of accounts that owe, with their features, which ``compute`` may have others compute.

    Raises
    ------
    NotEnoughDataError : no account owes anything at any sampled moment, or there are too few for the longest horizon
    """
    seed = config.model.seed
    spine, sampled = sampling.moments(
        encoded, config.sampling, end_us=horizon.end_us, longest_days=longest_days, seed=seed
    )
    spine = spine.take(sampling.distinct(spine))
    standing = standing_at(encoded, spine)
    spine, standing = spine.take(standing.owes), standing.take(standing.owes)
    if not len(spine):
        raise NotEnoughDataError("no account owes anything at any sampled moment; check debts, payments and --until")
    kept = sampling.thinned(spine, config.sampling, seed=seed)
    spine, standing = spine.take(kept), standing.take(kept)
    debtor = encoded.debtor[spine.account]
    rows = Rows(
        as_of_us=spine.as_of_us,
        debtor=debtor,
        unseen=unseen_debtors(debtor, share=config.splits.unseen_share, seed=seed),
        days_past_due=standing.days,
        amount_due_cents=amount_due_cents(standing),
    )
    usable = horizon.mature(spine.as_of_us, longest_days)
    split = time_split(spine.as_of_us, usable, rows.unseen, horizon_days=longest_days, config=config.splits)
    computed = compute(encoded, spine, schema)
    fitted = with_fitted_priors(schema, computed, split.train)
    return PaymentRows(spine, computed[:, : len(schema.names)], fitted, rows, sampled)


def payment_target(
    rows: PaymentRows, money: labels.Receipts, horizon: Horizon, *, days: int, config: TrainingConfig
) -> Target:
    """Label, maturity and split of one horizon."""
    usable = horizon.mature(rows.spine.as_of_us, days)
    paid = labels.paid_within(money, rows.spine, horizon_days=days).astype(np.float64)
    split = time_split(rows.spine.as_of_us, usable, rows.rows.unseen, horizon_days=days, config=config.splits)
    return Target(days, paid, usable, split)
