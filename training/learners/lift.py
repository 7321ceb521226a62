"""What an agreement adds to what comes back by itself: learned as a difference, not as two quantities.

Two boosters, one of deals and one of quiet months, err apart, and where both are near the whole balance their
difference is noise of either sign: in early arrears every third account then waits for no reason. A booster that starts
from what comes back by itself has only the difference to learn.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from decisioning.calibration import Calibrator
from decisioning.funnel import SURE
from decisioning.response import Head
from training.boosting import Columns, Recipe, fit_rounds, fit_stopped, margins
from training.contact_log import Moments
from training.learners.heads import MIN_SHARES, Table
from training.learners.offsets import offset_of
from training.splits import debtor_folds

Floats = npt.NDArray[np.float64]


def apart(quiet: Table, share: Floats, asked: Moments, *, recipe: Recipe, rounds: int) -> Floats:
    """(m,) log-odds of what comes back by itself, at moments, by a booster that saw none of their debtors.

    ``quiet`` and ``share`` (n,) are what the shipped booster of ``rounds`` trees learns from. A debtor's quiet months
    hold the very money that a deal of his brought in: who had seen them would find that deals add nothing.
    """
    columns = Columns(quiet.columns.names, quiet.columns.categorical)
    own, theirs = (debtor_folds(debtor, folds=2, seed=recipe.model.seed) for debtor in (quiet.debtor, asked.debtor))
    found = np.zeros(len(asked))
    for half in (0, 1):
        if not (theirs == half).any() or not (own != half).any():
            continue
        data = quiet.rows[own != half], share[own != half]
        booster = fit_rounds(recipe, columns, data=data, rounds=rounds)
        found[theirs == half] = margins(booster, asked.values[theirs == half], threads=recipe.model.threads)
    return np.clip(found, logit(SURE), logit(1.0 - SURE))


def fit_lift(table: Table, share: Floats, recipe: Recipe, *, alone: Floats) -> tuple[Head, dict[str, Any]]:
    """A head that adds to the log-odds ``alone`` (n,): where it says ½, nothing is added; with few rows one constant.

    Its probability p stands for the log-odds log p/(1 − p) that an agreement adds to those of what comes by itself.
    """
    learn, check = np.flatnonzero(table.fold > 0), np.flatnonzero(table.fold == 0)
    if min(len(learn), len(check)) < MIN_SHARES or np.ptp(share) == 0.0:
        added = offset_of(alone, share)
        return Head(constant=float(expit(added))), {"kind": "constant", "rows": len(share), "added": added}
    train, valid = ((table.rows[rows], share[rows], alone[rows]) for rows in (learn, check))
    evaluated = fit_stopped(recipe, table.columns, train=train, valid=valid)
    told = expit(alone[check] + margins(evaluated, valid[0], threads=recipe.model.threads))
    data = table.rows, share, alone
    shipped = fit_rounds(recipe, table.columns, data=data, rounds=evaluated.current_iteration())
    summary = {
        "kind": "booster",
        "rows": len(share),
        "mean": float(share.mean()),
        "mean_absolute_error": float(np.abs(told - share[check]).mean()),
        "mean_absolute_error_of_alone": float(np.abs(expit(alone[check]) - share[check]).mean()),
    }
    return Head(booster=shipped, calibrator=Calibrator.platt(1.0, 0.0)), summary
