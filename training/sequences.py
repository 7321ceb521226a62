"""Which decision came next: the sequences of a log, in which what is done today meets what is done later.

A step goes from a moment to the account's next logged decision, and is ``STEP_DAYS`` long at most: who is not decided
on until then (all is paid, a promise runs, the log looks at old debts every two months) has no next decision. Whether a
moment is learned from depends on when it was, never on what came next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from decisioning.config import Objective
from decisioning.valuation import amount_due_cents
from domain.actions import Action, ActionCatalogue
from domain.clock import FOREVER, US_PER_DAY
from features.batch import compute_many
from features.encoding import Encoded
from features.schema import FeatureSchema
from features.spine import Spine
from training import labels, sampling
from training.dataset import Horizon
from training.ope.decisions import eligible_of
from training.receipts import Receipts
from training.response_log import logged_actions
from training.standing import standing_at
from training.windows import Bools, EventIndex, Int64s, index_events

Floats = npt.NDArray[np.float64]

STEP_DAYS = 60
_MOST_SOURCES = 30_000
_DAYS_PER_MONTH = 30.4375
_NONE = -1


@dataclass(frozen=True)
class Turns:
    """Logged decisions that follow on something that is learned from, as they were known when they were taken.

    ``values`` (t, k); ``action`` (t,) the logged one of ``actions``; ``allowed`` (t, A), what could have been chosen of
    the ``choices``, waiting first; ``balance_cents`` and ``due_cents`` (t,).
    """

    values: Floats
    actions: tuple[Action, ...]
    action: Int64s
    choices: tuple[Action, ...]
    allowed: Bools
    balance_cents: Int64s
    due_cents: Int64s

    def __len__(self) -> int:
        return len(self.action)

    def take(self, rows: slice) -> Turns:
        """Some of its rows."""
        arrays = ("values", "action", "allowed", "balance_cents", "due_cents")
        return replace(self, **{name: getattr(self, name)[rows] for name in arrays})


@dataclass(frozen=True)
class Steps:
    """From moments (n,) to the account's next decision: its ``turn``, -1 where none follows.

    ``weight``, what a share of the balance at that decision counts for at the moment: what is then still owed of the
    debts known at the moment, over the balance of the moment, as present value. ``usable`` where the whole of a longest
    step was logged; ``agreed`` where a deal was made before the next decision; ``own``, the turn that was taken at the
    very moment, -1 for none.
    """

    turn: Int64s
    weight: Floats
    usable: Bools
    agreed: Bools
    own: Int64s


@dataclass(frozen=True)
class Sequences:
    """What follows on quiet moments and on deals; ``objective`` says what later contacts cost in money."""

    turns: Turns
    quiet: Steps
    deals: Steps
    objective: Objective


@dataclass(frozen=True)
class Following:
    """What sequences are made from: the ledgers, what is configured, and until when the data tell."""

    encoded: Encoded
    schema: FeatureSchema
    catalogue: ActionCatalogue
    horizon: Horizon
    objective: Objective
    seed: int


def sequences(made: Following, receipts: Receipts, *, quiet: Spine, deals: Spine) -> Sequences:
    """The sequences after quiet moments and after deals."""
    logged, rows = sampling.decided(made.encoded)
    _, action = logged_actions(made.encoded, rows, made.catalogue) if len(rows) else ((), rows)
    index = index_events(logged.account, logged.as_of_us)
    fruitful = np.flatnonzero(receipts.agreed)
    fruits = Spine(receipts.account[fruitful], receipts.at_us[fruitful])
    steps = [_steps(made, spine, (logged, index), fruits) for spine in (quiet, deals)]
    known = [_known(step, action) for step in steps]
    used = np.unique(np.concatenate([places[places >= 0] for step in known for places in (step.turn, step.own)]))
    turns = _turns(made, logged.take(used), rows[used])
    quiet_steps, deal_steps = (_renumbered(step, used, len(rows)) for step in known)
    return Sequences(turns, quiet_steps, deal_steps, made.objective)


def _steps(made: Following, spine: Spine, logged: tuple[Spine, EventIndex], fruits: Spine) -> Steps:
    """Steps whose turns are places in the log."""
    decided, index = logged
    begins = int(decided.as_of_us.min(initial=FOREVER))
    usable = made.horizon.mature(spine.as_of_us, STEP_DAYS) & (spine.as_of_us >= begins)
    usable &= np.isin(np.arange(len(spine)), _drawn(spine, usable, seed=made.seed))
    turn = _first(index, Spine(spine.account, spine.as_of_us + 1))
    fruit = _first(index_events(fruits.account, fruits.as_of_us), spine)
    ends = _at(decided, turn)
    agreed = (fruit >= 0) & (_at(fruits, fruit) < np.minimum(ends, spine.as_of_us + STEP_DAYS * US_PER_DAY))
    own = _first(index, spine)
    own[_at(decided, own) != spine.as_of_us] = _NONE
    turn[~usable] = _NONE
    return Steps(turn, _weights(made, spine, turn, ends), usable, agreed, own)


def _drawn(spine: Spine, usable: Bools, *, seed: int) -> Int64s:
    rows = np.flatnonzero(usable)
    return rows[sampling.at_most(spine.take(rows), _MOST_SOURCES, seed=seed)]


def _first(index: EventIndex, spine: Spine) -> Int64s:
    """Place of the first event of each row's account within ``STEP_DAYS``, -1 where there is none."""
    low, high = index.bounds(spine, horizon_days=STEP_DAYS)
    found = np.full(len(spine), _NONE, dtype=np.int64)
    found[high > low] = index.order[low[high > low]]
    return found


def _at(spine: Spine, place: Int64s) -> Int64s:
    """(n,) moments of some rows, ``FOREVER`` for none."""
    found = np.full(len(place), FOREVER, dtype=np.int64)
    found[place >= 0] = spine.as_of_us[place[place >= 0]]
    return found


def _weights(made: Following, spine: Spine, turn: Int64s, ends: Int64s) -> Floats:
    found, some = np.zeros(len(spine)), np.flatnonzero(turn >= 0)
    now = spine.take(some)
    balance = np.maximum(standing_at(made.encoded, now).balance_cents, 1)
    left = labels.still_owed_cents(made.encoded, Spine(now.account, ends[some]), now.as_of_us)
    months = (ends[some] - now.as_of_us) / (US_PER_DAY * _DAYS_PER_MONTH)
    # More than the balance is owed where interest was added; a balance net of credit may be next to nothing.
    share = np.minimum(left / balance, 1.0)
    found[some] = share * (1.0 + made.objective.monthly_discount_rate) ** -months
    return found


def _known(steps: Steps, action: Int64s) -> Steps:
    """Without those whose next decision was an action that is no longer configured."""
    configured = np.append(action >= 0, True)  # the last place is that of no decision
    usable = steps.usable & configured[steps.turn]
    turn, own = (np.where(configured[place], place, _NONE) for place in (steps.turn, steps.own))
    return replace(steps, turn=turn, own=own, usable=usable)


def _renumbered(steps: Steps, used: Int64s, rows: int) -> Steps:
    place = np.full(rows + 1, _NONE, dtype=np.int64)
    place[used] = np.arange(len(used))
    return replace(steps, turn=place[steps.turn], own=place[steps.own])


def _turns(made: Following, spine: Spine, rows: Int64s) -> Turns:
    encoded, catalogue = made.encoded, made.catalogue
    actions, action = logged_actions(encoded, rows, catalogue)
    ungated = np.array([not one.gated for one in catalogue.actions])
    allowed = np.zeros((len(rows), int(ungated.sum())), dtype=np.bool_)
    if len(rows):
        open_to, _ = eligible_of(encoded, rows, catalogue, used=np.unique(action), actions=actions)
        allowed = open_to[:, ungated].copy()
    allowed[:, 0] = True
    standing = standing_at(encoded, spine)
    return Turns(
        values=compute_many(encoded, spine, made.schema),
        actions=actions,
        action=action,
        choices=tuple(one for one in catalogue.actions if not one.gated),
        allowed=allowed,
        balance_cents=standing.balance_cents,
        due_cents=amount_due_cents(standing),
    )
