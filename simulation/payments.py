"""Money coming in: on time, late, partial, posted days later, and now and then taken back."""

from __future__ import annotations

import math
from typing import Any

from domain.clock import US_PER_DAY, US_PER_HOUR, US_PER_SECOND
from simulation.behaviour import RECALLED, pays_late, pays_on_time
from simulation.books import BILL, PART, accrue, close_debt, open_debt, owed, pay_in, standing
from simulation.draws import uniform, whole
from simulation.events import decided_us, moment_us
from simulation.journal import NOTHING, TABLE, write
from simulation.parts import part

PIX, BOLETO, CARD, DEBIT = 0, 1, 2, 3
METHODS = ("pix", "boleto", "card", "debit")
_PAYMENTS = TABLE.payments
_NONE = NOTHING


@part
def posted_us(me: Any, at_us: int, method: int) -> int:
    """When a payment is posted: pix within minutes, boletos after one to three days, a few of all a week late."""
    draw = uniform(me.key, at_us // US_PER_SECOND, 301)
    if draw < 0.015:
        return at_us + int((4.0 + 8.0 * draw / 0.015) * US_PER_DAY)
    if method == PIX:
        return at_us + int(draw * 0.5 * US_PER_HOUR)
    if method == BOLETO:
        return at_us + int((0.6 + 2.2 * draw) * US_PER_DAY)
    return at_us + int((0.3 + 0.9 * draw) * US_PER_DAY)


@part
def receive(me: Any, it: Any, week: Any, money: tuple[int, int, int, int]) -> tuple[int, int]:
    """Write (cents, day, debt serial, promise serial) as a payment and count its present value.

    Returns when it happened and when it was posted.
    """
    cents, day, serial, promise = money
    second = 25_200 + int(uniform(me.key, day, 310 + it.payments) * 54_000)
    at_us = max(moment_us(me, day, second), decided_us(week.day) + 60 * US_PER_SECOND)
    if day == it.contact_day:
        at_us = max(at_us, it.contact_us + 600 * US_PER_SECOND)
    method = me.method if uniform(me.key, day, 302) < 0.8 else PIX
    posted = posted_us(me, at_us, method)
    row = (me.account, it.payments, cents, at_us, posted, serial, promise, method)
    write(week, _PAYMENTS, row)
    it.payments += 1
    it.paid_week = week.day
    it.recovered += cents / 100.0 * math.exp(-week.daily_rate * (day - week.value_day))
    it.first_paid_us = min(it.first_paid_us, at_us) if cents > 0 else it.first_paid_us
    return at_us, posted


@part
def settle(me: Any, it: Any, week: Any, paid: tuple[int, int]) -> None:
    """Pay debt (place, day) in full and close it."""
    j, day = paid
    _, oldest, total = standing(it, day)
    accrue(me, it, j, day)
    cents, serial = owed(it, j), it.serial[j]
    # Without the name of a debt only where no other payment of the week could have come first.
    alone = it.n_open == 1 and it.paid_week != week.day and uniform(me.key, day, 303) < 0.15
    promise = it.promise - 1 if it.role[j] == PART else _NONE
    _, posted = receive(me, it, week, (cents, day, _NONE if alone else serial, promise))
    clean = it.role[j] == BILL and it.touched[j] == 0 and not alone
    if clean and it.reversal[0] == 0 and uniform(me.key, day, 304) < 0.007:
        it.reversal[0] = day + whole(uniform(me.key, day, 305), 4, 20)
        it.reversal[1], it.reversal[2], it.reversal[3] = serial, it.due[j], it.principal[j]
        it.reversal[4], it.reversal[5], it.reversal[6] = it.charges[j], it.days[j], it.interest[j]
        it.reversal[7] = me.method
    close_debt(it, j)
    if posted >= decided_us(week.end) and it.unseen_until_us < decided_us(week.end):
        it.unseen_until_us, it.unseen_due, it.unseen_cents = posted, oldest, total


@part
def undo_payment(me: Any, it: Any, week: Any) -> None:
    """A payment taken back (a returned debit, a chargeback): its debt is owed again."""
    day = it.reversal[0]
    if not week.day <= day < week.end or it.n_open + 1 > 36:
        it.reversal[0] = 0 if 0 < day < week.day else day
        return
    serial, debts = it.reversal[1], it.debts
    receive(me, it, week, (-(it.reversal[3] + it.reversal[4]), day, serial, _NONE))
    j = open_debt(it, it.reversal[2], it.reversal[3], BILL)
    it.debts, it.serial[j] = debts, serial
    it.charges[j], it.days[j], it.interest[j] = it.reversal[4], it.reversal[5], it.reversal[6]
    it.accrued_to[j], it.touched[j] = max(it.reversal[2], day), 1
    it.reversal[0] = 0


@part
def pay_week(me: Any, it: Any, book: Any, week: Any) -> None:
    """What the debtor pays unprompted by any promise: overdue bills first, then those falling due."""
    salary = book.months[it.month_now] + me.salary_dom - 1
    payday = week.day - 3 <= salary < week.end
    overdue, oldest, _ = standing(it, week.day)
    if overdue > 0:
        _pay_overdue(me, it, week, (overdue, oldest, payday))
    _pay_due(me, it, week, payday)


@part
def _pay_overdue(me: Any, it: Any, week: Any, seen: tuple[int, int, bool]) -> None:
    overdue, oldest, payday = seen
    if it.forgot:
        it.forgot = 0 if uniform(me.key, week.day, 320) < RECALLED * (week.end - week.day) / 7.0 else 1
        return
    chance = pays_late(me, it, (overdue, week.day - oldest), payday) * (week.end - week.day) / 7.0
    promised = it.promise > 0 and it.promise_kind != 2  # an agreement does not cover bills that fell late after it
    if promised or uniform(me.key, week.day, 321) >= chance:
        return
    first = max(week.day, it.contact_day) if it.contact_day < week.end else week.day
    day = whole(uniform(me.key, week.day, 322), first, week.end - 1)
    style = uniform(me.key, week.day, 323)
    share = 0.2 + 0.6 * uniform(me.key, week.day, 324)
    for paid in range(it.n_open):
        j = _oldest_late(it, week.day)
        if j < 0 or (paid > 0 and style < 0.5):
            break
        accrue(me, it, j, day)
        if style < 0.09 and owed(it, j) > 2_000:
            cents = int(owed(it, j) * share)
            receive(me, it, week, (cents, day, it.serial[j], _NONE))
            pay_in(it, j, cents)
            break
        settle(me, it, week, (j, day))


@part
def _oldest_late(it: Any, day: int) -> int:
    for j in range(it.n_open):
        if it.role[j] == BILL and it.due[j] < day:
            return j
    return -1


@part
def _pay_due(me: Any, it: Any, week: Any, payday: bool) -> None:
    """Bills falling due within the week: paid on time, forgotten, or missed."""
    j = 0
    while j < it.n_open:
        due = it.due[j]
        if it.role[j] != BILL or not week.day <= due < week.end:
            j += 1
            continue
        forgets = me.forget * (0.12 if it.reminded_until >= due else 1.0)
        forgotten = uniform(me.key, due, 330) < forgets
        able = uniform(me.key, due, 331) < pays_on_time(me, it, it.principal[j], payday)
        if able and not forgotten:
            early = int(uniform(me.key, due, 332) ** 2 * 6)
            settle(me, it, week, (j, min(max(due - early, week.day, it.contact_day), due)))
            it.late *= 0.75
            continue
        it.forgot = 1 if forgotten and able else it.forgot
        it.late = 0.75 * it.late + 0.25
        j += 1
