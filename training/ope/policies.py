"""The policies that canonical decisions are evaluated on: the model's own, and the ones it must beat."""

from __future__ import annotations

import numpy as np

from training.ope.decisions import Decisions
from training.ope.estimators import Floats, Int64s, Target
from training.ope.grid_outcome import GridOutcome

WAIT_PLACE = 0
USUAL = 0.5
"""A choice with more than half of the probability is what the logging policy does here when it does not explore."""
LADDER_DAYS = (1, 16, 31, 61, 91, 181)
"""First days past due of the tuned ladder's steps; before the first nothing is overdue."""


def spread(decisions: Decisions, outcome: GridOutcome, probabilities: Floats) -> Target:
    """A policy that is known as a whole, (n, A)."""
    outside = float((probabilities * ~decisions.eligible).sum(axis=1).mean())
    return Target(
        decisions.of_logged(probabilities), outcome.q_logged, outcome.under(probabilities),
        channel_weight=decisions.channel_weight(probabilities),
        unsupported=outside if decisions.eligible_known else None,
    )  # fmt: skip


def fixed(decisions: Decisions, outcome: GridOutcome, chosen: Int64s) -> Target:
    """A policy that takes one action per row, (n,) positions in the catalogue."""
    rows = np.arange(len(decisions))
    outside = float((~decisions.eligible[rows, chosen]).mean())
    return Target(
        decisions.covers[decisions.action, chosen].astype(np.float64), outcome.q_logged, outcome.q[rows, chosen],
        channel_weight=_channel_weight(decisions, chosen),
        unsupported=outside if decisions.eligible_known else None,
    )  # fmt: skip


def _channel_weight(decisions: Decisions, chosen: Int64s) -> Floats | None:
    if decisions.channel_prob is None:
        return None
    same = decisions.same_channel[decisions.action, chosen]
    return np.asarray(same / decisions.channel_prob, dtype=np.float64)


def baselines(decisions: Decisions, outcome: GridOutcome, fold: Int64s, *, cell: Int64s) -> dict[str, Target]:
    """``ladder`` (the log without its exploration), ``tuned_ladder``, ``constant``, ``random`` and ``wait``.

    Parameters
    ----------
    cell : (n,) the cell of the tuned ladder that each row lies in
    """
    eligible = decisions.eligible
    waiting = np.full(len(decisions), WAIT_PLACE, dtype=np.int64)
    return {
        "ladder": usual(decisions, outcome),
        "tuned_ladder": fixed(decisions, outcome, best_by_cell(decisions, outcome, fold, cell=cell)),
        "constant": fixed(decisions, outcome, best_constant(decisions, outcome, fold)),
        "random": spread(decisions, outcome, eligible / np.maximum(eligible.sum(axis=1, keepdims=True), 1)),
        "wait": fixed(decisions, outcome, waiting),
    }


def usual(decisions: Decisions, outcome: GridOutcome) -> Target:
    """What the logging policy does when it does not explore.

    Notes
    -----
    Where the logged action has more than half of the probability it is the usual one; elsewhere the usual one is
    another, which the log does not name. So q must not look at the action: it is the mean over what was eligible.
    """
    among = np.where(decisions.eligible, outcome.q, 0.0).sum(axis=1) / np.maximum(decisions.eligible.sum(axis=1), 1)
    return Target((decisions.action_prob > USUAL).astype(np.float64), among, among)


def best_constant(decisions: Decisions, outcome: GridOutcome, fold: Int64s) -> Int64s:
    """(n,) the one action that is best everywhere: :func:`best_by_cell` with a single cell."""
    return best_by_cell(decisions, outcome, fold, cell=np.zeros(len(decisions), dtype=np.int64))


def best_by_cell(decisions: Decisions, outcome: GridOutcome, fold: Int64s, *, cell: Int64s) -> Int64s:
    """(n,) per cell the action that the outcome model of the other folds likes best, ``wait`` where it is not eligible.

    Notes
    -----
    q of a row comes from models that have not seen its fold, so that the rewards an action is judged on had no part in
    choosing it. Chosen by q and not by weighting: the best of a hundred weighted means would be the luckiest.
    """
    chosen = np.zeros(len(decisions), dtype=np.int64)
    waiting = outcome.q[:, [WAIT_PLACE]]
    _, group = np.unique(np.column_stack([fold, cell]), axis=0, return_inverse=True)
    for part in range(int(group.max(initial=-1)) + 1):
        inside = group == part
        worth = np.where(decisions.eligible[inside], outcome.q[inside], waiting[inside]).mean(axis=0)
        best = int(np.argmax(worth))
        chosen[inside] = np.where(decisions.eligible[inside, best], best, WAIT_PLACE)
    return chosen


def ladder_cells(days_past_due: Floats, amount_cents: Int64s) -> Int64s:
    """(n,) the cell of days past due × amount: the bands of a dunning ladder, and thirds of the rows by amount.

    >>> ladder_cells(np.array([np.nan, 3.0, 400.0]), np.array([100, 200, 300])).tolist()
    [0, 4, 20]
    """
    band = np.digitize(np.nan_to_num(days_past_due, nan=0.0), LADDER_DAYS)
    size = np.searchsorted(np.quantile(amount_cents, (1 / 3, 2 / 3)), amount_cents, side="left")
    return np.asarray(3 * band + size, dtype=np.int64)
