"""The kernel of a world that is stepped: open a week for every account, then play it with actions chosen outside."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.agreements import show_promise
from simulation.journal import ROWS_A_WEEK, keep
from simulation.ladder import spacing
from simulation.parts import entry, part
from simulation.week import carry_out, close_week, due_for_decision, known_standing, ladder_choice, open_to, open_week

SEEN = np.dtype(
    [
        ("due", np.int64),
        ("days", np.int64),
        ("cents", np.int64),
        ("ladder", np.int64),
        ("logging", np.int64),
        ("channels", np.int64),
        ("offers", np.int64),
        ("ended", np.int64),
    ]
)
"""An account in a round: whether a decision is due, days past due and cents overdue as known, what the ladder does, and
what it does with its exploration; bit masks of open channels and offers; and, once played, how the attempt ended."""
NOT_DUE = -1


@part
def _see(me: Any, it: Any, book: Any, week: Any, seen: Any) -> None:
    known = known_standing(it, week)
    seen.due, seen.days, seen.cents, seen.ended = 0, known[0], known[1], 0
    if due_for_decision(me, it, week, known):
        seen.due = 1
        seen.logging, _, seen.ladder, _ = ladder_choice(me, it, book, week, (known[0], known[1]))
        seen.channels, seen.offers = open_to(it, book, (known[0], known[1]))


@entry
def open_round(traits: Any, states: Any, tools: tuple[Any, Any], plan: tuple[Any, int, Any]) -> tuple[int, int]:
    """Open the week of the page for accounts from a first one on, until the journal is nearly full.

    Parameters
    ----------
    traits, states : (n,) records; states are changed
    tools : the playbook (1,) and the page of the week (1,), both records
    plan : journal (rows, WIDTH) to write to, first account, and (n,) of ``SEEN`` to fill

    Returns
    -------
    The first account not opened, and the rows written.
    """
    journal, first, seen = plan
    book, week = tools[0][0], tools[1][0]
    written = 0
    for account in range(first, len(traits)):
        if written + ROWS_A_WEEK > len(journal):
            return account, written
        open_week(traits[account], states[account], book, week)
        _see(traits[account], states[account], book, week, seen[account])
        written = keep(week, journal, written)
    return len(traits), written


@entry
def close_round(traits: Any, states: Any, tools: tuple[Any, Any], plan: tuple[Any, int, Any, Any]) -> tuple[int, int]:
    """Carry out the chosen actions and play the opened week to its end.

    Parameters
    ----------
    traits, states, tools : as for :func:`open_round`
    plan : journal to write to, first account, (n,) of ``SEEN`` as filled when the week was opened, and (n,) the
        action of each account, ``NOT_DUE`` where there is no decision

    Returns
    -------
    The first account not played, and the rows written; a promise that is running is among them, as still open.
    """
    journal, first, seen, chosen = plan
    book, week = tools[0][0], tools[1][0]
    written = 0
    for account in range(first, len(traits)):
        if written + ROWS_A_WEEK > len(journal):
            return account, written
        me, it = traits[account], states[account]
        action = chosen[account]
        if action != NOT_DUE:
            _take(me, it, book, week, (seen[account], action))
        close_week(me, it, book, week)
        show_promise(me, it, week)
        written = keep(week, journal, written)
    return len(traits), written


@part
def _take(me: Any, it: Any, book: Any, week: Any, what: tuple[Any, int]) -> None:
    """As ``week.act`` does for the ladder; the decision itself is logged by whoever took it."""
    seen, action = what
    it.next_decision = week.day + spacing(seen.days)
    serial = it.decisions
    it.decisions += 1
    if action > 0:
        seen.ended = carry_out(me, it, book, week, (action, serial, seen.days, seen.cents))
