"""Money that a history is too young to show: the survival curve of payments, month by month.

Nobody can wait a year to learn what an agreement of today brings. So each row's money is followed for as many months as
the data allow, and what is still to come is filled in from older rows: by month, by group (the length of the plan) and
by whether the last month brought anything, as an instalment paid says that the next one is likely, and one missed that
it is not. A Markov chain of two states, solved from its last month backwards.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.windows import Int64s

Floats = npt.NDArray[np.float64]
_ENOUGH = 30
"""Rows of a group, month and state below which all groups together are asked."""


def completed(monthly: Floats, observed: Int64s, group: Int64s) -> Floats:
    """The whole of what each row brings, seen or still to come.

    Parameters
    ----------
    monthly : (n, M) what came in each month, of whatever is being followed
    observed : (n,) for how many months each row could be followed, 1 … M; what stands beyond is not read
    group : (n,) rows of one group share a curve where there are enough of them

    Returns
    -------
    (n,) the sum of the months observed and the expectation of the others; where a month was never observed on any row,
    nothing is added for it

    Examples
    --------
    Of three plans that paid their first month, the two older ones went on to pay 1 and 0 in the second:

    >>> completed(np.array([[1.0, 1.0], [1.0, 0.0], [1.0, np.nan]]), np.array([2, 2, 1]), np.zeros(3, dtype=np.int64))
    array([2. , 1. , 1.5])
    """
    months = monthly.shape[1]
    seen = np.arange(months)[None, :] < observed[:, None]
    paid = seen & (np.nan_to_num(monthly) > 0.0)
    sums = np.where(seen, np.nan_to_num(monthly), 0.0).sum(axis=1)
    codes, places = np.unique(group, return_inverse=True)
    ahead = np.zeros((len(codes), months + 1, 2))
    for month in range(months - 1, 0, -1):
        for place in range(len(codes)):
            for state in (0, 1):
                before = seen[:, month] & (paid[:, month - 1] == bool(state))
                rows = before & (places == place)
                rows = rows if rows.sum() >= _ENOUGH else before
                if rows.any():
                    goes_on = paid[rows, month].mean()
                    later = goes_on * ahead[place, month + 1, 1] + (1.0 - goes_on) * ahead[place, month + 1, 0]
                    ahead[place, month, state] = monthly[rows, month].mean() + later
    last = paid[np.arange(len(observed)), np.maximum(observed - 1, 0)].astype(np.int64)
    return np.asarray(sums + ahead[places, observed, last], dtype=np.float64)
