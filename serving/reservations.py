"""What requests are about to take of days that are kept in the store, from the choice until it is written.

The store is right, and this process's sight of it may be old. So a choice is made on what the store last told less what
is under way here, and the transaction that writes it looks again: where another process has used what was left, nothing
of the request is written, and it is decided again. Reservations only save requests of one process from that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial, reduce
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from domain.errors import UsedElsewhereError
from serving.store.days import DayChange

if TYPE_CHECKING:
    from decisioning.allocation.day_book import DayBook, Use
    from serving.store import Store

_Key = tuple[str, int]


class Reservation:
    """What the decisions of one request take of their days, for a ``tenant`` of a store."""

    def __init__(self, store: Store, *, tenant: str) -> None:
        self.store, self.tenant = store, tenant
        self.uses: dict[int, list[Use]] = {}
        self._under: Reservations | None = None
        self._before: dict[int, DayBook] = {}
        self._after: dict[int, DayBook] = {}

    def take(self, uses: Mapping[int, Use], under: Reservations) -> None:
        """Adds what more decisions take, by local day."""
        self._under = under
        for day, use in uses.items():
            self.uses[day] = [*self.uses.get(day, []), use]

    def changes(self) -> list[DayChange]:
        """What is to be written; a change raises a ``UsedElsewhereError`` where the day has too little left by then."""
        return [DayChange(day, partial(self._changed, day)) for day in self.uses]

    def ended(self, written: Future[Any]) -> None:
        """Gives back what was not written, and takes the day from the store where it was."""
        if self._under is not None:
            error = None if written.cancelled() else written.exception()
            if isinstance(error, UsedElsewhereError):
                self._under.end(self, now=self._before)
            else:
                self._under.end(self, now={} if error or written.cancelled() else self._after)

    def give_back(self) -> None:
        """Gives back all of it, where it will not be written."""
        if self._under is not None:
            self._under.end(self, now={})

    def _changed(self, day: int, content: str | None) -> str:
        assert self._under is not None  # nothing is to be changed before something was taken
        found = self._before[day] = self._under.told(content)
        for use in self.uses[day]:
            lacking = found.lacking(use)
            if lacking:
                raise UsedElsewhereError(
                    f"another process has used what was left of {', '.join(lacking)} while this was decided; come again"
                )
            found = found.after(use)
        self._after[day] = found
        return found.content(content)


class Reservations:
    """All that is under way in this process, and the days of it as the store last told them.

    Parameters
    ----------
    begun : gives a day of which nothing is used, as one would begin now
    """

    def __init__(self, begun: Callable[[], DayBook]) -> None:
        self._begun = begun
        self._lock = Lock()
        self._days: dict[_Key, DayBook] = {}
        # By a weak reference, so that what a request took that was dropped on its way is given back with it.
        self._under_way: WeakValueDictionary[int, Reservation] = WeakValueDictionary()

    def told(self, content: str | None) -> DayBook:
        """The day that a content of the store tells; one that begins where there is none."""
        return self._begun() if content is None else self._begun().restored(content)

    def seen(self, asking: Reservation, local_day: int) -> DayBook | None:
        """A day less what is under way, for who only asks; ``None`` where nothing was ever used of it."""
        known, uses = self._known((asking.tenant, local_day))
        if known is None:
            content = asking.store.day(local_day, tenant=asking.tenant)
            known = None if content is None else self.told(content)
        return known if known is None else _after(known, uses)

    def taken_up(self, asking: Reservation, local_day: int, *, begin: Callable[[], DayBook]) -> DayBook:
        """The same for who is going to take of it, one at a time; ``begin`` opens a day of which nothing was used."""
        key = asking.tenant, local_day
        known, uses = self._known(key)
        if known is None:
            # Nothing is under way, and nothing can come to be: what is read holds all that this process has written.
            content = asking.store.day(local_day, tenant=asking.tenant)
            known = begin() if content is None else self.told(content)
            with self._lock:
                self._days[key] = known
        return _after(known, uses)

    def add(self, reservation: Reservation, uses: Mapping[int, Use]) -> None:
        """Has a request take more, by local day, of days that it has taken up just now."""
        with self._lock:
            reservation.take(uses, self)
            self._under_way[id(reservation)] = reservation
            # Here and not where one ends: between the two calls the day that was taken up must stay.
            self._days = {key: day for key, day in self._days.items() if self._of(key)}

    def end(self, reservation: Reservation, *, now: Mapping[int, DayBook]) -> None:
        """Forgets a reservation; ``now`` are the days as its write found or left them."""
        with self._lock:
            self._days |= {(reservation.tenant, day): book for day, book in now.items()}
            self._under_way.pop(id(reservation), None)

    def _known(self, key: _Key) -> tuple[DayBook | None, list[Use]]:
        """The day as the store last told it, and what is under way of it; ``None`` where that is nothing."""
        with self._lock:
            uses = self._of(key)
            return (self._days[key] if uses else None), uses

    def _of(self, key: _Key) -> list[Use]:
        tenant, day = key
        found = [one for one in self._under_way.values() if one.tenant == tenant]
        return [use for one in found for use in one.uses.get(day, ())]


def _after(day: DayBook, uses: Sequence[Use]) -> DayBook:
    return reduce(lambda found, use: found.after(use), uses, day)
