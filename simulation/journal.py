"""Where the simulated world writes what happens: int64 rows on the page of the week, a number saying of which table."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np

from domain.clock import MISSING
from domain.tables import CONSENT_STATUSES, DEBT_EVENT_KINDS, HOLD_KINDS, PROMISE_OUTCOMES, REASONS, RESPONSE_KINDS
from simulation.parts import part

COLUMNS = {
    "debts": ("account", "serial", "amount", "due_on", "occurred", "recorded", "promise"),
    "debt_events": ("account", "serial", "debt", "kind", "amount", "occurred", "recorded", "promise"),
    "payments": ("account", "serial", "amount", "occurred", "recorded", "debt", "promise", "method"),
    "contacts": ("account", "serial", "channel", "occurred", "recorded", "debt", "offer", "duration", "decision"),
    "responses": ("account", "serial", "kind", "occurred", "recorded", "contact", "channel", "reason"),
    "promises": (
        "account", "serial", "kind", "amount", "discount", "down", "due_on", "instalments", "offer", "decision",
        "occurred", "recorded", "resolved", "outcome",
    ),
    "consents": ("account", "channel", "status", "occurred", "recorded"),
    "holds": ("account", "kind", "scope", "occurred", "recorded", "released"),
    "decisions": ("account", "serial", "decided", "action", "explored", "laddered", "channels", "offers", "eligible"),
}  # fmt: skip
# Named tuples, because compiled code knows their members as constants.
TABLE: Any = namedtuple("TABLE", tuple(COLUMNS))(*range(len(COLUMNS)))
RESPONSE: Any = namedtuple("RESPONSE", RESPONSE_KINDS)(*range(len(RESPONSE_KINDS)))
EVENT: Any = namedtuple("EVENT", DEBT_EVENT_KINDS)(*range(len(DEBT_EVENT_KINDS)))
REASON: Any = namedtuple("REASON", REASONS)(*range(len(REASONS)))
CONSENT: Any = namedtuple("CONSENT", CONSENT_STATUSES)(*range(len(CONSENT_STATUSES)))
HOLD: Any = namedtuple("HOLD", HOLD_KINDS)(*range(len(HOLD_KINDS)))
OUTCOME: Any = namedtuple("OUTCOME", PROMISE_OUTCOMES)(*range(len(PROMISE_OUTCOMES)))
NOTHING = MISSING


ROWS_A_WEEK = 192
"""Rows that one account can write in a week; renegotiating and reinstating forty debts stays below."""
WIDTH = 1 + max(len(columns) for columns in COLUMNS.values())
WEEK = np.dtype(
    [
        ("day", np.int64),
        ("end", np.int64),
        ("logged", np.int64),
        ("billing", np.int64),
        ("silent", np.int64),
        ("value_day", np.int64),
        ("weeks", np.int64),
        ("daily_rate", np.float64),
        ("filled", np.int64),
        ("rows", np.int64, (ROWS_A_WEEK, WIDTH)),
    ]
)
"""A week being played: the account's local days [day, end), whether decisions are logged and bills issued and
whether it is only imagined, how money is valued (present value at ``value_day``, over so many ``weeks``), and the rows
written in it: the number of the table, then its ``COLUMNS``."""


@part
def write(week: Any, table: int, values: tuple[int, ...]) -> None:
    """Append a row of a table to the page of the week; a silent week, one only imagined, writes nothing."""
    if week.silent:
        return
    row = week.filled
    week.rows[row, 0] = table
    for column in range(len(values)):
        week.rows[row, column + 1] = values[column]
    week.filled = row + 1


@part
def keep(week: Any, journal: Any, written: int) -> int:
    """Move the rows of the week to a journal that holds ``written`` rows; returns how many it holds then."""
    for row in range(week.filled):
        for column in range(WIDTH):
            journal[written + row, column] = week.rows[row, column]
    moved = int(written + week.filled)
    week.filled = 0
    return moved
