from __future__ import annotations

import numpy as np
import pytest
from scratch_prices import LIMITS, limited, price_list

from decisioning.allocation.day_book import DayBook, Use
from decisioning.arms import ARMS
from decisioning.desk import load_desk
from serving.reservations import Reservation, Reservations
from serving.store import Store

DAY = 20_514


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> DayBook:
    desk = load_desk(limited(tmp_path_factory.mktemp("limited") / "configs", LIMITS))
    return DayBook.opened(price_list(desk), desk.catalogue.actions)


@pytest.fixture
def reservations(begun: DayBook) -> Reservations:
    return Reservations(lambda: begun)


def use_of(day: DayBook) -> Use:
    by_arm = np.zeros((len(ARMS), len(day.book.resources)))
    by_arm[0, 0] = 1.0
    return Use(by_arm, 1)


def test_a_day_that_was_taken_up_is_known_though_what_was_under_way_ends_before_it_is_used(
    reservations: Reservations, begun: DayBook, store: Store
) -> None:
    first, second, third = (Reservation(store, tenant="t") for _ in range(3))
    reservations.taken_up(first, DAY, begin=lambda: begun)
    reservations.add(first, {DAY: use_of(begun)})
    reservations.taken_up(second, DAY, begin=lambda: begun)
    first.give_back()
    reservations.add(second, {DAY: use_of(begun)})
    assert reservations.taken_up(third, DAY, begin=lambda: begun).decided == 1


def test_a_reservation_that_took_nothing_changes_nothing(store: Store) -> None:
    empty = Reservation(store, tenant="t")
    empty.give_back()
    assert empty.changes() == []


def test_days_of_which_nothing_is_under_way_are_not_kept_in_memory(
    reservations: Reservations, begun: DayBook, store: Store
) -> None:
    for day in range(50):
        one = Reservation(store, tenant="t")
        reservations.taken_up(one, day, begin=lambda: begun)
        reservations.add(one, {day: use_of(begun)})
        one.give_back()
    assert len(reservations._days) == 1
