"""When an action would be allowed as a whole: the first moment that no rule forbids, nothing new being assumed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from decisioning.restrictions.page import Bools, Int64s, Page, Restriction
from decisioning.restrictions.timetable import Windows, hour_us, local_day, span
from domain.clock import FOREVER
from domain.compiled import compiled

_MOST_ROUNDS = 400
"""Rounds after which hours that never meet are taken to be just that; a round moves on by a day at least."""
_HOURS = "HOURS_NEVER_MEET"


@dataclass(frozen=True)
class Rest:
    """What openings are made of: spans, call windows, and the moments (n, A) from which on one is looked for."""

    page: Page
    spans: tuple[Restriction, ...]
    windows: Windows
    start_us: Int64s


@dataclass(frozen=True)
class Openings:
    """``at_us`` (n, A) is the earliest moment, ``FOREVER`` where time alone brings none.

    ``reason`` (n, A) is then the position in ``reasons`` of the code that forbids it for good, and -1 elsewhere.
    """

    at_us: Int64s
    reason: npt.NDArray[np.int64]
    reasons: tuple[str, ...]


class _Spans(NamedTuple):
    """The spans of S restrictions one after the other, for compiled code.

    ``ends`` has of each, in turn, all ``from_us`` and all ``until_us`` of ``Blocked``, row by row; ``first`` (S, 2) is
    where these begin and ``width`` (S, 2) how many columns they have. ``actions`` (S, A) are what each is about.
    """

    ends: Int64s
    first: Int64s
    width: Int64s
    actions: Bools


def openings(rest: Rest, wanted: Bools) -> Openings:
    """Openings of the actions that a mask (n, A) marks; the others open at their start.

    Every rule in turn pushes the moment to where it forbids no longer, until none does: the moments only ever grow, and
    never past one that all rules allow, so that the first at which none objects is the earliest.
    """
    at_us, reason = np.array(rest.start_us), np.full(wanted.shape, -1, dtype=np.int64)
    _search(
        _spans_of(rest.spans, wanted.shape[1]), rest.windows, rest.page.catalogue.columns.hours, wanted, (at_us, reason)
    )
    return Openings(at_us, reason, (*(one.origin.code for one in rest.spans), _HOURS))


def _spans_of(found: Sequence[Restriction], n_actions: int) -> _Spans:
    parts = [part for one in found for part in (one.blocked.from_us, one.blocked.until_us)]
    first = np.cumsum([0, *(part.size for part in parts)])[:-1]
    return _Spans(
        np.concatenate([np.zeros(0, dtype=np.int64), *(part.ravel() for part in parts)]),
        first.astype(np.int64).reshape(-1, 2),
        np.array([part.shape[1] for part in parts], dtype=np.int64).reshape(-1, 2),
        np.array([one.actions for one in found], dtype=np.bool_).reshape(len(found), n_actions),
    )


@compiled
def _search(spans: _Spans, windows: Windows, hours: Int64s, wanted: Bools, found: tuple[Int64s, Int64s]) -> None:
    at_us, reason = found
    for row in range(wanted.shape[0]):
        for action in range(wanted.shape[1]):
            if not wanted[row, action]:
                continue
            moment, forbidden = at_us[row, action], -1
            for _ in range(_MOST_ROUNDS):
                before = moment
                moment, forbidden = _past_spans(spans, row, action, moment)
                if forbidden >= 0:
                    break
                moment = _into_hours(windows, hours, row, action, moment)
                if moment == before:
                    break
            else:
                moment, forbidden = FOREVER, len(spans.actions)
            at_us[row, action], reason[row, action] = moment, forbidden


@compiled
def _past_spans(spans: _Spans, row: int, action: int, at_us: int) -> tuple[int, int]:
    """Past every span in turn that the moment lies in; with the position of the first that has no end, else -1."""
    for place in range(len(spans.actions)):
        if not spans.actions[place, action]:
            continue
        wide = spans.width[place]
        from_us = spans.ends[spans.first[place, 0] + row * wide[0] + (action if wide[0] > 1 else 0)]
        until_us = spans.ends[spans.first[place, 1] + row * wide[1] + (action if wide[1] > 1 else 0)]
        if from_us <= at_us < until_us:
            at_us = until_us
            if until_us == FOREVER:
                return at_us, place
    return at_us, -1


@compiled
def _into_hours(windows: Windows, hours: Int64s, row: int, action: int, at_us: int) -> int:
    """To the next moment of the day that is within the action's own hours and every window, or to the next day."""
    day = local_day(windows, row, at_us)
    opens, closes = hour_us(windows, row, day, hours[action, 0]), hour_us(windows, row, day, hours[action, 1])
    for window in range(len(windows.rows)):
        if windows.rows[window, row] and windows.actions[window, action]:
            start, end = span(windows, window, row, day)
            opens, closes = max(opens, start), min(closes, end)
    first = max(at_us, opens)
    return first if first < closes else hour_us(windows, row, day, 24)
