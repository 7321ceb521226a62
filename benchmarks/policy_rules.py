"""Policies without a learner: one action for everybody, or one per cell of days past due and balance.

Each is chosen with hindsight, on the truth of other worlds, or from a log, by self-normalised inverse propensities. An
action that is not allowed for an account gives way to waiting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from policy_world import Judged

from domain.actions import Action, ActionCatalogue
from features.encoding import Encoded
from training.ope.decisions import eligible_of
from training.response_log import ResponseLog

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_DAYS = (1, 16, 31, 61, 91, 181)
_BALANCES = (30_000, 100_000)
CELLS = (len(_DAYS) + 1) * (len(_BALANCES) + 1)


def cells(days: Floats, balance_cents: Int64s) -> Int64s:
    """(n,) the cell of days past due × balance, in cents."""
    band = np.digitize(np.nan_to_num(days), _DAYS)
    return np.asarray((len(_BALANCES) + 1) * band + np.digitize(balance_cents, _BALANCES), dtype=np.int64)


def best_on_truth(worlds: list[Judged], *, by_cell: bool) -> Int64s:
    """(cells,) the action of the largest true mean in each cell; the same everywhere unless ``by_cell``."""
    net = np.concatenate([np.where(one.allowed, one.net, one.net[:, [0]]) for one in worlds])
    cell = np.concatenate([cells(one.days, one.balance_cents) for one in worlds])
    best = np.full(CELLS, int(net.mean(axis=0).argmax()))
    for number in np.unique(cell) if by_cell else ():
        best[number] = int(net[cell == number].mean(axis=0).argmax())
    return best


@dataclass(frozen=True)
class Logged:
    """What a log tells of n decisions: ``action`` (n,) in the catalogue or -1, ``chance`` (n,), ``allowed`` (n, A)."""

    action: Int64s
    chance: Floats
    allowed: Bools


def logged(encoded: Encoded, log: ResponseLog, catalogue: ActionCatalogue) -> Logged:
    """Read it; an action of the whole day counts as the first moment of the same channel and offer."""
    allowed, _ = eligible_of(encoded, log.row, catalogue, used=np.unique(log.action), actions=log.actions)
    chance = encoded.tables.floats("decisions", "action_prob")[log.row]
    first = {(one.channel, one.offer): place for place, one in reversed(list(enumerate(catalogue.actions)))}
    places = [catalogue.index.get(one.name, first.get((one.channel, one.offer), -1)) for one in log.actions]
    return Logged(np.array(places)[log.action], chance, allowed)


def from_log(shown: Logged, *, reward: Floats, cell: Int64s | None) -> Int64s:
    """(cells,) the action of the largest mean logged reward in each cell; the same everywhere without ``cell`` (n,)."""
    known = np.isfinite(reward) & (shown.action >= 0) & (shown.chance > 0)
    best = np.full(CELLS, _best(shown, reward, known))
    if cell is not None:
        for number in np.unique(cell[known]):
            best[number] = _best(shown, reward, known & (cell == number))
    return best


def _best(shown: Logged, reward: Floats, inside: Bools) -> int:
    action, allowed = shown.action[inside], shown.allowed[inside]
    worth = np.full(allowed.shape[1], -np.inf)
    for one in np.unique(action):
        weight = (action == np.where(allowed[:, one], one, 0)) / shown.chance[inside]
        if weight.sum() > 0:
            worth[one] = (weight * reward[inside]).sum() / weight.sum()
    return int(worth.argmax())


def applied(best: Int64s, judge: Judged) -> Int64s:
    """(n,) the action of each account's cell, waiting where it is not allowed."""
    wanted = best[cells(judge.days, judge.balance_cents)]
    return np.where(judge.allowed[np.arange(len(judge)), wanted], wanted, 0)


def known_costs(log: ResponseLog, actions: tuple[Action, ...], *, complaint: float, opt_out: float) -> Floats:
    """(A,) what an action of the catalogue costs in currency, with the complaints and opt-outs of its channel."""
    channel = np.array([action.channel for action in log.actions])[log.action]
    harm = complaint * log.complained + opt_out * log.opted_out
    mean = {name: float(harm[channel == name].mean()) for name in np.unique(channel).tolist()}
    return np.array([one.unit_cost + one.offer_cost + mean.get(one.channel, 0.0) for one in actions])
