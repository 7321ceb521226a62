"""When an action would be allowed as a whole: the first moment that no rule forbids, nothing new being assumed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from decisioning.alike import alike
from decisioning.restrictions.hours import Hours
from decisioning.restrictions.page import Bools, Int64s, Page, Restriction
from domain.clock import FOREVER

_MOST_ROUNDS = 400
"""Rounds after which hours that never meet are taken to be just that; a round moves on by a day at least."""
_HOURS = "HOURS_NEVER_MEET"


@dataclass(frozen=True)
class Rest:
    """What openings are made of: spans, hours, and the moments (n, A) from which on an opening is looked for."""

    page: Page
    spans: tuple[Restriction, ...]
    hours: tuple[Hours, ...]
    start_us: Int64s


@dataclass(frozen=True)
class Openings:
    """``at_us`` (n, A) is the earliest moment, ``FOREVER`` where time alone brings none.

    ``reason`` (n, A) is then the position in ``reasons`` of the code that forbids it for good, and -1 elsewhere.
    """

    at_us: Int64s
    reason: npt.NDArray[np.int64]
    reasons: tuple[str, ...]


@dataclass
class _Search:
    """Pairs of row and action that are still looking, and where in time they have come to."""

    row: Int64s
    action: Int64s
    at_us: Int64s
    reason: Int64s


def openings(rest: Rest, wanted: Bools) -> Openings:
    """Openings of the actions that a mask (n, A) marks; the others open at their start.

    Every rule in turn pushes the moment to where it forbids no longer, until none does: the moments only ever grow, and
    never past one that all rules allow, so that the first at which none objects is the earliest.
    """
    row, action = np.nonzero(wanted)
    search = _Search(row, action, rest.start_us[row, action].copy(), np.full(len(row), -1, dtype=np.int64))
    reasons = (*(one.origin.code for one in rest.spans), _HOURS)
    left = np.arange(len(row))
    for _ in range(_MOST_ROUNDS):
        before = search.at_us[left].copy()
        _past_spans(rest, search, left)
        left, before = _still_looking(search, left, before)
        _into_hours(rest, search, left)
        left = left[search.at_us[left] != before]
        if not len(left):
            break
    search.at_us[left], search.reason[left] = FOREVER, len(rest.spans)
    at_us, reason = rest.start_us.copy(), np.full(wanted.shape, -1, dtype=np.int64)
    at_us[row, action], reason[row, action] = search.at_us, search.reason
    return Openings(at_us, reason, reasons)


def _still_looking(search: _Search, left: Int64s, before: Int64s) -> tuple[Int64s, Int64s]:
    going = search.reason[left] < 0
    return left[going], before[going]


def _past_spans(rest: Rest, search: _Search, left: Int64s) -> None:
    for place, one in enumerate(rest.spans):
        row, action = search.row[left], search.action[left]
        column = action if one.blocked.until_us.shape[1] > 1 else np.zeros_like(action)
        from_column = action if one.blocked.from_us.shape[1] > 1 else np.zeros_like(action)
        at_us, until = search.at_us[left], one.blocked.until_us[row, column]
        hit = one.actions[action] & (one.blocked.from_us[row, from_column] <= at_us) & (at_us < until)
        search.at_us[left[hit]] = until[hit]
        search.reason[left[hit & (until == FOREVER)]] = place
        left = left[search.reason[left] < 0]


def _into_hours(rest: Rest, search: _Search, left: Int64s) -> None:
    """To the next moment of the day that is within the action's own hours and every window, or to the next day."""
    row, action, at_us = search.row[left], search.action[left], search.at_us[left]
    columns = rest.page.catalogue.columns
    # Most actions have come to the same few moments: what the calendar says of these is asked once.
    some, which = alike(row, at_us, columns.hours[action, 0], columns.hours[action, 1])
    of = rest.page.days.rows(row[some], at_us[some])
    hours = columns.hours[action[some]]
    opens = of.at(of.day, hour=hours[:, 0])[which]
    closes = of.at(of.day + hours[:, 1] // 24, hour=hours[:, 1] % 24)[which]
    for one in rest.hours:
        start, end = one.span(of, row[some])
        about = one.actions[action]
        opens = np.where(about, np.maximum(opens, start[which]), opens)
        closes = np.where(about, np.minimum(closes, end[which]), closes)
    first = np.maximum(at_us, opens)
    search.at_us[left] = np.where(first < closes, first, of.at(of.day + 1)[which])
