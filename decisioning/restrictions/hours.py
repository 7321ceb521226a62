"""Hours of the local day in which contact may be made: call windows by weekday, state and holiday."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy.kinds import CallWindow
from decisioning.restrictions.page import Origin, Page
from decisioning.restrictions.timetable import Windows, hour_us, local_day, span, timetable
from domain.clock import FOREVER, MISSING
from domain.compiled import compiled
from domain.zones import zone_table

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
_LONGEST_CLOSED = 400
"""Days after which a window that has not opened counts as one that never does."""


@dataclass(frozen=True)
class Hours:
    """One call window on a page: ``rows`` (n,) it is about, and ``actions`` (A,), never ``wait``."""

    origin: Origin
    rule: CallWindow
    rows: Bools
    actions: Bools


def windows_of(found: Sequence[Hours], page: Page) -> Windows:
    """Some windows of a page together."""
    region, names = page.regions
    return Windows(
        timetable([one.rule for one in found], names),
        np.array([one.rows for one in found], dtype=np.bool_).reshape(len(found), page.size),
        np.array([one.actions for one in found], dtype=np.bool_).reshape(len(found), len(page.catalogue.actions)),
        zone_table(page.days.names),
        np.ascontiguousarray(page.days.zone, dtype=np.int32),
        np.ascontiguousarray(region, dtype=np.int32),
    )


@compiled
def next_open(windows: Windows, window: int, row: int, from_us: int) -> int:
    """The first moment at or after another at which a window is open; ``FOREVER`` where none is near."""
    at_us = from_us
    for _ in range(_LONGEST_CLOSED):
        day = local_day(windows, row, at_us)
        start, end = span(windows, window, row, day)
        if at_us < end and start != FOREVER:
            return max(at_us, start)
        at_us = hour_us(windows, row, day, 24)
    return FOREVER


@compiled
def closed_today(
    windows: Windows, day: Int64s, part: tuple[Int64s, Int64s], left: tuple[Int64s, Int64s]
) -> tuple[Bools, Int64s]:
    """What each window closes for all of a part of today, and when it opens again.

    Parameters
    ----------
    day : (n,) local days
    part : from when, and until when (n, A) an action would be carried out today, half-open
    left : what other rules have left of today, in the same form; narrowed here to what the windows leave of it

    Returns
    -------
    (W, n, A) each; the second is ``MISSING`` where nothing is refused or no opening is near
    """
    (first_us, last_us), (start_us, end_us) = part, left
    size, (n_rows, n_actions) = len(windows.rows), first_us.shape
    refused = np.zeros((size, n_rows, n_actions), dtype=np.bool_)
    until = np.full((size, n_rows, n_actions), MISSING, dtype=np.int64)
    for window in range(size):
        for row in range(n_rows):
            if not windows.rows[window, row]:
                continue
            opens, closes = span(windows, window, row, day[row])
            for action in range(n_actions):
                if not windows.actions[window, action]:
                    continue
                first, last = first_us[row, action], last_us[row, action]
                start_us[row, action] = max(start_us[row, action], opens)
                end_us[row, action] = min(end_us[row, action], closes)
                # What is over today is another refusal, and needs no opening of its own here.
                if first < last and max(first, opens) >= min(last, closes):
                    opening = next_open(windows, window, row, first)
                    refused[window, row, action] = True
                    until[window, row, action] = MISSING if opening == FOREVER else opening
    return refused, until
