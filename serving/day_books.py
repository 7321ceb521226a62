"""Prices of the day, shared by all requests: each committed decision takes what it uses, and prices follow.

A book is opened for each of the debtors' local days, at the newest prices there are then, with all that the limits
allow. With a store the days are there, by creditor, and this process knows what it is about to write of them; without
one they live in this process alone, and end with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from threading import Lock

import numpy as np

from decisioning.allocation.allotted import Allot, Allotted
from decisioning.allocation.day_book import DayBook, Use
from decisioning.allocation.membership import check_attributes, members
from decisioning.allocation.online import allot_online
from decisioning.allocation.prices import PriceList
from decisioning.desk import Desk
from decisioning.offers import Lots, Offers
from domain.errors import ConfigError
from features.config import Attribute
from features.encoding import Encoded
from serving.fallbacks import fell_back
from serving.logs import log
from serving.reservations import Reservation, Reservations


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
        self._begun = self._opened()
        self._days: dict[int, DayBook] = {}
        self._reservations = Reservations(lambda: self._begun)
        self._lock = Lock()

    def allot(self, encoded: Encoded, *, commit: bool, reservation: Reservation | None = None) -> Allot:
        """What chooses for the accounts of a request, one request at a time where it commits.

        With a ``reservation`` the days are those of its store, and it takes what the choices use; they are used once
        its changes are written. Without one they are used at once, and are the days of this process.
        """

        def chosen(found: Offers, lots: Lots, *, locale: str) -> Allotted:
            days = set(found.page.days.day.tolist())
            if not commit:
                # A day never changes, it is replaced: who only asks works on what there is now, and stops nobody.
                seen = {day: self._seen(day, reservation) or self._begun for day in days}
                return self._chosen(found, lots, encoded, seen, locale=locale)[0]
            with self._lock:
                books = self._taken_up(days, reservation)
                given, uses = self._chosen(found, lots, encoded, books, locale=locale)
                if reservation is not None:
                    self._reservations.add(reservation, uses)
                else:
                    self._days |= {day: books[day].after(use) for day, use in uses.items()}
            return given

        return chosen

    def _seen(self, day: int, reservation: Reservation | None) -> DayBook | None:
        return self._days.get(day) if reservation is None else self._reservations.seen(reservation, day)

    def _taken_up(self, days: Iterable[int], reservation: Reservation | None) -> dict[int, DayBook]:
        if reservation is not None:
            return {day: self._reservations.taken_up(reservation, day, begin=self._new) for day in days}
        return {day: self._days.get(day) or self._new() for day in days}

    def _new(self) -> DayBook:
        """A day that begins, at the newest prices."""
        try:
            self._begun = self._opened()
        except ConfigError as error:
            # A limit that was kept all day is kept on with the prices there are.
            fell_back("prices_kept")
            log.warning("prices stay as they were", reason=str(error))
        return self._begun

    def _opened(self) -> DayBook:
        return DayBook.opened(_of_this_policy(self._read(), self._desk), self._desk.catalogue.actions)

    def _chosen(
        self, found: Offers, lots: Lots, encoded: Encoded, days: Mapping[int, DayBook], *, locale: str
    ) -> tuple[Allotted, dict[int, Use]]:
        books = {day: one.book for day, one in days.items()}
        configured = self._desk.config.segments
        segments = [configured[name] for name in next(iter(books.values())).resources.segments]
        inside = members(segments, encoded, found.page.states)
        given, after = allot_online(books, found, lots, inside, self._desk, locale=locale)
        owing = found.page.days.day[found.page.states.owes]
        return given, {
            day: Use(after[day].by_arm - book.by_arm, int(np.sum(owing == day))) for day, book in books.items()
        }


def _of_this_policy(prices: PriceList, desk: Desk) -> PriceList:
    if prices.policy_version != desk.policy_version:
        raise ConfigError(
            f"found prices of policy {prices.policy_version}, made at {prices.made_at}, needed those of "
            f"{desk.policy_version}, which is configured; run `acerto decide` with this configuration"
        )
    return prices
