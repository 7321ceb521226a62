"""Rolling origins: the model that would have been trained at each, and the rows of the time after it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from decisioning.valuation import amount_due_cents
from domain.bands import DAYS_PAST_DUE
from domain.clock import US_PER_DAY, rfc3339
from domain.errors import NotEnoughDataError
from domain.tables import Tables
from features.batch import compute_many
from features.encoding import Encoded, encode
from features.schema import fit_schema
from features.spine import Spine
from training import labels, sampling
from training.dataset import Horizon, PaymentRows, payment_rows, payment_target
from training.facts import end_of_data, known_before
from training.payment import Fitted, Target, assemble, fit_horizon
from training.runs.configs import Configs
from training.runs.learning import columns_of
from training.standing import standing_at

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Later:
    """Rows after an origin, all (n,): what was told of them at their moments, and what then came.

    ``expected_cents`` is ``p_pay`` times the amount due times the share of it that payers of the training rows brought.
    """

    p_pay: Floats
    paid: Floats
    debtor: npt.NDArray[np.int32]
    days_past_due: Floats
    expected_cents: Floats
    received_cents: Floats


@dataclass(frozen=True)
class Origin:
    """A moment, the rows that were trained on, the fit, and features and outcomes of the rows after it."""

    at_us: int
    rows: PaymentRows
    target: Target
    fitted: Fitted
    values: Floats
    later: Later

    @property
    def at(self) -> str:
        """The moment, RFC 3339."""
        return rfc3339(self.at_us)


@dataclass(frozen=True)
class World:
    """All data, which tell what came after an origin, the configuration, and how long a window of judged rows is."""

    tables: Tables
    encoded: Encoded
    loaded: Configs
    end_us: int
    window_days: int

    @property
    def days(self) -> int:
        """The explained horizon, the only one that is trained."""
        return self.loaded.decision.explained_horizon


def world_of(tables: Tables, loaded: Configs, *, window_days: int) -> World:
    """Read a portfolio for backtesting; a ``DataError`` where it holds no dated row."""
    encoded = encode(tables, attributes=loaded.features.attributes)
    return World(tables, encoded, loaded, end_of_data(tables, until_us=None), window_days)


def moments_of(world: World, count: int) -> list[int]:
    """The origins, rising: windows that follow each other, of which the last is just mature when the data end."""
    waiting = world.days + world.loaded.training.posting_lag_days
    last = world.end_us - (waiting + world.window_days) * US_PER_DAY
    return [last - number * world.window_days * US_PER_DAY for number in reversed(range(count))]


def origin_at(world: World, at_us: int) -> Origin:
    """Train the payment model on what was known before a moment, and ask it about the window after.

    Raises
    ------
    NotEnoughDataError : too little was known then, or no row lies in the window
    """
    config, days = world.loaded.training, world.days
    known = encode(known_before(world.tables, until_us=at_us), attributes=world.loaded.features.attributes)
    horizon = Horizon(at_us, config.posting_lag_days)
    schema = fit_schema(known, attributes=world.loaded.features.attributes)
    rows = payment_rows(known, schema, config, horizon, longest_days=days)
    money = labels.receipts(known)
    target = payment_target(rows, money, horizon, days=days, config=config)
    columns = columns_of(rows.schema)
    fitted = fit_horizon(rows.values, columns, target, debtor=rows.rows.debtor, config=config.model)
    spine = _after(world, at_us)
    values = compute_many(world.encoded, spine, rows.schema)
    model = assemble({days: fitted}, explained=days, shipped="shipped")
    brought = _brought(rows, target, money)
    return Origin(at_us, rows, target, fitted, values, _later(world, spine, model.predict(values)[:, 0], brought))


def with_scores(later: Later, p_pay: Floats) -> Later:
    """The same rows under other probabilities; what is expected of a payer stays."""
    return replace(later, p_pay=p_pay, expected_cents=later.expected_cents / later.p_pay * p_pay)


def _after(world: World, at_us: int) -> Spine:
    """Moments in the window after an origin at which an account owed, sampled as training samples."""
    config = world.loaded.training
    spine, _ = sampling.moments(
        world.encoded, config.sampling, end_us=world.end_us, longest_days=world.days, seed=config.model.seed
    )
    inside = (spine.as_of_us >= at_us) & (spine.as_of_us < at_us + world.window_days * US_PER_DAY)
    spine = spine.take(np.flatnonzero(inside))
    spine = spine.take(sampling.distinct(spine))
    spine = spine.take(standing_at(world.encoded, spine).owes)
    if not len(spine):
        raise NotEnoughDataError(
            f"no account owes anything at a sampled moment in the {world.window_days} days after "
            f"{rfc3339(at_us)}; ask for fewer origins, or a longer --window-days"
        )
    return spine.take(sampling.thinned(spine, config.sampling, seed=config.model.seed))


def _later(world: World, spine: Spine, p_pay: Floats, brought: Floats) -> Later:
    standing = standing_at(world.encoded, spine)
    money, due = labels.receipts(world.encoded), amount_due_cents(standing).astype(np.float64)
    return Later(
        p_pay=p_pay,
        paid=labels.paid_within(money, spine, horizon_days=world.days).astype(np.float64),
        debtor=world.encoded.debtor[spine.account],
        days_past_due=standing.days,
        expected_cents=p_pay * due * brought[band_of(standing.days)],
        received_cents=labels.recovered_cents(money, spine, horizon_days=world.days).astype(np.float64),
    )


def _brought(rows: PaymentRows, target: Target, money: labels.Receipts) -> Floats:
    """By band of days past due, what payers brought over what they owed; of all payers where a band has none."""
    payers = np.flatnonzero(target.usable & (target.paid > 0))
    came = labels.recovered_cents(money, rows.spine.take(payers), horizon_days=target.horizon_days).astype(np.float64)
    due, band = rows.rows.amount_due_cents[payers].astype(np.float64), band_of(rows.rows.days_past_due[payers])
    sums = [np.bincount(band, weights=one, minlength=len(DAYS_PAST_DUE)) for one in (came, due)]
    return np.where(sums[1] > 0, sums[0] / np.maximum(sums[1], 1.0), came.sum() / max(due.sum(), 1.0))


def band_of(days_past_due: Floats) -> Int64s:
    """(n,) position of the band of days past due; unknown days are in the first."""
    edges = [low for _, low, _ in DAYS_PAST_DUE[1:]]
    return np.asarray(np.digitize(np.nan_to_num(days_past_due, nan=-1.0), edges), dtype=np.int64)
