"""Canonical tables as one plain int64 array each, a row per field: what compiled code links, sorts and replays.

One array, because compiled code takes it for nothing, while a structure of many arrays costs more than the arithmetic.
Texts are codes: ids into the vocabulary of their own table, links into that of the table they point to.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from domain.clock import FOREVER, MISSING, US_PER_DAY, Int64s
from domain.coded import Vocabulary
from domain.compiled import compiled
from domain.tables import DEBT_EVENT_KINDS, PAYMENT_METHODS, PROMISE_KINDS, PROMISE_OUTCOMES, TABLES, Tables
from domain.zones import Zones, offset_us

Sheet = npt.NDArray[np.int64]
"""(fields, rows); the first six fields are those of every table."""

ACCOUNT, ID, OCCURRED, RECORDED, UNTIL, DAY = range(6)
"""``ACCOUNT`` is -1 for an orphan; ``UNTIL`` is when the version was replaced; ``DAY`` is the local day it happened."""
AMOUNT, DEBT, PROMISE, KIND = 6, 7, 8, 9
"""Of debt events and payments (``KIND`` being the method); a link is ``NONE`` or ``UNKNOWN`` where it leads nowhere."""
DUE_DAY, PENALTY_BP, INTEREST_BP = 7, 9, 10
"""Of debts, beside ``AMOUNT`` and ``PROMISE``."""
DISCOUNT, INSTALMENTS, PROMISE_DUE, RESOLVED, OUTCOME = 8, 10, 11, 12, 13
"""Of promises, beside ``AMOUNT``, ``DEBT`` and ``KIND``."""
FIELDS = {"debts": 11, "debt_events": 10, "payments": 10, "promises": 14}
NONE, UNKNOWN = -1, -2


@compiled
def chains(codes: Int64s, n_codes: int) -> tuple[Int64s, Int64s]:
    """Rows by code: ``first[c]`` is a row of code c, ``following[row]`` the next of the same code, -1 at the end."""
    first, following = np.full(n_codes, -1, dtype=np.int64), np.full(len(codes), -1, dtype=np.int64)
    for row in range(len(codes) - 1, -1, -1):
        if codes[row] >= 0:
            following[row] = first[codes[row]]
            first[codes[row]] = row
    return first, following


@compiled
def complete(sheet: Sheet, n_codes: int, zones: Zones, zone_of: npt.NDArray[np.int32]) -> None:
    """Fill ``UNTIL`` and ``DAY``.

    A row is visible at ``as_of`` iff ``RECORDED < as_of <= UNTIL``: a correction counts from its own ``recorded_at``
    on, exclusive, just as the row it replaces did. Of two rows recorded at once the one that stands later counts.
    """
    first, following = chains(sheet[ID], n_codes)
    for row in range(sheet.shape[1]):
        sheet[UNTIL, row] = FOREVER
        other = first[sheet[ID, row]] if sheet[ID, row] >= 0 else -1
        while other >= 0:
            recorded, own = sheet[RECORDED, other], sheet[RECORDED, row]
            if recorded > own or (recorded == own and other > row):
                sheet[UNTIL, row] = min(sheet[UNTIL, row], recorded)
            other = following[other]
        moment = sheet[OCCURRED, row] if sheet[OCCURRED, row] != MISSING else 0
        zone = zone_of[sheet[ACCOUNT, row]] if sheet[ACCOUNT, row] >= 0 else -1
        sheet[DAY, row] = (moment + offset_us(zones, zone, moment)) // US_PER_DAY


def begun(tables: Tables, table: str, fields: int, account: npt.NDArray[np.int32]) -> Sheet:
    """The sheet of a table with its account, id and times; an absent table has no rows."""
    sheet = np.empty((fields, tables.rows(table)), dtype=np.int64)
    if tables.has(table):
        sheet[ACCOUNT] = account
        sheet[ID] = tables.text(table, TABLES[table].id_column).codes
        sheet[OCCURRED] = tables.ints(table, "decided_at" if table == "decisions" else "occurred_at")
        sheet[RECORDED] = tables.ints(table, "recorded_at")
    return sheet


def link(tables: Tables, table: str, column: str, *, to: str) -> npt.NDArray[np.int32]:
    """Codes of the rows that a column points to, in the vocabulary of their ids."""
    ids = tables.text(table, column)
    if not tables.has(to):
        return np.where(ids.codes < 0, NONE, UNKNOWN).astype(np.int32)
    return ids.among(tables.text(to, TABLES[to].id_column), unknown=UNKNOWN)


def ledger_sheet(tables: Tables, table: str, account: npt.NDArray[np.int32]) -> Sheet:
    """The sheet of ``debts``, ``debt_events``, ``payments`` or ``promises``, before it is completed."""
    sheet = begun(tables, table, FIELDS[table], account)
    if sheet.shape[1]:
        sheet[AMOUNT] = tables.ints(table, "amount")
        _FILL[table](tables, sheet)
    return sheet


def _debts(tables: Tables, sheet: Sheet) -> None:
    sheet[DUE_DAY] = tables.ints("debts", "due_on")
    sheet[PROMISE] = tables.text("debts", "promise_id").codes
    sheet[PENALTY_BP] = _basis_points(tables.floats("debts", "penalty_pct"))
    sheet[INTEREST_BP] = _basis_points(tables.floats("debts", "monthly_interest_pct"))


def _basis_points(percent: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # Of NaN and a number, fmax is the number.
    return np.rint(np.fmax(percent, 0.0) * 100.0)


def _debt_events(tables: Tables, sheet: Sheet) -> None:
    sheet[DEBT] = link(tables, "debt_events", "debt_id", to="debts")
    sheet[PROMISE] = link(tables, "debt_events", "promise_id", to="promises")
    sheet[KIND] = tables.text("debt_events", "kind").recode(_DEBT_EVENT_KINDS)


def _payments(tables: Tables, sheet: Sheet) -> None:
    sheet[DEBT] = link(tables, "payments", "debt_id", to="debts")
    sheet[PROMISE] = link(tables, "payments", "promise_id", to="promises")
    sheet[KIND] = tables.text("payments", "method").recode(_METHODS, unknown=_METHODS["other"])


def _promises(tables: Tables, sheet: Sheet) -> None:
    sheet[DEBT] = link(tables, "promises", "debt_id", to="debts")
    sheet[DISCOUNT] = tables.ints("promises", "discount_amount")
    sheet[KIND] = tables.text("promises", "kind").recode(_PROMISE_KINDS)
    sheet[INSTALMENTS] = tables.ints("promises", "instalments")
    sheet[PROMISE_DUE] = tables.ints("promises", "due_on")
    sheet[RESOLVED] = tables.ints("promises", "resolved_at")
    sheet[OUTCOME] = tables.text("promises", "outcome").recode(_OUTCOMES)


_FILL = {"debts": _debts, "debt_events": _debt_events, "payments": _payments, "promises": _promises}
_DEBT_EVENT_KINDS = Vocabulary(DEBT_EVENT_KINDS)
_PROMISE_KINDS = Vocabulary(PROMISE_KINDS)
_OUTCOMES = Vocabulary(PROMISE_OUTCOMES)
_METHODS = Vocabulary(PAYMENT_METHODS)
