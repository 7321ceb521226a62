"""One week of one account: bills, a decision, a contact and what it sets off, payments, promises falling due."""

from __future__ import annotations

from typing import Any

from domain.clock import US_PER_SECOND
from simulation import assumptions
from simulation.agreements import AGREEMENT, accept, resolve_promise
from simulation.behaviour import FATIGUE_KEPT, NUDGE_KEPT
from simulation.books import BILL, PARKED, accrue_all, close_debt, has_room, open_debt, standing
from simulation.contacts import (
    HEARD,
    NOT_DONE,
    TOOK,
    complaint,
    contact_case,
    contact_moment,
    discovered,
    odds_of,
    record_contact,
    take_effect,
    write_hold,
)
from simulation.draws import uniform, whole
from simulation.events import change_consent, change_debt, decided_us, moment_us, respond
from simulation.journal import CONSENT, EVENT, HOLD, NOTHING, RESPONSE, TABLE, write
from simulation.ladder import channel_open, eligible_count, explored_action, ladder_action, offer_open, spacing
from simulation.parts import part
from simulation.payments import pay_week, undo_payment

_NONE = NOTHING
_LISTED, _REMOVED, _ASSIGNED = EVENT.bureau_listed, EVENT.bureau_removed, EVENT.assigned


@part
def play_week(me: Any, it: Any, book: Any, week: Any) -> None:
    """Play a week with the ladder in charge."""
    open_week(me, it, book, week)
    act(me, it, book, week)
    close_week(me, it, book, week)


@part
def open_week(me: Any, it: Any, book: Any, week: Any) -> None:
    """Bring charges up to date, issue bills, and let the world act on the debtor."""
    while it.month_now + 1 < book.n_months and book.months[it.month_now + 1] <= week.day:
        it.month_now += 1
    accrue_all(me, it, week.day)
    if week.billing:
        _issue_bills(me, it, book, week)
    _misfortune(me, it, book, week)
    if it.reversal[0] > 0:
        undo_payment(me, it, week)


@part
def close_week(me: Any, it: Any, book: Any, week: Any) -> None:
    """Payments, promises, the bureau, and the fading of impressions."""
    if not week.silent:
        _browse(me, it, week)
    pay_week(me, it, book, week)
    resolve_promise(me, it, book, week)
    _bureau(me, it, week)
    part = (week.end - week.day) / 7.0
    it.fatigue *= FATIGUE_KEPT**part
    it.nudge *= NUDGE_KEPT**part


@part
def _issue_bills(me: Any, it: Any, book: Any, week: Any) -> None:
    _, oldest, _ = standing(it, week.day)
    while it.month < book.n_months and it.billed < me.bills:
        due = book.months[it.month] + me.due_dom - 1
        issued = due - 12
        if issued >= week.end:
            break
        it.month += 1
        suspended = oldest > 0 and week.day - oldest > assumptions.SUSPENDED_FROM
        if issued < week.day or suspended or not has_room(it, 8) or it.gone:
            continue
        cents = round(me.bill_cents * (1.0 + me.varies * (2.0 * uniform(me.debtor_key, due, 10) - 1.0)))
        j = open_debt(it, due, cents, BILL)
        it.billed += 1
        at_us = max(moment_us(me, issued, 36_000), decided_us(week.day) + US_PER_SECOND)
        row = (me.account, it.serial[j], cents, due, at_us, at_us + 3_600 * US_PER_SECOND, _NONE)
        write(week, TABLE.debts, row)


@part
def _misfortune(me: Any, it: Any, book: Any, week: Any) -> None:
    """Hardship comes and goes; rarely, an event that stops collection. Accounts of a debtor share all of it."""
    draw = uniform(me.debtor_key, week.day, 20)
    if it.hardship:
        it.hardship = 0 if draw < 0.035 else 1
    else:
        it.hardship = 1 if draw < book.falls else 0
    rare = uniform(me.debtor_key, week.day, 21)
    if rare > 0.0006 or it.hold_until > week.day:
        return
    at_us = moment_us(me, week.day, 54_000)
    if rare < 0.00006:
        it.gone, it.hold_until, it.hardship = 1, 1 << 40, 3
        write_hold(me, it, week, (HOLD.deceased, 1, at_us))
        return
    kind = HOLD.vulnerable if rare < 0.00020 else HOLD.hardship
    kind = HOLD.over_indebted if rare > 0.00052 else kind
    it.hold_until = week.day + whole(uniform(me.debtor_key, week.day, 22), 60, 180)
    write_hold(me, it, week, (kind, 1, at_us))


@part
def known_standing(it: Any, week: Any) -> tuple[int, int, int]:
    """(days past due, cents overdue, cents open) as the system knows them: a payment not yet posted is unseen."""
    if it.unseen_until_us >= decided_us(week.day):
        late = week.day - it.unseen_due
        return late, it.unseen_cents if late > 0 else 0, it.unseen_cents
    overdue, oldest, total = standing(it, week.day)
    return (week.day - oldest if oldest > 0 else -999), overdue, total


@part
def due_for_decision(me: Any, it: Any, week: Any, known: tuple[int, int, int]) -> bool:
    """Whether a decision is due at (days past due, cents overdue, cents open) as known."""
    dpd, _, total = known
    if total <= 0 or week.day < it.next_decision or it.hold_until > week.day or it.promise > 0:
        return False
    if dpd > 0:
        return True
    return dpd >= -7 and (it.late > 0.40 or uniform(me.key, week.day, 30) < 0.10)


@part
def ladder_choice(me: Any, it: Any, book: Any, week: Any, seen: tuple[int, int]) -> tuple[int, int, int, int]:
    """The ladder with its exploration at (days past due, overdue cents).

    Returns (action, whether explored, what the ladder alone would do, actions eligible; 0 where nobody needs them).
    """
    laddered = ladder_action(it, book, seen)
    explores = uniform(me.key, week.day, 31) < assumptions.EXPLORED
    count = eligible_count(it, book, seen) if explores or week.logged else 0
    if not explores:
        return laddered, 0, laddered, count
    pick = whole(uniform(me.key, week.day, 32), 0, count - 1)
    return explored_action(it, book, (pick, seen[0], seen[1])), 1, laddered, count


@part
def act(me: Any, it: Any, book: Any, week: Any) -> None:
    """Where one is due, take a decision, log it, and carry it out."""
    known = known_standing(it, week)
    if not due_for_decision(me, it, week, known):
        return
    it.next_decision = week.day + spacing(known[0])
    action, explored, laddered, count = ladder_choice(me, it, book, week, (known[0], known[1]))
    decision = _NONE
    if week.logged:
        decision = _log(me, it, book, week, (action, explored, laddered, count, known[0], known[1]))
    if action > 0:
        carry_out(me, it, book, week, (action, decision, known[0], known[1]))


@part
def open_to(it: Any, book: Any, seen: tuple[int, int]) -> tuple[int, int]:
    """Bit masks of the channels and the offers that are open at (days past due, overdue cents)."""
    channels, offers = 0, 0
    for c in range(book.n_channels):
        channels |= (1 << c) if channel_open(it, book, c) else 0
    for o in range(book.n_offers):
        offers |= (1 << o) if offer_open(book, o, seen[0], seen[1]) else 0
    return channels, offers


@part
def _log(me: Any, it: Any, book: Any, week: Any, what: tuple[int, int, int, int, int, int]) -> int:
    action, explored, laddered, count, dpd, cents = what
    channels, offers = open_to(it, book, (dpd, cents))
    serial, same = it.decisions, 1 if action == laddered else 0
    # Waiting has no channel, and is -1 on both sides.
    same |= 2 if book.channel[action] == book.channel[laddered] else 0
    row = (me.account, serial, decided_us(week.day), action, explored, same, channels, offers, count)
    write(week, TABLE.decisions, row)
    it.decisions += 1
    return int(serial)


@part
def carry_out(me: Any, it: Any, book: Any, week: Any, what: tuple[int, int, int, int]) -> int:
    """Attempt (action, decision serial, days past due, overdue cents): mostly done, and then with its consequences.

    Returns how it ended (``contacts.NOT_DONE`` …).
    """
    action, decision, dpd, cents = what
    # Only what is truly overdue can be promised, whatever the system believes.
    odds = odds_of(me, it, book, (action, dpd, min(cents, standing(it, week.day)[0])))
    case = contact_case(me, week.day, odds)
    if case == NOT_DONE:
        return int(case)
    contact_moment(me, it, book, (action, week.day, week.end))
    debt = it.serial[0] if it.n_open > 0 else _NONE
    take_effect(me, it, book, (case, action, it.contact_day))
    if week.silent:
        it.off |= discovered(me, it, book, book.channel[action])
    else:
        record_contact(me, it, book, week, (case, action, decision, debt))
        complaint(me, it, week, (book.channel[action], odds.complained))
    if case == TOOK:
        it.promise_decision = decision
        accept(me, it, book, week)
    if case >= HEARD:
        _consent_while_talking(me, it, book, week)
    return int(case)


@part
def _consent_while_talking(me: Any, it: Any, book: Any, week: Any) -> None:
    for c in range(book.n_channels):
        wanted = book.needs_consent[c] and not it.granted >> c & 1 and not it.off >> c & 1
        if wanted and uniform(me.key, it.contact_day, 40 + c) < 0.02:
            change_consent(me, it, week, (c, CONSENT.granted, it.contact_us + 300 * US_PER_SECOND))


@part
def _browse(me: Any, it: Any, week: Any) -> None:
    """Visits to the portal that nobody asked for, and calls to the creditor."""
    overdue, _, total = standing(it, week.day)
    if total == 0 or it.gone:
        return
    draw = uniform(me.key, week.day, 50)
    day = whole(uniform(me.key, week.day, 51), week.day, week.end - 1)
    at_us = max(moment_us(me, day, 61_200), decided_us(week.day) + 1_800 * US_PER_SECOND)
    if draw < me.portal * (1.5 if overdue > 0 else 1.0):
        respond(me, it, week, (RESPONSE.portal_visit, at_us, _NONE, _NONE, _NONE))
        strained = overdue > 0 and it.promise == 0 and uniform(me.key, week.day, 52) < 0.3 + 0.3 * (me.able < 0)
        if strained:
            respond(me, it, week, (RESPONSE.offer_simulated, at_us + 60_000_000, _NONE, _NONE, _NONE))
            respond(me, it, week, (RESPONSE.offer_abandoned, at_us + 300_000_000, _NONE, _NONE, _NONE))
    elif draw > 0.996 and overdue > 0:
        respond(me, it, week, (RESPONSE.inbound, at_us, _NONE, _NONE, _NONE))


@part
def _bureau(me: Any, it: Any, week: Any) -> None:
    """List with the credit bureau, strike off once paid, and sell what is very old."""
    overdue, oldest, _ = standing(it, week.end)
    at_us = moment_us(me, week.end - 1, 72_000)
    dpd = week.end - oldest if oldest > 0 else -1
    if it.listed == 0 and overdue > 0 and dpd > me.lists_from and it.promise == 0:
        serial = it.serial[0]
        it.listed = serial + 1
        change_debt(me, it, week, (_LISTED, serial, 0, at_us, _NONE))
    elif it.listed > 0 and (overdue == 0 or (it.promise > 0 and it.promise_kind == AGREEMENT)):
        change_debt(me, it, week, (_REMOVED, it.listed - 1, 0, at_us, _NONE))
        it.listed = 0
    if dpd > assumptions.ASSIGNED_FROM and it.promise == 0 and uniform(me.key, week.day, 60) < 0.06:
        while it.n_open > 0:
            if it.role[0] != PARKED:
                change_debt(me, it, week, (_ASSIGNED, it.serial[0], 0, at_us, _NONE))
            close_debt(it, 0)
        it.billed = 1 << 30
