"""An attempt to contact: how it ends, what that changes, and the trail of responses it leaves."""

from __future__ import annotations

from typing import Any, NamedTuple

from domain.clock import US_PER_SECOND
from simulation.behaviour import DISPUTES, complains, opts_out, reach, takes
from simulation.draws import uniform, whole
from simulation.events import change_consent, decided_us, learnt_us, moment_us, respond
from simulation.journal import CONSENT, HOLD, NOTHING, REASON, RESPONSE, TABLE, write
from simulation.ladder import CALL, DISCOUNT, INCENTIVE, INSTALMENTS, POST, VISIT
from simulation.parts import part

NOT_DONE, MISSED, HEARD, OPTED_OUT, DISPUTED, TOOK = 0, 1, 2, 3, 4, 5
"""How an attempt ends; the cases exclude each other, and a complaint may come on top of any of them."""


class Odds(NamedTuple):
    """Probabilities of an attempt: carried out; reached; and, once reached, opting out, disputing, taking the offer."""

    executed: float
    reached: float
    opted_out: float
    disputed: float
    took: float
    complained: float


@part
def odds_of(me: Any, it: Any, book: Any, at: tuple[int, int, int]) -> Odds:
    """The odds of (action, days past due, overdue cents): what the truth sums over and the world draws from."""
    action, dpd, cents = at
    c = book.channel[action]
    return Odds(
        book.executed[c],
        reach(me, it, book, (action, dpd)),
        opts_out(me, it, book, c),
        DISPUTES,
        takes(me, it, book, (action, dpd, cents)),
        complains(me, it, book, c),
    )


@part
def contact_case(me: Any, day: int, odds: Odds) -> int:
    """Draw how an attempt ends."""
    if uniform(me.key, day, 500) >= odds.executed:
        return NOT_DONE
    if uniform(me.key, day, 501) >= odds.reached:
        return MISSED
    if uniform(me.key, day, 502) < odds.opted_out:
        return OPTED_OUT
    if uniform(me.key, day, 503) < odds.disputed:
        return DISPUTED
    return TOOK if uniform(me.key, day, 504) < odds.took else HEARD


@part
def take_effect(me: Any, it: Any, book: Any, what: tuple[int, int, int]) -> None:
    """Change the state by (case, action, day); the promise of ``TOOK`` is made by ``agreements.accept``."""
    case, action, day = what
    if case == NOT_DONE:
        return
    c, o = book.channel[action], book.offer[action]
    if case == MISSED:
        it.fatigue += 0.5 * book.tires[c]
        return
    it.forgot, it.reminded_until = 0, day + 14
    if case == DISPUTED:
        it.hold_until = day + whole(uniform(me.key, day, 510), 14, 45)
    elif case == OPTED_OUT:
        it.off |= 1 << c
    elif case == HEARD:
        it.fatigue += book.tires[c]
        it.nudge += book.push[c] + (0.8 * me.bargain if book.kind[o] == INCENTIVE else 0.0)
    else:
        it.fatigue += 0.3
        it.promise_offer = o


@part
def contact_moment(me: Any, it: Any, book: Any, when: tuple[int, int, int]) -> None:
    """Set day and moment of the attempt of (action, first day, day after the last): at the hours asked for."""
    action, day, end = when
    m = book.moment[action]
    later = uniform(me.key, day, 520) < 0.3 and end - day > 1
    it.contact_day = day + 1 if later else day
    opens = book.hours[m, 0] * 3_600
    if not later:
        opens = max(opens, (12 + me.offset_h) * 3_600 + 300)
    closes = max(book.hours[m, 1] * 3_600, opens + 600)
    second = opens + int(uniform(me.key, day, 521) * (closes - opens))
    it.contact_us = moment_us(me, it.contact_day, second)


@part
def record_contact(me: Any, it: Any, book: Any, week: Any, what: tuple[int, int, int, int]) -> None:
    """Write the attempt and its trail: (case, action, decision serial, debt serial)."""
    case, action, decision, debt = what
    c, o, at_us = book.channel[action], book.offer[action], it.contact_us
    style = book.style[c]
    talked = style == CALL and case >= HEARD
    seconds = 40 + int(uniform(me.key, it.contact_day, 530) * 400) if talked else 0
    row = (me.account, it.contacts, c, at_us, learnt_us(me, at_us, 531), debt, o, seconds, decision)
    write(week, TABLE.contacts, row)
    if style == CALL:
        _trail_of_call(me, it, week, (case, c))
    elif style == VISIT:
        _trail_of_visit(me, it, week, (case, c))
    else:
        _trail_of_text(me, it, week, (case, c, style))
    if case >= HEARD:
        _trail_of_offer(me, it, book, week, (case, c, o))
    it.contacts += 1


@part
def discovered(me: Any, it: Any, book: Any, c: int) -> int:
    """The bit of a channel whose contact point this attempt shows to be wrong, else 0."""
    wrong = bool(me.invalid >> c & 1)
    if not wrong or book.style[c] == VISIT:
        return 0
    if book.style[c] == CALL and uniform(me.key, it.contact_day, 550) >= 0.3:
        return 0
    return 1 << c


@part
def _say(me: Any, it: Any, week: Any, what: tuple[int, int, int, int]) -> None:
    """Write a response of the running contact: (kind, channel, seconds after it, reason)."""
    kind, c, seconds, reason = what
    respond(me, it, week, (kind, it.contact_us + seconds * US_PER_SECOND, it.contacts, c, reason))


@part
def _trail_of_text(me: Any, it: Any, week: Any, what: tuple[int, int, int]) -> None:
    case, c, style = what
    draw = uniform(me.key, it.contact_day, 540)
    slow = 86_400 * 2 if style == POST else 5
    if me.invalid >> c & 1:
        _say(me, it, week, (RESPONSE.bounced, c, slow, NOTHING))
        change_consent(me, it, week, (c, CONSENT.invalid, it.contact_us + 2 * slow * US_PER_SECOND))
        return
    if case == MISSED and draw < 0.04:
        return
    _say(me, it, week, (RESPONSE.delivered, c, slow, NOTHING))
    if case == MISSED or style == POST:
        return
    _say(me, it, week, (RESPONSE.read, c, 60 + int(draw * 5_000), NOTHING))
    if draw < 0.30:
        _say(me, it, week, (RESPONSE.clicked, c, 90 + int(draw * 5_000), NOTHING))
    elif draw > 0.80:
        _say(me, it, week, (RESPONSE.replied, c, 120 + int(draw * 5_000), _reason(me, it, 541)))


@part
def _trail_of_call(me: Any, it: Any, week: Any, what: tuple[int, int]) -> None:
    case, c = what
    draw = uniform(me.key, it.contact_day, 550)
    if case >= HEARD:
        _say(me, it, week, (RESPONSE.answered, c, 15, NOTHING))
        _say(me, it, week, (RESPONSE.right_party, c, 30, NOTHING))
        if case == HEARD and draw < 0.35:
            _say(me, it, week, (RESPONSE.refused, c, 60, _reason(me, it, 551)))
    elif me.invalid >> c & 1 and draw < 0.6:
        _say(me, it, week, (RESPONSE.wrong_party, c, 20, NOTHING))
        if draw < 0.3:  # as in discovered()
            change_consent(me, it, week, (c, CONSENT.invalid, it.contact_us + 900 * US_PER_SECOND))
    elif draw < 0.58:
        _say(me, it, week, (RESPONSE.no_answer, c, 30, NOTHING))
    elif draw < 0.82:
        _say(me, it, week, (RESPONSE.voicemail, c, 25, NOTHING))
    else:
        _say(me, it, week, (RESPONSE.answered, c, 12, NOTHING))
        _say(me, it, week, (RESPONSE.hung_up if draw < 0.95 else RESPONSE.wrong_party, c, 18, NOTHING))


@part
def _trail_of_visit(me: Any, it: Any, week: Any, what: tuple[int, int]) -> None:
    case, c = what
    if case >= HEARD:
        _say(me, it, week, (RESPONSE.portal_visit, c, 3_600, NOTHING))


@part
def _trail_of_offer(me: Any, it: Any, book: Any, week: Any, what: tuple[int, int, int]) -> None:
    case, c, o = what
    draw = uniform(me.key, it.contact_day, 560)
    later = 200 + int(draw * 1_500)
    real = book.kind[o] == DISCOUNT or book.kind[o] == INSTALMENTS
    if case == OPTED_OUT:
        _say(me, it, week, (RESPONSE.opted_out, c, later, NOTHING))
        status_us = it.contact_us + (later + 60) * US_PER_SECOND
        change_consent(me, it, week, (c, CONSENT.revoked, status_us))
    elif case == DISPUTED:
        unknown = REASON.not_recognised if draw < 0.6 else REASON.dispute
        _say(me, it, week, (RESPONSE.disputed, c, later, unknown))
        hold_us = it.contact_us + (later + 600) * US_PER_SECOND
        write_hold(me, it, week, (HOLD.dispute, 0, hold_us))
    elif case == TOOK and real:
        _say(me, it, week, (RESPONSE.offer_simulated, c, later, NOTHING))
        _say(me, it, week, (RESPONSE.offer_accepted, c, later + 120, NOTHING))
    elif real and draw < 0.22:
        _say(me, it, week, (RESPONSE.offer_simulated, c, later, NOTHING))
        _say(me, it, week, (RESPONSE.offer_abandoned, c, later + 300, NOTHING))
        if draw < 0.08:
            _say(me, it, week, (RESPONSE.replied, c, later + 400, REASON.offer_mismatch))


@part
def write_hold(me: Any, it: Any, week: Any, what: tuple[int, int, int]) -> None:
    """Write a hold that lasts until ``it.hold_until``: (kind, scope, moment)."""
    kind, scope, at_us = what
    released = decided_us(it.hold_until) - 3_600 * US_PER_SECOND if it.gone == 0 else NOTHING
    row = (me.account, kind, scope, at_us, at_us + 60 * US_PER_SECOND, released)
    write(week, TABLE.holds, row)


@part
def _reason(me: Any, it: Any, purpose: int) -> int:
    """What the debtor says of why he has not paid: mostly the truth, and often nothing."""
    draw = uniform(me.key, it.contact_day, purpose)
    if draw > 0.55:
        return int(NOTHING)
    if it.unseen_until_us > it.contact_us:
        return int(REASON.already_paid)
    if it.hardship:
        return int(REASON.unemployment if draw < 0.30 else REASON.income_drop)
    if me.forget > 0.18 and draw < 0.30:
        return int(REASON.forgot)
    if me.able < 0.0 and draw < 0.45:
        return int(REASON.no_plan if draw < 0.33 else REASON.income_drop)
    if draw < 0.04:
        return int(REASON.already_paid)
    return int(REASON.illness if draw < 0.08 else REASON.other)


@part
def complaint(me: Any, it: Any, week: Any, what: tuple[int, float]) -> None:
    """Draw and write a complaint about the running contact: (channel, its probability)."""
    c, chance = what
    if uniform(me.key, it.contact_day, 570) < chance:
        at_us = it.contact_us + 40_000 * US_PER_SECOND
        respond(me, it, week, (RESPONSE.complained, at_us, it.contacts - 1, c, NOTHING))
