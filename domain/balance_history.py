"""How an account stood month by month before a moment, as known at that moment: one replay that stops on the way."""

from __future__ import annotations

import numpy as np

from domain.balance import closing, issue, post
from domain.balance_book import DUE_DAY, OWED_CHARGES, OWED_PRINCIPAL, VERSION, VISIBLE, is_open, open_book
from domain.balance_entries import Bounds, Debts, Entries, Int64s, Standing
from domain.clock import MISSING, US_PER_DAY
from domain.compiled import compiled

MONTHS = 12
"""How many times an account is looked at, every thirty days back from ``as_of``."""
_STEP = 30
_FIRST_DEFAULT = 30
"""Days past due from which a first debt that is still open is a first-payment default."""


@compiled
def _oldest_due(book: Int64s) -> int:
    """Due day of the oldest debt that owes anything; ``MISSING`` where none does."""
    for place in range(len(book) - 1):  # places are in the order of due days
        if is_open(book, place) and book[place, OWED_PRINCIPAL] + book[place, OWED_CHARGES] > 0:
            return int(book[place, DUE_DAY])
    return MISSING


@compiled
def _first_due(book: Int64s) -> int:
    """Place of the visible debt that was due first, -1 where there is none."""
    for place in range(len(book) - 1):
        if book[place, VISIBLE] == 1:
            return place
    return -1


@compiled
def _look(book: Int64s, mark: tuple[int, int], as_of: tuple[int, int], first: int, found: Int64s) -> None:
    """Note how the account stands at a mark, (days ago, month or -1 for the question of the first debt)."""
    ago, month = mark
    issue(book, as_of[0] - ago * US_PER_DAY - 1)
    if month < 0:
        owed = book[first, OWED_PRINCIPAL] + book[first, OWED_CHARGES]
        found[MONTHS] = 1 if is_open(book, first) and owed > 0 else 0
        return
    oldest = _oldest_due(book)
    found[month] = MISSING if oldest == MISSING else as_of[1] - ago - oldest


@compiled
def _marks(book: Int64s, as_of_day: int, first: int) -> Int64s:
    """(marks, 2): days ago and month, the oldest first."""
    marks = np.empty((MONTHS + 1, 2), dtype=np.int64)
    ago = as_of_day - book[first, DUE_DAY] - _FIRST_DEFAULT if first >= 0 else -1
    count = 0
    for month in range(MONTHS - 1, -1, -1):
        days = (month + 1) * _STEP
        if ago > days:
            marks[count, 0], marks[count, 1] = ago, -1
            ago, count = -1, count + 1
        marks[count, 0], marks[count, 1] = days, month
        count += 1
    if ago >= 0:
        marks[count, 0], marks[count, 1] = ago, -1
        count += 1
    return marks[:count]


@compiled
def standing_with_history(
    debts: Debts, entries: Entries, bounds: Bounds, as_of: tuple[int, int], open_cents: Int64s, found: Int64s
) -> Standing:  # fmt: skip
    """What an account owes at a moment, and its days past due in the months before, as known at the same moment.

    Parameters
    ----------
    bounds, open_cents : as in ``balance.standing_of``
    as_of : the moment in µs, and its local day for the debtor
    found : (MONTHS + 1,) or longer, overwritten: ``found[m]`` is the days past due 30·(m + 1) days before, ``MISSING``
        where nothing was open; the last is whether the debt due first was still open 30 days after its due day (0 or
        1, ``MISSING`` before that day or without debts)
    """
    book = open_book(debts, bounds[0], bounds[1], as_of[0])
    first = _first_due(book)
    found[: MONTHS + 1] = MISSING
    marks = _marks(book, as_of[1], first)
    mark = 0
    for row in range(bounds[2], bounds[3]):
        at = entries.occurred_us[row]
        if at >= as_of[0]:
            break
        if entries.known_from[row] < as_of[0] <= entries.known_until[row]:
            while mark < len(marks) and as_of[0] - marks[mark, 0] * US_PER_DAY <= at:
                _look(book, (marks[mark, 0], marks[mark, 1]), as_of, first, found)
                mark += 1
            issue(book, at)
            place = book[entries.debt[row] - bounds[0], VERSION] if entries.debt[row] >= 0 else -1
            post(book, place, (int(entries.kind[row]), int(entries.amount[row]), int(entries.day[row])))
    while mark < len(marks):
        _look(book, (marks[mark, 0], marks[mark, 1]), as_of, first, found)
        mark += 1
    issue(book, as_of[0] - 1)
    return closing(book, as_of[1], open_cents)
