"""Rules about the debts themselves: too old to be collected, too new to be collected yet, or not yet written about."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from decisioning.contact_policy.kinds import MinimumNotice, TimeBarred
from decisioning.contact_policy.rules import Rule
from decisioning.restrictions.history import contacts
from decisioning.restrictions.page import Blocked, Page
from domain.clock import FOREVER, MISSING, from_day, local_days, to_day
from domain.sheets import OCCURRED
from domain.zones import local_us
from features.columns import index_of

Int64s = npt.NDArray[np.int64]


def time_barred(rule: Rule, page: Page) -> Blocked | None:
    """From the day on which the first of the open debts is barred."""
    assert isinstance(rule, TimeBarred)
    row, due = _open_debts(page)
    barred = np.full(page.size, FOREVER)
    np.minimum.at(barred, row, np.array([_barred_on(day, rule.years) for day in due.tolist()], dtype=np.int64))
    return Blocked.since(_at(page, barred)[:, None])


@lru_cache(maxsize=16_384)
def _barred_on(due_day: int, years: int) -> int:
    return to_day(_years_later(from_day(due_day), years))


def _years_later(day: date, years: int) -> date:
    """The same day some years later; the first of March where the month has no such day (Código Civil art. 132 §3)."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def minimum_notice(rule: Rule, page: Page) -> Blocked | None:
    """Until some local days after the latest open debt was issued or fell due, or after the first contact by letter."""
    assert isinstance(rule, MinimumNotice)
    if rule.since == "contacted":
        return Blocked.until(_at(page, _contacted(rule, page))[:, None])
    row, due = _open_debts(page)
    from_days = np.full(page.size, MISSING)
    np.maximum.at(from_days, row, due if rule.since == "due" else _issued(page, row))
    after = np.where(from_days == MISSING, MISSING, np.where(from_days == MISSING, 0, from_days) + rule.days)
    return Blocked.until(_at(page, after)[:, None])


def _contacted(rule: MinimumNotice, page: Page) -> Int64s:
    """(n,) the local day on which the notice is over, ``FOREVER`` where it was never given."""
    found = contacts(page)
    index = index_of(page.catalogue.channels)
    given = found.own & np.isin(found.channel, [index[name] for name in rule.contact_channels if name in index])
    found = found.take(given)
    first = np.full(page.size, FOREVER)
    day = local_days(local_us(found.at_us, page.days.zone[found.row], page.days.names))
    np.minimum.at(first, found.row, day + rule.days)
    return first


def _open_debts(page: Page) -> tuple[Int64s, Int64s]:
    """Row and due day of each open debt; one debt of the account's days past due where no dossier tells."""
    states = page.states
    if page.dossier is None:
        known = np.flatnonzero(states.days_past_due != MISSING)
        return known, page.days.day[known] - states.days_past_due[known]
    row = np.repeat(np.arange(page.size), np.diff(states.open_offsets))
    return row, page.dossier.encoded.debts.due_day[states.open_debt]


def _issued(page: Page, row: Int64s) -> Int64s:
    """The local day on which each open debt was issued; ``MISSING`` where that is not known, long ago."""
    if page.dossier is None:
        return np.full(len(row), MISSING)
    encoded, debts = page.dossier.encoded, page.states.open_debt
    at_us = encoded.sheet("debts")[OCCURRED, encoded.debt_source[debts]]
    days = local_days(local_us(at_us, page.days.zone[row], page.days.names))
    return np.where(at_us == MISSING, MISSING, days)


def _at(page: Page, days: Int64s) -> Int64s:
    """(n,) the first moment of local days, where they are days."""
    plain = (days != MISSING) & (days != FOREVER)
    return np.where(plain, page.days.at(np.where(plain, days, 0)), days)
