"""What a span of time in which a rule forbids something leaves of today."""

from __future__ import annotations

import numpy as np

from decisioning.restrictions.page import Bools, Int64s
from domain.clock import FOREVER, MISSING
from domain.compiled import compiled


@compiled
def forbidden_today(
    blocked: tuple[Int64s, Int64s], actions: Bools, as_of_us: Int64s, left: tuple[Int64s, Int64s]
) -> tuple[Bools, Int64s]:
    """What is forbidden now, or for all that is left of today; what is forbidden later shortens what is left.

    Parameters
    ----------
    blocked : from when, and until when, (n, 1) or (n, A) each, as ``Blocked`` has them
    actions : (A,) those that it is about
    as_of_us : (n, 1)
    left : from when, and until when (n, A) each action could be carried out today, half-open; narrowed here

    Returns
    -------
    (n, A) each: what is refused, and until when, ``MISSING`` where time alone does not end it
    """
    (from_us, until_us), (start_us, end_us) = blocked, left
    refused, lifts_us = np.zeros(start_us.shape, dtype=np.bool_), np.empty(start_us.shape, dtype=np.int64)
    many_from, many_until = from_us.shape[1] > 1, until_us.shape[1] > 1
    for row in range(start_us.shape[0]):
        for action in range(start_us.shape[1]):
            first = from_us[row, action if many_from else 0]
            end = until_us[row, action if many_until else 0]
            lifts_us[row, action] = MISSING if end == FOREVER else end
            if not actions[action]:
                continue
            if first <= as_of_us[row, 0] < end:
                refused[row, action] = True
            elif end > start_us[row, action] and first < end_us[row, action]:
                if first <= start_us[row, action]:
                    refused[row, action] = end >= end_us[row, action]
                    start_us[row, action] = end
                else:
                    end_us[row, action] = first
    return refused, lifts_us
