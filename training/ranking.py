"""How well scores rank payers, compiled: one pass over the rows of each replication of a bootstrap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from domain.compiled import compiled

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]


class Ranked(NamedTuple):
    """Of each of B rows of weights: twice the area under the ROC curve, before it is divided by the weights of payers
    and of others, those two, and the largest distance of the two distributions, ``NaN`` where one of them is empty.

    All (B,). With whole weights every sum is a whole number, and so the same in any order.
    """

    twice_area: Floats
    payers: Floats
    others: Floats
    distance: Floats


def ranked(target: Floats, score: Floats, weight: Floats) -> Ranked:
    """What AUC and Kolmogorov–Smirnov are made of; ties count half.

    Parameters
    ----------
    target, score : (n,) outcomes between 0 and 1, and what ranks them
    weight : (B, n)
    """
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    # A row is the last of its score where the next has another one.
    last = np.append(ordered[1:] != ordered[:-1], [True] * min(len(ordered), 1))
    paid = np.ascontiguousarray(target[order], dtype=np.float64)
    found = Ranked(*(np.zeros(len(weight)) for _ in Ranked._fields))
    _rank(order, last, paid, np.ascontiguousarray(weight, dtype=np.float64), found)
    return found


@compiled
def _rank(order: Int64s, last: npt.NDArray[np.bool_], paid: Floats, weight: Floats, found: Ranked) -> None:
    for draw in range(len(weight)):
        own = weight[draw]
        payers, others = 0.0, 0.0
        for row in range(len(order)):
            mass = own[order[row]]
            payers += mass * paid[row]
            others += mass * (1.0 - paid[row])
        area, distance = 0.0, 0.0
        below_payers, below_others, at_payers, at_others = 0.0, 0.0, 0.0, 0.0
        for row in range(len(order)):
            mass = own[order[row]]
            at_payers += mass * paid[row]
            at_others += mass * (1.0 - paid[row])
            if last[row]:
                area += at_payers * (2.0 * below_others + at_others)
                below_payers += at_payers
                below_others += at_others
                at_payers, at_others = 0.0, 0.0
                if payers > 0.0 and others > 0.0:
                    distance = max(distance, abs(below_payers / payers - below_others / others))
        found.twice_area[draw], found.payers[draw], found.others[draw] = area, payers, others
        found.distance[draw] = distance if payers > 0.0 and others > 0.0 else np.nan
