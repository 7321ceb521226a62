"""The week being played, and the rows that several parts of it write."""

from __future__ import annotations

from typing import Any

from domain.clock import US_PER_SECOND
from simulation.draws import uniform
from simulation.journal import CONSENT, NOTHING, TABLE, write
from simulation.parts import part

OPTED_OUT_NOW, FOUND_INVALID = CONSENT.revoked, CONSENT.invalid
_RESPONSES, _EVENTS, _CONSENTS = TABLE.responses, TABLE.debt_events, TABLE.consents
_MINUTE = 60 * US_PER_SECOND
_NOTHING = NOTHING
# Purposes of draws within a week; a purpose is used once, so that draws are independent.
LATE_NEWS = 1


@part
def moment_us(me: Any, day: int, second: int) -> int:
    """The UTC microsecond of a second of an account's local day."""
    return int((day * 86_400 - me.offset_h * 3_600 + second) * US_PER_SECOND)


@part
def decided_us(day: int) -> int:
    """When the decision run of a day takes place: 12:00 UTC, nine in the morning in Brasília."""
    return (day * 86_400 + 43_200) * US_PER_SECOND


@part
def learnt_us(me: Any, at_us: int, purpose: int) -> int:
    """When the system comes to know of something: within minutes mostly, sometimes hours or a day later."""
    draw = uniform(me.key, at_us // US_PER_SECOND, purpose)
    if draw < 0.93:
        return at_us + int(draw * 10 * _MINUTE)
    return at_us + int((draw - 0.93) / 0.07 * 1_440 * _MINUTE)


@part
def respond(me: Any, it: Any, week: Any, what: tuple[int, int, int, int, int]) -> None:
    """Write a response: (kind, moment, contact serial, channel, reason)."""
    kind, at_us, contact, channel, reason = what
    recorded = learnt_us(me, at_us, 100 + kind)
    row = (me.account, it.responses, kind, at_us, recorded, contact, channel, reason)
    write(week, _RESPONSES, row)
    it.responses += 1


@part
def change_debt(me: Any, it: Any, week: Any, what: tuple[int, int, int, int, int]) -> None:
    """Write a debt event: (kind, debt serial, signed cents, moment, promise serial)."""
    kind, serial, cents, at_us, promise = what
    recorded = learnt_us(me, at_us, 200 + kind)
    row = (me.account, it.events, serial, kind, cents, at_us, recorded, promise)
    write(week, _EVENTS, row)
    it.events += 1


@part
def change_consent(me: Any, it: Any, week: Any, what: tuple[int, int, int]) -> None:
    """Write a consent and apply it: (channel, status, moment)."""
    channel, status, at_us = what
    write(week, _CONSENTS, (me.account, channel, status, at_us, at_us + _MINUTE))
    if status == CONSENT_GRANTED:
        it.granted |= 1 << channel
    else:
        it.off |= 1 << channel


CONSENT_GRANTED = CONSENT.granted
