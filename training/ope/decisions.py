"""The decisions of canonical data that can be evaluated: mature, on accounts that owed, of actions still configured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.actions import ANY_MOMENT, Action, ActionCatalogue
from domain.errors import DataError, NotEnoughDataError
from features.encoding import Encoded
from features.spine import Spine
from training import sampling
from training.dataset import Horizon
from training.ope.estimators import Floats, Int64s
from training.response_log import logged_actions
from training.standing import standing_at

Bools = npt.NDArray[np.bool_]

FIXED_ARMS = ("rules", "payment")
MAX_ROWS = 150_000
"""Rows × actions are kept in memory twice: about 250 MB at a hundred actions."""


@dataclass(frozen=True)
class Decisions:
    """Logged decisions, one row each.

    ``spine`` account and moment; ``rows`` (n,) in the decisions table; ``action`` (n,) position in ``actions``, the
    distinct logged ones. ``channel_prob`` (n,) is the probability of the logged channel, where the log tells it in
    every row. By logged action and action of the catalogue, (len(actions), A): ``same_channel``, and ``covers``, which
    ones it stands for: itself, or every moment where the log says ``any``. ``eligible`` (n, A) is what the log could
    choose, and ``eligible_known`` whether it says so itself; ``left_out`` counts what could not be used, by reason.
    """

    spine: Spine
    rows: Int64s
    actions: tuple[Action, ...]
    action: Int64s
    covers: Bools
    action_prob: Floats
    channel_prob: Floats | None
    same_channel: Bools
    eligible: Bools
    eligible_known: bool
    left_out: dict[str, int]

    def __len__(self) -> int:
        return len(self.rows)

    def of_logged(self, probabilities: Floats) -> Floats:
        """(n,) probability of each row's logged action under a policy (n, A)."""
        return np.asarray((probabilities * self.covers[self.action]).sum(axis=1), dtype=np.float64)

    def channel_weight(self, probabilities: Floats) -> Floats | None:
        """(n,) weight of each row's logged channel under a policy (n, A), where the log tells its probability."""
        if self.channel_prob is None:
            return None
        on_channel = (probabilities * self.same_channel[self.action]).sum(axis=1)
        return np.asarray(on_channel / self.channel_prob, dtype=np.float64)


def usable(
    encoded: Encoded,
    catalogue: ActionCatalogue,
    horizon: Horizon,
    *,
    days: int,
    from_us: int | None,
    seed: int,
    max_rows: int = MAX_ROWS,
) -> Decisions:
    """The decisions whose ``days`` are over, at or after ``from_us``; at most ``max_rows`` of them, drawn by hash.

    Raises
    ------
    NotEnoughDataError : there are none, and why
    DataError : ``action_prob`` is none that a choice can have had
    """
    spine, rows = sampling.decided(encoded)
    if not len(rows):
        raise NotEnoughDataError("found no decisions table, or an empty one; needed logged decisions with action_prob")
    actions, action = logged_actions(encoded, rows, catalogue)
    early = np.zeros(len(rows), dtype=np.bool_) if from_us is None else spine.as_of_us < from_us
    mature = horizon.mature(spine.as_of_us, days)
    owes = standing_at(encoded, spine).owes
    reasons = {
        "before_from": early, "immature": ~mature, "unknown_action": action < 0, "owed_nothing": ~owes,
        "holdout": _in_arms(encoded, rows, "holdout"), "fixed_arm": _in_arms(encoded, rows, *FIXED_ARMS),
    }  # fmt: skip
    good, left_out = np.ones(len(rows), dtype=np.bool_), {}
    for reason, out in reasons.items():
        left_out[reason] = int((good & out).sum())
        good &= ~out
    kept = np.flatnonzero(good)
    kept = kept[sampling.at_most(spine.take(kept), max_rows, seed=seed)]
    left_out["beyond_max_rows"] = int(good.sum()) - len(kept)
    if not len(kept):
        raise NotEnoughDataError(
            f"found no decision that can be valued over {days} days, of {len(rows)} left out {left_out}; "
            "give a longer history, or fewer --horizon-days"
        )
    eligible, known = eligible_of(encoded, rows[kept], catalogue, used=np.unique(action[kept]), actions=actions)
    return Decisions(
        spine.take(kept), rows[kept], actions, action[kept], _covers(actions, catalogue),
        _action_prob(encoded, rows[kept]), _channel_prob(encoded, rows[kept]), _same_channel(actions, catalogue),
        eligible, known, left_out,
    )  # fmt: skip


def _in_arms(encoded: Encoded, rows: Int64s, *arms: str) -> Bools:
    """Rows of debtors in whose arm nothing was left to chance: no policy decides on them, so none is valued on them."""
    found = encoded.tables.text("decisions", "arm").take(rows)
    return np.asarray(found.recode(dict.fromkeys(arms, 1)) == 1, dtype=np.bool_)


def _action_prob(encoded: Encoded, rows: Int64s) -> Floats:
    found = encoded.tables.floats("decisions", "action_prob")[rows]
    wrong = int((~((found > 0) & (found <= 1))).sum())
    if wrong:
        raise DataError(
            f"decisions: found {wrong} of {len(rows)} rows with action_prob outside (0, 1], needed the probability "
            "with which the action was chosen; without it no policy can be valued"
        )
    return found


def _channel_prob(encoded: Encoded, rows: Int64s) -> Floats | None:
    found = encoded.tables.floats("decisions", "channel_prob")[rows]
    return found if ((found > 0) & (found <= 1 + 1e-9)).all() else None


def _same_channel(actions: tuple[Action, ...], catalogue: ActionCatalogue) -> Bools:
    found = [[one.channel == action.channel for one in catalogue.actions] for action in actions]
    return np.array(found, dtype=np.bool_).reshape(len(actions), len(catalogue.actions))


def _covers(actions: tuple[Action, ...], catalogue: ActionCatalogue) -> Bools:
    found = np.zeros((len(actions), len(catalogue.actions)), dtype=np.bool_)
    for place, action in enumerate(actions):
        found[place] = mask_of(action.name, catalogue)
    return found


def mask_of(name: str, catalogue: ActionCatalogue) -> Bools:
    """(A,) the actions that a logged name stands for; none where it is no longer configured."""
    if name in catalogue.index:
        return np.asarray(np.arange(len(catalogue.actions)) == catalogue.index[name], dtype=np.bool_)
    channel, offer, moment = (*name.split("/"), "", "")[:3]
    return np.array(
        [moment == ANY_MOMENT and (one.channel, one.offer) == (channel, offer) for one in catalogue.actions],
        dtype=np.bool_,
    )


def eligible_of(
    encoded: Encoded, rows: Int64s, catalogue: ActionCatalogue, *, used: Int64s, actions: tuple[Action, ...]
) -> tuple[Bools, bool]:
    """What each row could have chosen; where the log does not say, everything that it ever chose."""
    lists = encoded.tables.text("decisions", "eligible").take(rows)
    if (lists.codes < 0).any():
        ever = np.any([mask_of(actions[place].name, catalogue) for place in used], axis=0)
        return np.broadcast_to(ever, (len(rows), len(ever))), False
    names = [text.split("|") for text in lists.values]
    masks = {name: mask_of(name, catalogue) for name in {name for some in names for name in some}}
    distinct, inverse = np.unique(lists.codes, return_inverse=True)
    table: Bools = np.array([np.any([masks[name] for name in names[code]], axis=0) for code in distinct])
    return np.asarray(table[inverse], dtype=np.bool_), True
