"""One learned quantity of a response model at a time: a probability, a share of money, a rare outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from decisioning.calibration import Calibrator
from decisioning.response import Head
from training.boosting import Columns, Recipe, fit_rounds, fit_stopped, margins, take
from training.calibration import fit_calibrator, fit_platt
from training.metrics import METRICS
from training.splits import Split
from training.windows import Int64s

Floats = npt.NDArray[np.float64]

FOLDS = 5
_MIN_POSITIVES = 100
"""Rare outcomes with fewer cases become smoothed rates."""
_FEW = 20
"""With fewer cases than this not even the channels are told apart."""
MIN_SHARES = 200
"""Fewer rows than this to learn a share from, or to stop at, give one constant."""
_PRIOR_ROWS = 500.0
_TELLS_CHANNEL = ("action_channel_", "action_contact")


@dataclass(frozen=True)
class Table:
    """Rows of a model: account features, then action features.

    ``rows`` (n, k + a) under ``columns``; ``channel`` are the columns that tell the channel; ``fold`` and ``debtor``
    (n,); ``split`` by time.
    """

    rows: Floats
    columns: Columns
    channel: tuple[int, ...]
    fold: Int64s
    debtor: npt.NDArray[np.int32]
    split: Split


def channel_columns(names: tuple[str, ...], width: int) -> tuple[int, ...]:
    """Which columns tell the channel, where the action features ``names`` stand after ``width`` of the account's."""
    return tuple(width + place for place, name in enumerate(names) if name.startswith(_TELLS_CHANNEL))


def fit_binary(table: Table, label: Floats, recipe: Recipe) -> tuple[Head, dict[str, Any]]:
    """A calibrated booster of a label in {0, 1}, and what it reached on later rows; refitted on all of them."""
    split, threads = table.split, recipe.model.threads
    train, valid = (table.rows[split.train], label[split.train]), (table.rows[split.valid], label[split.valid])
    evaluated = fit_stopped(recipe, table.columns, train=train, valid=valid)
    later = np.concatenate([split.valid, split.test])
    margin = margins(evaluated, table.rows[later], threads=threads)
    first = len(split.valid)
    judge = fit_calibrator(margin[:first], valid[1], table.debtor[split.valid])
    measured = _measured(label[split.test], judge.apply(margin[first:]))
    shipped = fit_rounds(recipe, table.columns, data=(table.rows, label), rounds=evaluated.current_iteration())
    calibrator = fit_calibrator(margin, label[later], table.debtor[later])
    return Head(booster=shipped, calibrator=calibrator), {"kind": "booster", **_counts(label), **measured}


def fit_share(table: Table, share: Floats, recipe: Recipe, *, unknown: float) -> tuple[Head, dict[str, Any]]:
    """Share of money recovered, learned where it is not ``NaN``; the mean where few rows are, ``unknown`` where none.

    Notes
    -----
    Split by debtor, not by time: with a gap as long as the share's own horizon, a log of a year has no rows left.
    """
    known = np.isfinite(share)
    learn, check = (np.flatnonzero(known & (table.fold > 0)), np.flatnonzero(known & (table.fold == 0)))
    if min(len(learn), len(check)) < MIN_SHARES or np.ptp(share[known]) == 0.0:
        mean = float(share[known].mean()) if known.any() else unknown
        return Head(constant=mean), {"kind": "constant", "rows": int(known.sum()), "mean": mean}
    train, valid = take(table.rows, share, learn), take(table.rows, share, check)
    evaluated = fit_stopped(recipe, table.columns, train=train, valid=valid)
    margin = margins(evaluated, valid[0], threads=recipe.model.threads)
    calibrator = fit_platt(margin, valid[1])
    data = take(table.rows, share, np.flatnonzero(known))
    shipped = fit_rounds(recipe, table.columns, data=data, rounds=evaluated.current_iteration())
    error = np.abs(calibrator.apply(margin) - valid[1]).mean()
    summary = {
        "kind": "booster",
        "rows": len(data[1]),
        "mean": float(data[1].mean()),
        "mean_absolute_error": float(error),
        "mean_absolute_error_of_the_mean": float(np.abs(train[1].mean() - valid[1]).mean()),
    }
    return Head(booster=shipped, calibrator=calibrator), summary


def fit_rare(
    table: Table, label: Floats, recipe: Recipe, *, wider: tuple[csr_matrix, Floats] | None = None
) -> tuple[Head, dict[str, Any]]:
    """A small booster, or rates by channel where there are too few cases; a constant where there are none.

    ``wider`` has more rows than the table, of which the channel alone is known, in the same columns, and their labels;
    what is not a booster of the table's rows is learned from them.
    """
    positives = int(label[table.split.train].sum()), int(label[table.split.valid].sum())
    if min(positives) >= _MIN_POSITIVES:
        head, summary = fit_binary(table, label, recipe)
        return head, {**summary, "kind": "small booster"}
    rows, found = (_channels_alone(table), label) if wider is None else wider
    rate = float((found.sum() + 0.5) / (len(found) + 1.0))
    if found.sum() < _FEW:
        return Head(constant=rate), {"kind": "constant", **_counts(found)}
    # In a leaf, LightGBM's l2 acts like so many rows at the overall rate, each of which weighs its variance.
    prior = _PRIOR_ROWS * rate * (1.0 - rate)
    plain = recipe.model.model_copy(update={"min_rows_per_leaf": 200, "l2": prior, "feature_share": 1.0})
    smoothing = Recipe("binary", plain)
    booster = fit_rounds(smoothing, Columns(table.columns.names, ()), data=(rows, found), rounds=60)
    head = Head(booster=booster, calibrator=Calibrator.platt(1.0, 0.0))
    return head, {"kind": "rates by channel", **_counts(found)}


def _channels_alone(table: Table) -> csr_matrix:
    """The table with all columns but the channel's blank, so that nothing else can split."""
    rows = np.zeros_like(table.rows)
    rows[:, table.channel] = table.rows[:, table.channel]
    return csr_matrix(rows)


def _counts(label: Floats) -> dict[str, Any]:
    return {"rows": len(label), "rate": float(label.mean())}


def _measured(label: Floats, p: Floats) -> dict[str, float]:
    weight = np.ones(len(label))
    return {f"test_{name}": float(METRICS[name](label, p, weight)) for name in ("auc", "brier", "ece", "log_loss")}
