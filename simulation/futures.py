"""The kernel of the truth: what each action is worth to each account, by imagined futures that share their luck.

An attempt can end in few ways (``contacts.Odds``), and what follows depends only on the way it ended. So each ending is
played forward, with the same draws for all of them, and an action's value is the sum over its endings, each weighted by
its exact probability: nothing of the attempt itself is left to chance.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from domain.clock import US_PER_DAY
from simulation.agreements import accept
from simulation.books import standing
from simulation.contacts import (
    DISPUTED,
    HEARD,
    MISSED,
    NOT_DONE,
    OPTED_OUT,
    TOOK,
    contact_moment,
    odds_of,
    take_effect,
)
from simulation.draws import mixed
from simulation.events import decided_us
from simulation.ladder import INCENTIVE, spacing
from simulation.parts import entry, part
from simulation.week import close_week, known_standing, open_week, play_week

RECOVERED, PAID_7, PAID_30, PAID_60, PAID_90, COST, COMPLAINT, OPT_OUT, MEASURES = 0, 1, 2, 3, 4, 5, 6, 7, 8
"""What is measured of an action: present value recovered, probability of a payment within days, and what it costs."""
HORIZON_WEEKS = 52
"""Over how many weeks the truth counts money; another page may say otherwise."""
RARE = 4
"""Endings rarer than one in a hundred are played in every fourth future only, against doing nothing in the same one."""
_FAR = np.iinfo(np.int64).max


@part
def _imagine(me: Any, it: Any, book: Any, what: tuple[Any, int, int]) -> None:
    """Play on from the first week, in which the attempt of (week, ending, action) was made."""
    week, case, action = what
    start, known = week.value_day, known_standing(it, week)
    it.next_decision = start + spacing(known[0])
    if case != NOT_DONE:
        contact_moment(me, it, book, (action, week.day, week.end))
        take_effect(me, it, book, (case, action, it.contact_day))
    if case == TOOK:
        accept(me, it, book, week)
    close_week(me, it, book, week)
    for number in range(1, week.weeks):
        if it.n_open == 0 and it.reversal[0] == 0:
            break
        week.day, week.end = start + 7 * number, start + 7 * number + 7
        play_week(me, it, book, week)
    week.day, week.end = start, start + 7


@part
def _ending(book: Any, action: int, case: int) -> int:
    """The place of an ending: doing nothing, then missed, heard, opted out and heard with a benefit by channel, then
    disputed, then taken by offer.
    """
    c, o, n = book.channel[action], book.offer[action], book.n_channels
    if case == NOT_DONE:
        return 0
    if case == DISPUTED:
        return int(1 + 4 * n)
    if case == TOOK:
        return int(2 + 4 * n + o)
    group = 0 if case == MISSED else (2 if case == OPTED_OUT else (3 if book.kind[o] == INCENTIVE else 1))
    return int(1 + group * n + c)


@part
def _measure(it: Any, week: Any, played: Any, place: int) -> None:
    since = decided_us(week.value_day)
    played[place, RECOVERED] = it.recovered
    for number, days in enumerate((7, 30, 60, 90)):
        played[place, PAID_7 + number] = 1.0 if it.first_paid_us < since + days * US_PER_DAY else 0.0


@part
def _mix(book: Any, action: int, odds: Any, tools: tuple[Any, Any, Any]) -> None:
    """Add an action's measures in one future, the sum over its endings, to its results."""
    played, done, result = tools
    heard = odds.executed * odds.reached
    spoken = heard * (1.0 - odds.opted_out)
    agreed = spoken * (1.0 - odds.disputed)
    weights = (
        1.0 - odds.executed, odds.executed - heard, agreed * (1.0 - odds.took), heard * odds.opted_out,
        spoken * odds.disputed, agreed * odds.took,
    )  # fmt: skip
    for case in range(6):
        place = _ending(book, action, case)
        place = place if done[place] else _ending(book, action, HEARD)
        for measure in range(COST):
            result[action, measure] += weights[case] * played[place, measure]
    c, o = book.channel[action], book.offer[action]
    benefit = agreed * played[_ending(book, action, HEARD), PAID_7] * book.offer_cost[o]
    result[action, COST] += odds.executed * book.cost[c] + benefit
    result[action, COMPLAINT] += odds.executed * odds.complained
    result[action, OPT_OUT] += heard * odds.opted_out


@part
def _play_endings(me: Any, book: Any, week: Any, tools: tuple[Any, Any, Any, int]) -> None:
    """Play every ending that some action can have, from the state after the week has opened."""
    opened, played, done, run = tools
    it = opened[1]
    done[:] = 0
    overdue = standing(opened[0], week.day)[0]
    for action in range(book.n_actions):
        if book.gated[action]:
            continue
        for case in range(6):
            place = _ending(book, action, case)
            rare = case in (OPTED_OUT, DISPUTED) and run % RARE != 0
            idle = (action == 0 and case != NOT_DONE) or (case == TOOK and overdue <= 0)
            if done[place] or rare or idle:
                continue
            opened[1] = opened[0]
            _imagine(me, it, book, (week, case, action))
            _measure(it, week, played, place)
            done[place] = 1


@entry
def value_actions(traits: Any, states: Any, tools: tuple[Any, Any, Any], plan: tuple[Any, Any, int]) -> None:
    """Fill the measures of every action for some accounts.

    Parameters
    ----------
    traits, states : (n,) records of all accounts, as they are when the first week begins
    tools : the playbook (1,), a page (1,) of ``truth.first_page``, and three spare states (3,)
    plan : (k,) accounts, (k, n_actions, MEASURES) results to fill with means, and the number of futures
    """
    accounts, results, runs = plan
    book, week, spare = tools[0][0], tools[1][0], tools[2]
    played = np.zeros((2 + 4 * book.n_channels + book.n_offers, COST))
    done = np.zeros(len(played), dtype=np.int64)
    self = np.zeros(1, dtype=traits.dtype)
    me, opened = self[0], spare[:2]
    for k in range(len(accounts)):
        for run in range(runs):
            self[0] = traits[accounts[k]]
            me.key, me.debtor_key = mixed(me.key, 1_000_003 + run), mixed(me.debtor_key, 1_000_003 + run)
            opened[0] = states[accounts[k]]
            opened[0].recovered, opened[0].first_paid_us = 0.0, _FAR
            open_week(me, opened[0], book, week)
            known = known_standing(opened[0], week)
            overdue = min(known[1], standing(opened[0], week.day)[0])
            _play_endings(me, book, week, (opened, played, done, run))
            for measure in range(COST):
                results[k, 0, measure] += played[0, measure]
            for action in range(1, book.n_actions):
                if not book.gated[action]:
                    odds = odds_of(me, opened[0], book, (action, known[0], overdue))
                    _mix(book, action, odds, (played, done, results[k]))
        results[k] /= runs
