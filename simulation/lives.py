"""The kernel: play the lives of accounts, one after another, until the journal is nearly full."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.agreements import show_promise
from simulation.assumptions import LOGGED_WEEKS, WEEKS
from simulation.books import accrue_all
from simulation.journal import keep
from simulation.ladder import ladder_action
from simulation.parts import entry, part
from simulation.week import known_standing, play_week

ROWS_KEPT_FREE = 6_000
"""More rows than one account can write."""
_FAR = np.iinfo(np.int64).max


@part
def begin(me: Any, it: Any) -> None:
    """The state of an account before its first week."""
    it.granted = me.consents
    it.contact_day, it.first_paid_us = -1, _FAR


@part
def _stand(me: Any, it: Any, book: Any, at: tuple[Any, int]) -> None:
    """How the account stands, as known when the data end, and what the ladder would do."""
    week, end_day = at
    week.day, week.end = end_day, end_day + 7
    accrue_all(me, it, end_day)
    known = known_standing(it, week)
    it.known[0], it.known[1], it.known[2] = known
    free = known[2] > 0 and it.hold_until <= end_day and it.promise == 0
    it.ladder = ladder_action(it, book, (known[0], known[1])) if free else 0


@entry
def play_lives(traits: Any, states: Any, tools: tuple[Any, Any], plan: tuple[Any, int, int]) -> tuple[int, int]:
    """Play accounts from a first one on up to the day on which the data end, until the journal is nearly full.

    Parameters
    ----------
    traits, states : (n,) records; states are left as they are at the end
    tools : the playbook (1,) and the page of a week (1,), both records
    plan : journal (rows, WIDTH) to write to, first account, and the day on which the data end

    Returns
    -------
    The first account not played, and the rows written.
    """
    journal, first, end_day = plan
    book, week = tools[0][0], tools[1][0]
    written = 0
    for account in range(first, len(traits)):
        if written + ROWS_KEPT_FREE > len(journal):
            return account, written
        me, it = traits[account], states[account]
        begin(me, it)
        for k in range(WEEKS + 1):
            week.day = end_day - me.phase - 7 * (WEEKS - k)
            if week.day >= me.start_day:
                week.end = min(week.day + 7, end_day)
                week.logged = 1 if week.day >= end_day - 7 * LOGGED_WEEKS else 0
                week.filled, week.billing, week.value_day, week.silent = 0, 1, end_day, 0
                play_week(me, it, book, week)
                written = keep(week, journal, written)
        show_promise(me, it, week)
        written = keep(week, journal, written)
        _stand(me, it, book, (week, end_day))
    return len(traits), written
