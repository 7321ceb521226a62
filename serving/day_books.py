"""Prices of the day, shared by all requests: each committed decision takes what it uses, and prices follow.

A book is opened for each of the debtors' local days, at the newest prices there are then, with all that the limits
allow. It lives in this process: what was used is not known to another one, nor after a restart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from threading import Lock

import numpy as np

from decisioning.allocation.allotted import Allot, Allotted
from decisioning.allocation.membership import check_attributes, members
from decisioning.allocation.online import PriceBook, allot_online
from decisioning.allocation.prices import PriceList
from decisioning.desk import Desk
from decisioning.offers import Lots, Offers
from domain.errors import ConfigError
from features.config import Attribute
from features.encoding import Encoded
from serving.fallbacks import fell_back
from serving.logs import log

_ADJUSTMENTS = 200
"""How often prices follow use through a day; benchmarks/allocation.md measures this number."""


@dataclass(frozen=True, slots=True)
class _Day:
    """A book, after so many ``decided`` of the accounts that the plan behind its prices had."""

    book: PriceBook
    planned: int
    decided: int = 0

    def after(self, book: PriceBook, decided: int) -> _Day:
        """The day with so many more decisions; prices follow use whenever another part of the accounts is through."""
        total = self.decided + decided
        done = total * _ADJUSTMENTS // max(self.planned, 1) / _ADJUSTMENTS
        return _Day(book.adjusted(done), self.planned, total)


class DayBooks:
    """The books of all local days on which something was decided.

    Parameters
    ----------
    read : gives the newest price list, each time a day begins
    attributes : that training declared, for segments

    Raises
    ------
    ConfigError : there are no prices, or they are those of another policy
    """

    def __init__(self, read: Callable[[], PriceList], desk: Desk, *, attributes: Mapping[str, Attribute]) -> None:
        check_attributes(desk.config.segments, attributes)
        self._read, self._desk = read, desk
        self._prices = _of_this_policy(read(), desk)
        self._days: dict[int, _Day] = {}
        self._lock = Lock()

    def allot(self, encoded: Encoded, *, commit: bool) -> Allot:
        """What chooses for the accounts of a request, one request at a time where it commits."""

        def chosen(found: Offers, lots: Lots, *, locale: str) -> Allotted:
            days = set(found.page.days.day.tolist())
            if not commit:
                # A day never changes, it is replaced: who only asks works on what there is now, and stops nobody.
                return self._chosen(found, lots, encoded, self._opened(days), locale=locale)[0]
            with self._lock:
                if not days <= self._days.keys():
                    self._renew()
                given, after = self._chosen(found, lots, encoded, self._opened(days), locale=locale)
                self._days |= after
            return given

        return chosen

    def _opened(self, days: Iterable[int]) -> dict[int, _Day]:
        """The days asked about; those on which nothing was used yet begin at the prices of the plan."""
        return {day: self._days.get(day) or self._begun for day in days}

    @property
    def _begun(self) -> _Day:
        return _Day(PriceBook.opened(self._prices, self._desk.catalogue.actions), self._prices.accounts)

    def _renew(self) -> None:
        try:
            self._prices = _of_this_policy(self._read(), self._desk)
        except ConfigError as error:
            # A limit that was kept all day is kept on with the prices there are.
            fell_back("prices_kept")
            log.warning("prices stay as they were", reason=str(error))

    def _chosen(
        self, found: Offers, lots: Lots, encoded: Encoded, days: Mapping[int, _Day], *, locale: str
    ) -> tuple[Allotted, dict[int, _Day]]:
        books = {day: one.book for day, one in days.items()}
        configured = self._desk.config.segments
        segments = [configured[name] for name in next(iter(books.values())).resources.segments]
        inside = members(segments, encoded, found.page.states)
        given, after = allot_online(books, found, lots, inside, self._desk, locale=locale)
        owing = found.page.days.day[found.page.states.owes]
        return given, {day: one.after(after[day], int(np.sum(owing == day))) for day, one in days.items()}


def _of_this_policy(prices: PriceList, desk: Desk) -> PriceList:
    if prices.policy_version != desk.policy_version:
        raise ConfigError(
            f"found prices of policy {prices.policy_version}, made at {prices.made_at}, needed those of "
            f"{desk.policy_version}, which is configured; run `acerto decide` with this configuration"
        )
    return prices
