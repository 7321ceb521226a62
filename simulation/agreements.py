"""Promises, settlements and instalment agreements: how they are made, kept, and broken."""

from __future__ import annotations

from typing import Any

from domain.clock import US_PER_SECOND
from simulation.behaviour import keeps, keeps_part
from simulation.books import BILL, PARKED, PART, accrue, close_debt, has_room, open_debt, owed, standing, write_down
from simulation.draws import uniform, whole
from simulation.events import change_debt, moment_us
from simulation.journal import EVENT, NOTHING, OUTCOME, TABLE, write
from simulation.ladder import DISCOUNT, INSTALMENTS
from simulation.parts import part
from simulation.payments import receive, settle

PROMISED, SETTLEMENT, AGREEMENT = 0, 1, 2
_PROMISES, _DEBTS, _EVENTS, _NONE = TABLE.promises, TABLE.debts, TABLE.debt_events, NOTHING
_RENEGOTIATED, _REINSTATED, _CANCELLED = EVENT.renegotiated, EVENT.reinstated, EVENT.cancelled
_DISCOUNT, _CORRECTION = EVENT.discount, EVENT.correction
KEPT, BROKEN, OPEN = OUTCOME.kept, OUTCOME.broken, -1
_EVENING = 75_600


@part
def accept(me: Any, it: Any, book: Any, week: Any) -> None:
    """Make the promise, settlement or agreement that ``it.promise_offer`` stands for, on what is overdue."""
    day, kind = it.contact_day, book.kind[it.promise_offer]
    overdue, _, _ = standing(it, week.day)
    it.promises += 1
    it.promise, it.promise_from, it.promise_from_us = it.promises, week.day, it.contact_us + 60 * US_PER_SECOND
    it.promise_paid, it.promise_cents, it.promise_discount, it.part, it.parts, it.missed = 0, overdue, 0, 0, 0, 0
    it.forgot = 0
    if kind == INSTALMENTS and has_room(it, book.parts[it.promise_offer]):
        it.promise_kind, it.parts = AGREEMENT, book.parts[it.promise_offer]
        it.promise_due = day + 5
        _renegotiate(me, it, week)
    elif kind == DISCOUNT:
        it.promise_kind, it.promise_due = SETTLEMENT, day + book.valid_days[it.promise_offer]
        it.promise_discount = int(overdue * book.pct[it.promise_offer] + 0.5)
        it.promise_cents = overdue - it.promise_discount
    else:
        it.promise_kind = PROMISED
        it.promise_due = day + whole(uniform(me.key, day, 400), 2, 7)


@part
def _renegotiate(me: Any, it: Any, week: Any) -> None:
    """Park what is overdue and open one debt for each instalment."""
    at_us, total = it.promise_from_us, 0
    for j in range(it.n_open):
        if it.role[j] == BILL and it.due[j] < week.day:
            accrue(me, it, j, it.contact_day)
            total += owed(it, j)
            it.role[j] = PARKED
            change_debt(me, it, week, (_RENEGOTIATED, it.serial[j], 0, at_us, it.promise - 1))
    it.promise_cents = total
    for number in range(it.parts):
        cents = total // it.parts + (total % it.parts if number == 0 else 0)
        due = it.promise_due + int(30.4375 * number)
        j = open_debt(it, due, cents, PART)
        row = (me.account, it.serial[j], cents, due, at_us, at_us + 30 * US_PER_SECOND, it.promise - 1)
        write(week, _DEBTS, row)


@part
def resolve_promise(me: Any, it: Any, book: Any, week: Any) -> None:
    """Play the active promise through the week."""
    if it.promise > 0 and it.promise_kind == AGREEMENT:
        _play_agreement(me, it, week)
    elif it.promise > 0 and it.promise_due < week.end:
        due = it.promise_due
        if uniform(me.key, due, 410) < keeps(me, it, it.promise_cents):
            first = max(week.day, it.contact_day)
            day = whole(uniform(me.key, due, 411), min(first, due), due)
            pct = book.pct[it.promise_offer] if it.promise_kind == SETTLEMENT else 0.0
            _pay_promise(me, it, week, (max(day, week.day), pct))
            close_promise(me, it, week, (KEPT, moment_us(me, due, _EVENING)))
        else:
            close_promise(me, it, week, (BROKEN, moment_us(me, due, _EVENING)))
            it.nudge = 0.0


@part
def _pay_promise(me: Any, it: Any, week: Any, how: tuple[int, float]) -> None:
    """Pay what was promised on a day; a settlement pays its part of each debt and the discount closes the rest."""
    day, pct = how
    j = 0
    while j < it.n_open:
        if it.role[j] != BILL or it.due[j] >= it.promise_from:
            j += 1
            continue
        accrue(me, it, j, day)
        cents = owed(it, j)
        off = int(cents * pct + 0.5)
        at_us, posted = receive(me, it, week, (cents - off, day, it.serial[j], it.promise - 1))
        if off > 0:
            # Effective with the payment, so that no interest runs on it; known when the payment is posted.
            row = (me.account, it.events, it.serial[j], _DISCOUNT, -off, at_us, posted + 1, it.promise - 1)
            write(week, _EVENTS, row)
            it.events += 1
        close_debt(it, j)


@part
def close_promise(me: Any, it: Any, week: Any, end: tuple[int, int]) -> None:
    """Write the promise with (outcome, moment it was resolved), and forget it."""
    outcome, resolved = end
    down = it.promise_cents // it.parts + it.promise_cents % it.parts if it.promise_kind == AGREEMENT else _NONE
    row = (
        me.account, it.promise - 1, it.promise_kind, it.promise_cents, it.promise_discount, down, it.promise_due,
        max(it.parts, 1), it.promise_offer, it.promise_decision, it.promise_from_us,
        it.promise_from_us + 30 * US_PER_SECOND, resolved, outcome,
    )  # fmt: skip
    write(week, _PROMISES, row)
    it.promise = 0


@part
def show_promise(me: Any, it: Any, week: Any) -> None:
    """Write the promise that is running, if any, as still open; it goes on."""
    active = it.promise
    if active > 0:
        close_promise(me, it, week, (OPEN, _NONE))
        it.promise = active


@part
def _next_part(it: Any) -> int:
    for j in range(it.n_open):
        if it.role[j] == PART:
            return j
    return -1


@part
def _play_agreement(me: Any, it: Any, week: Any) -> None:
    """Pay the instalment falling due, late perhaps by a week or two; after that the agreement is broken."""
    j = _next_part(it)
    if it.due[j] >= week.end:
        return
    due = it.due[j]
    odds = keeps_part(me, it, (it.principal[j], it.part)) * (0.35 if it.missed > 0 else 1.0)
    if uniform(me.key, week.day, 420) < odds:
        first = max(due - 3, week.day) if it.missed == 0 else week.day
        first = max(first, min(it.contact_day + 1, week.end - 1)) if it.contact_day >= week.day else first
        day = whole(uniform(me.key, week.day, 421), first, max(due, first) if it.missed == 0 else week.end - 1)
        it.promise_paid += owed(it, j)
        settle(me, it, week, (j, min(day, week.end - 1)))
        it.part, it.missed = it.part + 1, 0
        if _next_part(it) < 0:
            _keep_agreement(me, it, week, day)
    elif it.missed < 2:
        it.missed += 1
    else:
        _break_agreement(me, it, week)


@part
def _keep_agreement(me: Any, it: Any, week: Any, day: int) -> None:
    j = 0
    while j < it.n_open:
        if it.role[j] == PARKED:
            close_debt(it, j)
        else:
            j += 1
    close_promise(me, it, week, (KEPT, moment_us(me, day, 82_800)))


@part
def _break_agreement(me: Any, it: Any, week: Any) -> None:
    """Cancel the instalments still open; the old debts come back, less what was paid."""
    at_us, left, j = moment_us(me, week.end - 1, _EVENING), it.promise_paid, 0
    while j < it.n_open:
        if it.role[j] == PART:
            change_debt(me, it, week, (_CANCELLED, it.serial[j], 0, at_us, it.promise - 1))
            close_debt(it, j)
            continue
        if it.role[j] == PARKED:
            it.role[j] = BILL
            change_debt(me, it, week, (_REINSTATED, it.serial[j], 0, at_us, it.promise - 1))
            accrue(me, it, j, week.end - 1)
            credited = min(left, owed(it, j))
            if credited > 0:
                change_debt(me, it, week, (_CORRECTION, it.serial[j], -credited, at_us, it.promise - 1))
                write_down(it, j, credited)
                left -= credited
            if owed(it, j) == 0:
                close_debt(it, j)
                continue
        j += 1
    close_promise(me, it, week, (BROKEN, at_us))
