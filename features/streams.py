"""Rows of canonical tables as events: what happened, when, since when it is known, and until when that version held.

A row becomes one event, or several where it says several things: a payment after the due date is both ``paid`` and
``late``. A fact that changes later becomes two streams: a promise is ``made`` and later ``kept`` or ``broken``. Where
an event takes something from another row (the due date of the paid debt, the channel of the answered contact), it is
known only while both versions are.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, US_PER_DAY, Int64s
from domain.tables import Coded, Tables
from features.columns import Int32s, filled, version_pairs
from features.vocabulary import CHANNEL_CODES, CODE_INDEX, KINDS, OTHER

COST_UNITS = 10_000
"""Contact costs are summed as whole ten-thousandths of the currency unit."""


@dataclass(frozen=True, slots=True)
class Known:
    """Per table: the account of each row (-1 for orphans), and when its version was replaced."""

    account: dict[str, Int32s]
    until: dict[str, Int64s]
    local_day: dict[str, Int64s]


@dataclass(frozen=True, slots=True)
class Stream:
    """Events of one kind; all columns are (m,)."""

    account: Int32s
    occurred_us: Int64s
    known_from: Int64s
    known_until: Int64s
    code: Int32s
    value: Int64s

    def where(self, keep: npt.NDArray[np.bool_]) -> Stream:
        """The events where the mask is true."""
        return Stream(
            self.account[keep],
            self.occurred_us[keep],
            self.known_from[keep],
            self.known_until[keep],
            self.code[keep],
            self.value[keep],
        )


def streams(tables: Tables, known: Known, *, offset_us: Int64s) -> Iterator[Stream]:
    """Every stream of the tables that are there; ``offset_us`` is the local offset of each debt's due day."""
    yield from _payments(tables, known)
    yield from _debts(tables, known, offset_us)
    for table, make in _OPTIONAL.items():
        if tables.has(table) and tables.rows(table):
            yield from make(tables, known)


def _plain(tables: Tables, known: Known, table: str, *, code: Int32s, value: Int64s, at: str = "occurred_at") -> Stream:
    return Stream(
        known.account[table],
        tables.ints(table, at),
        tables.ints(table, "recorded_at"),
        known.until[table],
        code,
        value,
    )


def _same(rows: int, source: str, kind: str) -> Int32s:
    return np.full(rows, CODE_INDEX[source, kind, ""], dtype=np.int32)


def _payments(tables: Tables, known: Known) -> Iterator[Stream]:
    rows, amount = tables.rows("payments"), tables.ints("payments", "amount")
    yield _plain(tables, known, "payments", code=_same(rows, "payment", "paid"), value=amount).where(amount > 0)
    yield _plain(tables, known, "payments", code=_same(rows, "payment", "reversed"), value=-amount).where(amount < 0)
    payment, debt = version_pairs(tables.text("payments", "debt_id"), tables.text("debts", "debt_id"))
    keep = (amount[payment] > 0) & (known.account["payments"][payment] == known.account["debts"][debt])
    payment, debt = payment[keep], debt[keep]
    days_late = known.local_day["payments"][payment] - tables.ints("debts", "due_on")[debt]
    joined = Stream(
        known.account["payments"][payment],
        tables.ints("payments", "occurred_at")[payment],
        np.maximum.reduce(
            [
                tables.ints("payments", "recorded_at")[payment],
                tables.ints("debts", "recorded_at")[debt],
                tables.ints("debts", "occurred_at")[debt],
            ]
        ),
        np.minimum(known.until["payments"][payment], known.until["debts"][debt]),
        np.where(days_late > 0, CODE_INDEX["payment", "late", ""], CODE_INDEX["payment", "on_time", ""]).astype(
            np.int32
        ),
        np.abs(days_late),
    )
    yield joined
    partial = amount[payment] < tables.ints("debts", "amount")[debt]
    code = _same(len(payment), "payment", "partial")
    yield Stream(
        joined.account, joined.occurred_us, joined.known_from, joined.known_until, code, amount[payment]
    ).where(partial)


def _debts(tables: Tables, known: Known, offset_us: Int64s) -> Iterator[Stream]:
    rows, amount = tables.rows("debts"), tables.ints("debts", "amount")
    issued_us = tables.ints("debts", "occurred_at")
    issued = _plain(tables, known, "debts", code=_same(rows, "debt", "issued"), value=amount)
    yield issued.where(issued_us != MISSING)
    due_us = np.maximum(tables.ints("debts", "due_on") * US_PER_DAY - offset_us, issued_us)
    due = Stream(issued.account, due_us, issued.known_from, issued.known_until, _same(rows, "debt", "due"), amount)
    yield due


def _debt_events(tables: Tables, known: Known) -> Iterator[Stream]:
    kinds = {kind: CODE_INDEX["debt_event", kind, ""] for kind in KINDS["debt_event"]}
    code = tables.text("debt_events", "kind").recode(kinds)
    value = np.abs(filled(tables.ints("debt_events", "amount"), 0))
    yield _plain(tables, known, "debt_events", code=code, value=value)


def _channel_codes(channel: Coded) -> Int32s:
    """Position of each channel in ``CHANNEL_CODES``; unknown and missing ones are ``other``."""
    other = CHANNEL_CODES.index(OTHER)
    codes = channel.recode({name: index for index, name in enumerate(CHANNEL_CODES)}, unknown=other)
    return np.where(codes < 0, other, codes).astype(np.int32)


def _contacts(tables: Tables, known: Known) -> Iterator[Stream]:
    first = CODE_INDEX["contact", "attempt", CHANNEL_CODES[0]]
    cost = np.rint(np.nan_to_num(tables.floats("contacts", "cost")) * COST_UNITS).astype(np.int64)
    yield _plain(tables, known, "contacts", code=first + _channel_codes(tables.text("contacts", "channel")), value=cost)


def _responses(tables: Tables, known: Known) -> Iterator[Stream]:
    kinds = KINDS["response"]
    kind = tables.text("responses", "kind").recode({name: i for i, name in enumerate(kinds)}, unknown=len(kinds) - 1)
    kind = np.where(kind < 0, len(kinds) - 1, kind).astype(np.int32)
    code = CODE_INDEX["response", kinds[0], CHANNEL_CODES[0]] + kind * len(CHANNEL_CODES)
    channel = tables.text("responses", "channel")
    nothing = np.zeros(len(kind), dtype=np.int64)
    own = _plain(tables, known, "responses", code=(code + _channel_codes(channel)).astype(np.int32), value=nothing)
    if tables.has("contacts"):
        own = yield from _answered(tables, known, own, code)
    yield own
    reasons = tables.text("responses", "reason").recode({name: i for i, name in enumerate(KINDS["reason"])})
    first = CODE_INDEX["reason", KINDS["reason"][0], ""]
    said = _plain(tables, known, "responses", code=(reasons + first).astype(np.int32), value=nothing)
    yield said.where(reasons >= 0)


def _answered(tables: Tables, known: Known, own: Stream, code: Int32s) -> Generator[Stream, None, Stream]:
    """Responses without a channel take that of their contact while it is known; before that they are ``other``."""
    wanting = np.flatnonzero(tables.text("responses", "channel").codes < 0).astype(np.int64)
    asked = tables.text("responses", "contact_id").take(wanting)
    response, contact = version_pairs(asked, tables.text("contacts", "contact_id"))
    response = wanting[response]
    ours = known.account["responses"][response] == known.account["contacts"][contact]
    response, contact = response[ours], contact[ours]
    contact_known = np.maximum(tables.ints("contacts", "recorded_at"), tables.ints("contacts", "occurred_at"))[contact]
    yield Stream(
        own.account[response],
        own.occurred_us[response],
        np.maximum(own.known_from[response], contact_known),
        np.minimum(own.known_until[response], known.until["contacts"][contact]),
        (code[response] + _channel_codes(tables.text("contacts", "channel"))[contact]).astype(np.int32),
        own.value[response],
    )
    until = own.known_until.copy()
    np.minimum.at(until, response, contact_known)
    return Stream(own.account, own.occurred_us, own.known_from, until, own.code, own.value)


def _promises(tables: Tables, known: Known) -> Iterator[Stream]:
    amount = filled(tables.ints("promises", "amount"), 0)
    yield _plain(tables, known, "promises", code=_same(len(amount), "promise", "made"), value=amount)
    outcomes = {name: CODE_INDEX["promise", name, ""] for name in ("kept", "broken", "cancelled", "replaced")}
    outcome = tables.text("promises", "outcome").recode(outcomes)
    resolved = _plain(tables, known, "promises", code=outcome, value=amount, at="resolved_at")
    yield resolved.where((outcome >= 0) & (resolved.occurred_us != MISSING))


def _holds(tables: Tables, known: Known) -> Iterator[Stream]:
    nothing = np.zeros(tables.rows("holds"), dtype=np.int64)
    yield _plain(tables, known, "holds", code=_same(len(nothing), "hold", "opened"), value=nothing)
    released = _plain(
        tables, known, "holds", code=_same(len(nothing), "hold", "released"), value=nothing, at="released_at"
    )
    yield released.where(released.occurred_us != MISSING)


_OPTIONAL = {
    "debt_events": _debt_events,
    "contacts": _contacts,
    "responses": _responses,
    "promises": _promises,
    "holds": _holds,
}
