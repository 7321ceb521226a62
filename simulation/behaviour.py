"""How debtors respond: the true mechanism, as probabilities of one account's state. Nothing here writes or draws.

Three gates stand before a payment: the debtor must *remember* the bill, be *able*, and be *willing*; a contact acts on
one of them, never on the payment itself. A reached reminder cures forgetting, instalments ease the ability, a push or a
discount moves the will; every attempt tires, reached or not. The funnel learner
shares one idea with it, that an effect needs a contact that is received; none is written in this form.
"""

from __future__ import annotations

import math
from typing import Any

from simulation.draws import sigmoid
from simulation.ladder import CALL, DISCOUNT, INSTALMENTS
from simulation.parts import part

FATIGUE_KEPT = 0.80
DISPUTES = 0.004
"""Chance that a reached debtor contests the debt."""
NUDGE_KEPT = 0.62
"""What a week leaves of fatigue and of the push of a conversation."""
RECALLED = 0.12
"""Chance a week that a debtor remembers a forgotten bill by himself: the self-cure."""


@part
def reach(me: Any, it: Any, book: Any, at: tuple[int, int]) -> float:
    """Probability that an attempt reaches the debtor; ``at`` is (action, days past due)."""
    action, dpd = at
    c, m = book.channel[action], book.moment[action]
    if me.invalid >> c & 1:
        return 0.0
    timing = (0.5 if m == me.moment else -0.3) * (1.3 if book.style[c] == CALL else 0.6)
    avoiding = 0.18 * math.log1p(max(dpd, 0) / 30.0)
    return sigmoid(book.reach[c] + me.affinity[c] + timing - 0.35 * me.tiring * it.fatigue - avoiding)


@part
def ability(me: Any, it: Any, due_cents: int, payday: bool) -> float:
    """Log-odds that the money is there this week for an amount."""
    burden = 0.55 * math.log(max(due_cents, 2_000) / (0.12 * me.income_cents))
    return float(me.able - 2.2 * it.hardship + (0.6 if payday else -0.15) - min(max(burden, -1.0), 2.5))


@part
def willingness(me: Any, it: Any, dpd: int) -> float:
    """Log-odds of wanting to pay this week: pushed by conversations, worn down by contacts and by time."""
    worn = 0.30 * me.tiring * it.fatigue + 1.15 * math.log1p(max(dpd, 0) / 20.0)
    return float(me.will + 1.6 * it.nudge + 0.35 * it.listed - worn)


@part
def pays_on_time(me: Any, it: Any, due_cents: int, payday: bool) -> float:
    """Probability that a bill which is not forgotten is paid by its due day."""
    return 0.985 * sigmoid(ability(me, it, due_cents, payday) + 3.0) * sigmoid(willingness(me, it, 0) + 3.2)


@part
def pays_late(me: Any, it: Any, due: tuple[int, int], payday: bool) -> float:
    """Probability that remembered, overdue money comes in within a week; ``due`` is (cents, days past due)."""
    return 0.40 * sigmoid(ability(me, it, due[0], payday)) * sigmoid(willingness(me, it, due[1]))


@part
def opts_out(me: Any, it: Any, book: Any, c: int) -> float:
    """Probability that a reached debtor asks not to be contacted by this channel again."""
    return min(float(0.004 * me.complaining * book.intrusive[c] * (0.6 + 0.7 * it.fatigue)), 0.25)


@part
def complains(me: Any, it: Any, book: Any, c: int) -> float:
    """Probability that an attempt, reached or not, ends in a complaint."""
    return min(float(0.0009 * me.complaining * book.intrusive[c] * (0.5 + it.fatigue)), 0.10)


@part
def takes(me: Any, it: Any, book: Any, at: tuple[int, int, int]) -> float:
    """Probability that a reached debtor accepts the offer, or promises where there is none to accept.

    ``at`` is (action, days past due, overdue cents); only overdue money can be promised or agreed on.
    """
    action, dpd, due_cents = at
    if due_cents <= 0 or it.promise > 0:
        return 0.0
    o, c = book.offer[action], book.channel[action]
    able = ability(me, it, due_cents, False)
    if book.kind[o] == DISCOUNT:
        return sigmoid(-2.6 + 9.0 * me.bargain * book.pct[o] + 0.60 * able + 0.20 * me.will + 0.3 * book.push[c])
    if book.kind[o] == INSTALMENTS:
        eased = 0.12 * (book.parts[o] - 3)
        return sigmoid(-1.3 - 0.75 * able + 0.30 * me.will + eased + 0.3 * book.push[c])
    return sigmoid(book.promising[c] + 0.35 * able + 0.5 * willingness(me, it, dpd))


@part
def keeps(me: Any, it: Any, due_cents: int) -> float:
    """Probability that a promised amount is paid by its day."""
    return sigmoid(0.75 + 0.75 * ability(me, it, due_cents, False) + 0.35 * me.will + 0.5 * it.nudge)


@part
def keeps_part(me: Any, it: Any, part: tuple[int, int]) -> float:
    """Probability that (cents, number from 0) an instalment is paid when due; it falls with each one."""
    return sigmoid(1.9 + 0.7 * ability(me, it, part[0], False) + 0.35 * me.will - 0.30 * part[1])
