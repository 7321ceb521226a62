"""The logged decisions as learning material: which action was chosen, for whom, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.valuation import amount_due_cents
from domain.actions import ANY_MOMENT, WAIT, WAIT_CHANNEL, Action, ActionCatalogue
from domain.clock import US_PER_DAY
from features.batch import compute_many
from features.encoding import Encoded
from features.schema import FeatureSchema
from features.spine import Spine
from training import labels, sampling
from training.config import TrainingConfig
from training.dataset import Horizon
from training.splits import Split, time_split
from training.standing import standing_at
from training.windows import Int64s

Floats = npt.NDArray[np.float64]

_MATURE_PAYERS, _MATURE_SHARE = 2_000, 0.3
"""How many payers, and which share of them, must have lived through a horizon before shares are learned over it."""
_SHARE_DAYS = (365, 270, 180, 120, 90, 60)


@dataclass(frozen=True)
class ResponseLog:
    """Logged decisions with mature labels, one row each.

    ``row`` (n,) in the table of decisions; ``values`` (n, k) features at the decision; ``action`` (n,) position in
    ``actions``; ``debtor`` (n,); ``as_of_us`` (n,). ``paid`` (n,) is the label of the response model. What was
    recovered within ``share_days`` is ``share`` (n,) of what the logged offer asked for, for those who responded, and
    ``late`` (n,) of all that was due, for the others; ``NaN`` elsewhere, and where not mature. ``complained`` and
    ``opted_out`` (n,) are within the label's horizon. ``left_out`` counts the decisions that could not be used, by
    reason.
    """

    row: Int64s
    values: Floats
    actions: tuple[Action, ...]
    action: Int64s
    debtor: npt.NDArray[np.int32]
    as_of_us: Int64s
    paid: Floats
    share: Floats
    late: Floats
    complained: Floats
    opted_out: Floats
    share_days: int
    left_out: dict[str, int]

    def __len__(self) -> int:
        return len(self.action)

    def take(self, rows: Int64s) -> ResponseLog:
        """Some of its rows; what is told of the whole log stays."""
        arrays = ("row", "values", "action", "debtor", "as_of_us", "paid", "share", "late", "complained", "opted_out")
        return replace(self, **{name: getattr(self, name)[rows] for name in arrays})


@dataclass(frozen=True)
class _Frame:
    """Rows of the log that can be learned from, before features: what is due, and which action was logged."""

    spine: Spine
    row: Int64s
    due_cents: Int64s
    actions: tuple[Action, ...]
    action: Int64s
    left_out: dict[str, int]


def response_log(
    encoded: Encoded,
    schema: FeatureSchema,
    config: TrainingConfig,
    *,
    catalogue: ActionCatalogue,
    money: labels.Receipts,
    horizon: Horizon,
    value_days: int,
) -> ResponseLog:
    """Every mature decision on an account that owed, with its features and outcomes; may be empty."""
    frame = _frame(encoded, config, catalogue, horizon)
    paid = _responded(encoded, money, frame, config)
    share, late, share_days = _shares(money, frame, paid, horizon=horizon, value_days=value_days, config=config)
    days = config.label.horizon_days
    complained = labels.complaints(encoded).any_within(frame.spine, horizon_days=days)
    opted_out = np.any([index.any_within(frame.spine, horizon_days=days) for index in labels.opt_outs(encoded)], axis=0)
    return ResponseLog(
        row=frame.row,
        values=compute_many(encoded, frame.spine, schema),
        actions=frame.actions,
        action=frame.action,
        debtor=encoded.debtor[frame.spine.account],
        as_of_us=frame.spine.as_of_us,
        paid=paid,
        share=share,
        late=late,
        complained=complained.astype(np.float64),
        opted_out=opted_out.astype(np.float64),
        share_days=share_days,
        left_out=frame.left_out,
    )


def log_split(encoded: Encoded, config: TrainingConfig, *, catalogue: ActionCatalogue, horizon: Horizon) -> Split:
    """How the rows that :func:`response_log` would have are split by time, without their features.

    Raises
    ------
    NotEnoughDataError : there are too few rows to split
    """
    moments = _frame(encoded, config, catalogue, horizon).spine.as_of_us
    everything = np.ones(len(moments), dtype=np.bool_)
    days = config.label.horizon_days
    return time_split(moments, everything, ~everything, horizon_days=days, config=config.splits)


def logged_actions(encoded: Encoded, rows: Int64s, catalogue: ActionCatalogue) -> tuple[tuple[Action, ...], Int64s]:
    """The action of each row of the log, as one of the catalogue.

    Parameters
    ----------
    rows : (n,) rows of the decisions table

    Returns
    -------
    Distinct actions in the order of the catalogue, and (n,) positions among them; -1 where channel or offer is no
    longer configured.

    Notes
    -----
    A moment that is ``any``, or no longer configured, takes an action of the same channel and offer with the whole day.
    """
    columns = ("channel", "offer", "moment")
    parts = [encoded.tables.text("decisions", column).take(rows).decode() for column in columns]
    return _places([f"{channel}/{offer}/{moment}" for channel, offer, moment in zip(*parts, strict=True)], catalogue)


def contacted_actions(encoded: Encoded, rows: Int64s, catalogue: ActionCatalogue) -> tuple[tuple[Action, ...], Int64s]:
    """The action of each row of the table of contacts, as :func:`logged_actions`; of any moment, ``none`` offered."""
    parts = [encoded.tables.text("contacts", column).take(rows).decode() for column in ("channel", "offer")]
    names = [f"{channel}/{offer or 'none'}/{ANY_MOMENT}" for channel, offer in zip(*parts, strict=True)]
    return _places(names, catalogue)


def _places(names: list[str], catalogue: ActionCatalogue) -> tuple[tuple[Action, ...], Int64s]:
    known: dict[str, Action] = {}
    for name in sorted(set(names)):
        found = _action(catalogue, name)
        if found is not None:
            known[name] = found
    places = {name: place for place, name in enumerate(catalogue.names())}
    ordered = sorted(known, key=lambda name: (places.get(name, len(places)), name))
    position = {name: place for place, name in enumerate(ordered)}
    index = np.array([position.get(name, -1) for name in names], dtype=np.int64)
    return tuple(known[name] for name in ordered), index


def summary_of(log: ResponseLog) -> dict[str, Any]:
    """Row counts for the evaluation file."""
    return {
        "rows": len(log), "debtors": len(np.unique(log.debtor)), "actions": len(log.actions),
        "left_out": log.left_out, "share_days": log.share_days,
    }  # fmt: skip


def _action(catalogue: ActionCatalogue, name: str) -> Action | None:
    channel, offer, _ = name.split("/", 2)
    if channel == WAIT_CHANNEL:
        return catalogue.actions[catalogue.index[WAIT]]
    if name in catalogue.index:
        return catalogue.actions[catalogue.index[name]]
    same = [action for action in catalogue.actions if (action.channel, action.offer) == (channel, offer)]
    return replace(same[0], name=f"{channel}/{offer}/{ANY_MOMENT}", moment=ANY_MOMENT, hours=(0, 24)) if same else None


def _frame(encoded: Encoded, config: TrainingConfig, catalogue: ActionCatalogue, horizon: Horizon) -> _Frame:
    spine, log_rows = sampling.decided(encoded)
    actions, action = logged_actions(encoded, log_rows, catalogue) if len(spine) else ((), log_rows)
    mature = horizon.mature(spine.as_of_us, config.label.horizon_days)
    standing = standing_at(encoded, spine)
    rows = np.flatnonzero(mature & (action >= 0) & standing.owes)
    kept = rows[sampling.at_most(spine.take(rows), config.response.max_rows, seed=config.model.seed)]
    left_out = {
        "immature": int((~mature).sum()),
        "unknown_action": int((mature & (action < 0)).sum()),
        "owed_nothing": int((mature & (action >= 0) & ~standing.owes).sum()),
        "beyond_max_rows": len(rows) - len(kept),
    }
    return _Frame(spine.take(kept), log_rows[kept], amount_due_cents(standing)[kept], actions, action[kept], left_out)


def _responded(encoded: Encoded, money: labels.Receipts, frame: _Frame, config: TrainingConfig) -> Floats:
    """What counts as a response: any payment, a share of the amount due, or nothing overdue left at the end."""
    days = config.label.horizon_days
    if config.label.kind == "any":
        return labels.paid_within(money, frame.spine, horizon_days=days).astype(np.float64)
    if config.label.kind == "share":
        share = labels.share_recovered(money, frame.spine, frame.due_cents, horizon_days=days)
        return (share >= config.label.min_share_paid).astype(np.float64)
    end = Spine(frame.spine.account, frame.spine.as_of_us + days * US_PER_DAY)
    return (standing_at(encoded, end).overdue_cents <= 0).astype(np.float64)


def _shares(
    money: labels.Receipts, frame: _Frame, paid: Floats, *, horizon: Horizon, value_days: int, config: TrainingConfig
) -> tuple[Floats, Floats, int]:
    """Recovered shares of payers and of the others, over the longest horizon that enough payers have lived through."""
    days = _share_days(frame, paid, horizon=horizon, value_days=value_days, label_days=config.label.horizon_days)
    kept = np.array([1.0 - action.discount_pct / 100.0 for action in frame.actions])
    asked = np.rint(frame.due_cents * kept[frame.action]).astype(np.int64) if len(kept) else frame.due_cents
    share = labels.share_recovered(money, frame.spine, asked, horizon_days=days)
    late = labels.share_recovered(money, frame.spine, frame.due_cents, horizon_days=days)
    mature = horizon.mature(frame.spine.as_of_us, days)
    return np.where(mature & (paid > 0), share, np.nan), np.where(mature & (paid <= 0), late, np.nan), days


def _share_days(frame: _Frame, paid: Floats, *, horizon: Horizon, value_days: int, label_days: int) -> int:
    """The value horizon, or the longest below it that the log can show; at least the label's horizon.

    Notes
    -----
    A log is often shorter than the value horizon. Money over 180 days is nearer to what a plan of six instalments
    brings than its first instalment is.
    """
    payers = paid > 0
    needed = max(_MATURE_PAYERS, int(_MATURE_SHARE * payers.sum()))
    for days in (value_days, *(days for days in _SHARE_DAYS if label_days < days < value_days)):
        if int((payers & horizon.mature(frame.spine.as_of_us, days)).sum()) >= needed:
            return days
    return label_days
