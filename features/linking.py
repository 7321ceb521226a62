"""Rows as events in compiled code: what happened, when, since when it is known, and until when that version held.

A row becomes one event, or several where it says several things: a payment after the due date is both ``paid`` and
``late``. A fact that changes later becomes two events: a promise is ``made`` and later ``kept`` or ``broken``. Where an
event takes something from another row (the due date of the paid debt, the channel of the answered contact), it is
known only while both versions are.
"""

from __future__ import annotations

from domain.balance_entries import Int32s
from domain.clock import MISSING, US_PER_DAY, Int64s
from domain.compiled import compiled
from domain.sheets import (
    ACCOUNT,
    AMOUNT,
    DAY,
    DEBT,
    DISCOUNT,
    DUE_DAY,
    ID,
    KIND,
    OCCURRED,
    OUTCOME,
    PROMISE,
    RECORDED,
    RESOLVED,
    UNTIL,
    Sheet,
    chains,
)
from domain.zones import Zones, offset_us
from features.sheets import (
    CHANNEL,
    CONTACT,
    COST,
    HOLD_KIND,
    OFFERED,
    REASON,
    RELEASED,
    RESPONSE_KIND,
    Sheets,
)
from features.vocabulary import CHANNEL_CODES, FACETS, KINDS, OTHER, RECEIPTS, first_code

V_ACCOUNT, V_OCCURRED, V_FROM, V_CODE, V_VALUE, V_UNTIL = range(6)
"""Fields of events while they are made; the first five give their order."""
EARLY_DAYS = 5
"""A payment is early when it is made at least so many days before the due day."""
_PAID, _REVERSED, _LATE, _ON_TIME, _EARLY, _PARTIAL, _INSTALMENT = (
    first_code("payment", kind) for kind in ("paid", "reversed", "late", "on_time", "early", "partial", "instalment")
)
_ISSUED, _DUE, _DEBT_INSTALMENT = (first_code("debt", kind) for kind in ("issued", "due", "instalment"))
_DEBT_EVENT = first_code("debt_event", "interest")
_ATTEMPT, _OFFERED = first_code("contact", "attempt"), first_code("contact", "offered")
_RESPONSE, _SAID = first_code("response", "delivered"), first_code("reason", "unemployment")
_MADE, _KEPT = first_code("promise", "made"), first_code("promise", "kept")
_OPENED, _RELEASED = first_code("hold", "opened"), first_code("hold", "released")
_RECEIVED = first_code("receipt", "received")
_READ, _RIGHT_PARTY = (KINDS["response"].index(kind) for kind in RECEIPTS)
_N_CHANNELS, _N_FORMS, _OTHER_CHANNEL = len(CHANNEL_CODES), len(FACETS["promise"]), CHANNEL_CODES.index(OTHER)
_OTHER_METHOD, _N_KINDS = len(FACETS["payment"]) - 1, len(FACETS["promise"]) // 2


@compiled
def _put(out: Sheet, count: int, row: tuple[int, int, int, int], code: int, value: int) -> int:
    """One event if it can ever be seen; ``row`` is (account, moment, known from, known until). Returns the count."""
    account, moment, known_from, known_until = row
    if account < 0 or known_from >= known_until:
        return count
    if count < out.shape[1]:
        out[V_ACCOUNT, count], out[V_OCCURRED, count], out[V_FROM, count] = account, moment, known_from
        out[V_CODE, count], out[V_VALUE, count], out[V_UNTIL, count] = code, value, known_until
    return count + 1


@compiled
def _row(sheet: Sheet, row: int) -> tuple[int, int, int, int]:
    return sheet[ACCOUNT, row], sheet[OCCURRED, row], sheet[RECORDED, row], sheet[UNTIL, row]


@compiled
def _payments(sheets: Sheets, of_debt: tuple[Int64s, Int64s], out: Sheet, count: int) -> int:
    payments, debts = sheets.payments, sheets.debts
    for row in range(payments.shape[1]):
        amount, method = payments[AMOUNT, row], payments[KIND, row]
        method = method if method >= 0 else _OTHER_METHOD
        if amount > 0:
            count = _put(out, count, _row(payments, row), _PAID + method, amount)
            if payments[PROMISE, row] != -1:
                count = _put(out, count, _row(payments, row), _INSTALMENT + method, amount)
        elif amount < 0 and amount != MISSING:
            count = _put(out, count, _row(payments, row), _REVERSED + method, -amount)
        debt = of_debt[0][payments[DEBT, row]] if amount > 0 and payments[DEBT, row] >= 0 else -1
        while debt >= 0:
            if debts[ACCOUNT, debt] == payments[ACCOUNT, row]:
                count = _against(sheets, (row, debt), method, out, count)
            debt = of_debt[1][debt]
    return count


@compiled
def _against(sheets: Sheets, pair: tuple[int, int], method: int, out: Sheet, count: int) -> int:
    """A payment held against one version of its debt."""
    payment, debt = pair
    payments, debts = sheets.payments, sheets.debts
    known_from = max(payments[RECORDED, payment], debts[RECORDED, debt], debts[OCCURRED, debt])
    known_until = min(payments[UNTIL, payment], debts[UNTIL, debt])
    seen = payments[ACCOUNT, payment], payments[OCCURRED, payment], known_from, known_until
    amount, late = payments[AMOUNT, payment], payments[DAY, payment] - debts[DUE_DAY, debt]
    count = _put(out, count, seen, (_LATE if late > 0 else _ON_TIME) + method, abs(late))
    if late <= -EARLY_DAYS:
        count = _put(out, count, seen, _EARLY + method, -late)
    if amount < debts[AMOUNT, debt]:
        count = _put(out, count, seen, _PARTIAL + method, amount)
    if debts[PROMISE, debt] >= 0 and payments[PROMISE, payment] == -1:
        count = _put(out, count, seen, _INSTALMENT + method, amount)
    return count


@compiled
def _debts(debts: Sheet, zones: Zones, zone_of: Int32s, out: Sheet, count: int) -> int:
    for row in range(debts.shape[1]):
        account, issued, known_from, known_until = _row(debts, row)
        amount = debts[AMOUNT, row]
        if account < 0 or amount == MISSING:
            continue
        if issued != MISSING:
            count = _put(out, count, _row(debts, row), _ISSUED, amount)
        if debts[DUE_DAY, row] != MISSING:
            midnight = debts[DUE_DAY, row] * US_PER_DAY
            due = max(midnight - offset_us(zones, zone_of[account], midnight), issued)
            count = _put(out, count, (account, due, known_from, known_until), _DUE, amount)
            if debts[PROMISE, row] >= 0:
                count = _put(out, count, (account, due, known_from, known_until), _DEBT_INSTALMENT, amount)
    return count


@compiled
def _debt_events(events: Sheet, out: Sheet, count: int) -> int:
    for row in range(events.shape[1]):
        if events[KIND, row] >= 0:
            amount = events[AMOUNT, row]
            value = 0 if amount == MISSING else abs(amount)
            count = _put(out, count, _row(events, row), _DEBT_EVENT + events[KIND, row], value)
    return count


@compiled
def _contacts(contacts: Sheet, out: Sheet, count: int) -> int:
    for row in range(contacts.shape[1]):
        channel = contacts[CHANNEL, row]
        count = _put(out, count, _row(contacts, row), _ATTEMPT + channel, contacts[COST, row])
        if contacts[OFFERED, row] == 1:
            count = _put(out, count, _row(contacts, row), _OFFERED + channel, contacts[COST, row])
    return count


@compiled
def _responses(sheets: Sheets, of_contact: tuple[Int64s, Int64s], out: Sheet, count: int) -> int:
    """Responses without a channel take that of their contact while it is known; before that they are ``other``."""
    responses, contacts = sheets.responses, sheets.contacts
    for row in range(responses.shape[1]):
        account, moment, known_from, known_until = _row(responses, row)
        code, channel = _RESPONSE + responses[RESPONSE_KIND, row] * _N_CHANNELS, responses[CHANNEL, row]
        if responses[REASON, row] >= 0:
            count = _put(out, count, _row(responses, row), _SAID + responses[REASON, row], 0)
        if channel >= 0:
            count = _put(out, count, _row(responses, row), code + channel, 0)
            continue
        alone_until = known_until
        contact = of_contact[0][responses[CONTACT, row]] if responses[CONTACT, row] >= 0 else -1
        while contact >= 0:
            if contacts[ACCOUNT, contact] == account:
                since = max(contacts[RECORDED, contact], contacts[OCCURRED, contact])
                both = account, moment, max(known_from, since), min(known_until, contacts[UNTIL, contact])
                count = _put(out, count, both, code + contacts[CHANNEL, contact], 0)
                alone_until = min(alone_until, since)
            contact = of_contact[1][contact]
        count = _put(out, count, (account, moment, known_from, alone_until), code + _OTHER_CHANNEL, 0)
    return count


@compiled
def _receipts(sheets: Sheets, of_contact: tuple[Int64s, Int64s], out: Sheet, count: int) -> int:
    """What was received stands at the moment of its contact, or at its own before that contact is known.

    The hour of the contact is what can be chosen another time, not that of the answer.
    """
    responses, contacts = sheets.responses, sheets.contacts
    for row in range(responses.shape[1]):
        if responses[RESPONSE_KIND, row] != _READ and responses[RESPONSE_KIND, row] != _RIGHT_PARTY:
            continue
        account, moment, known_from, alone_until = _row(responses, row)
        known_until, channel = alone_until, responses[CHANNEL, row]
        contact = of_contact[0][responses[CONTACT, row]] if responses[CONTACT, row] >= 0 else -1
        while contact >= 0:
            if contacts[ACCOUNT, contact] == account:
                sent = contacts[OCCURRED, contact]
                told = max(contacts[RECORDED, contact], sent)
                # The event stands before the response happened, so that has to be said as well.
                both = account, sent, max(known_from, moment, told), min(known_until, contacts[UNTIL, contact])
                count = _put(out, count, both, _RECEIVED + contacts[CHANNEL, contact], 0)
                alone_until = min(alone_until, told)
            contact = of_contact[1][contact]
        alone = account, moment, known_from, alone_until
        count = _put(out, count, alone, _RECEIVED + (channel if channel >= 0 else _OTHER_CHANNEL), 0)
    return count


@compiled
def _promises(promises: Sheet, out: Sheet, count: int) -> int:
    for row in range(promises.shape[1]):
        account, _, known_from, known_until = _row(promises, row)
        form = max(promises[KIND, row], 0) + (_N_KINDS if promises[DISCOUNT, row] > 0 else 0)
        value = 0 if promises[AMOUNT, row] == MISSING else promises[AMOUNT, row]
        count = _put(out, count, _row(promises, row), _MADE + form, value)
        outcome, resolved = promises[OUTCOME, row], promises[RESOLVED, row]
        if outcome >= 0 and resolved != MISSING:
            when = account, resolved, known_from, known_until
            count = _put(out, count, when, _KEPT + outcome * _N_FORMS + form, value)
    return count


@compiled
def _holds(holds: Sheet, out: Sheet, count: int) -> int:
    for row in range(holds.shape[1]):
        account, _, known_from, known_until = _row(holds, row)
        count = _put(out, count, _row(holds, row), _OPENED + holds[HOLD_KIND, row], 0)
        if holds[RELEASED, row] != MISSING:
            when = account, holds[RELEASED, row], known_from, known_until
            count = _put(out, count, when, _RELEASED + holds[HOLD_KIND, row], 0)
    return count


@compiled
def link_events(sheets: Sheets, sizes: tuple[int, int], zones: Zones, zone_of: Int32s, out: Sheet) -> int:
    """Every event of every table in ``out`` (6, room), unsorted; returns how many there are, be there room or not.

    Parameters
    ----------
    sizes : how many debt ids and contact ids there are
    zone_of : (n_accounts,) zone of each account, -1 where unknown
    """
    count = _payments(sheets, chains(sheets.debts[ID], sizes[0]), out, 0)
    count = _debts(sheets.debts, zones, zone_of, out, count)
    count = _debt_events(sheets.debt_events, out, count)
    count = _contacts(sheets.contacts, out, count)
    of_contact = chains(sheets.contacts[ID], sizes[1])
    count = _responses(sheets, of_contact, out, count)
    count = _receipts(sheets, of_contact, out, count)
    count = _promises(sheets.promises, out, count)
    return _holds(sheets.holds, out, count)
