"""Where early stopping would have stopped a booster that was grown to its end."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from training.windows import Int64s

Floats = npt.NDArray[np.float64]
_PAGE = 20_000


def best_round(booster: lgb.Booster, values: Floats, paid: Floats, *, rows: Int64s, patience: int) -> int:
    """Number of trees at which the log-loss of ``rows`` was least before it was not bettered ``patience`` times.

    Parameters
    ----------
    values, paid : (n, k) features and (n,) labels of all rows

    Notes
    -----
    The rule of ``lightgbm.early_stopping``. Leaves are found once for all trees, and margins summed tree by tree.
    """
    leaves = _leaf_values(booster)
    trees = np.arange(len(leaves))
    losses = np.zeros(len(leaves))
    for start in range(0, len(rows), _PAGE):
        page = rows[start : start + _PAGE]
        leaf = np.asarray(booster.predict(values[page], pred_leaf=True), dtype=np.int64).reshape(len(page), -1)
        margin = np.cumsum(leaves[trees, leaf], axis=1)
        losses += np.logaddexp(0.0, np.where(paid[page][:, None] > 0.5, -margin, margin)).sum(axis=0)
    best = 0
    for number, loss in enumerate(losses):
        if loss < losses[best]:
            best = number
        elif number - best >= patience:
            break
    return best + 1


def _leaf_values(booster: lgb.Booster) -> Floats:
    """(trees, leaves) outputs, 0 beyond the leaves that a tree has."""
    found = [
        [booster.get_leaf_output(tree, leaf) for leaf in range(_leaves(one))]
        for tree, one in enumerate(booster.dump_model()["tree_info"])
    ]
    table = np.zeros((len(found), max(map(len, found))))
    for tree, outputs in enumerate(found):
        table[tree, : len(outputs)] = outputs
    return table


def _leaves(tree: dict[str, int]) -> int:
    return max(1, tree["num_leaves"])
