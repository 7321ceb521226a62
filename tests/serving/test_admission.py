"""The queue: long for a burst, short while more comes than can be answered."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.admission import CALM_S, Admission, Door
from serving.problems import Problem
from serving.settings import Limits

LIMITS = Limits(threads=2, queue=5, short_queue=1)


class House:
    """An admission with a clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.admission = Admission(LIMITS, clock=lambda: self.now)
        self._stack = contextlib.ExitStack()

    def come(self) -> bool:
        """One request; whether it was taken in, and then it stays in line."""
        try:
            self._stack.enter_context(self.admission.inside())
        except Problem:
            return False
        self._stack.enter_context(self.admission.in_line())
        return True

    def leave(self) -> None:
        """Everybody goes."""
        self._stack.close()


def test_a_burst_finds_a_long_queue() -> None:
    house = House()
    assert [house.come() for _ in range(8)] == [True] * 7 + [False]


def test_who_was_refused_makes_the_queue_short_for_those_after() -> None:
    house = House()
    assert not all(house.come() for _ in range(8))
    house.leave()
    assert [house.come() for _ in range(4)] == [True] * 3 + [False]


def test_the_queue_is_long_again_once_nobody_was_refused_for_a_while() -> None:
    house = House()
    assert not all(house.come() for _ in range(8))
    house.leave()
    house.now += CALM_S
    assert [house.come() for _ in range(8)] == [True] * 7 + [False]


def test_the_queue_stays_short_while_anybody_is_refused() -> None:
    house = House()
    assert not all(house.come() for _ in range(8))
    house.leave()
    for _ in range(5):
        house.now += 0.6 * CALM_S
        assert [house.come() for _ in range(4)] == [True] * 3 + [False]
        house.leave()


def test_who_waits_for_the_disk_does_not_stand_in_the_short_queue() -> None:
    house = House()
    assert not all(house.come() for _ in range(8))
    house.leave()
    with contextlib.ExitStack() as written:
        for _ in range(4):
            written.enter_context(house.admission.inside())
        assert house.come()


def usual(house: House, seconds: float) -> None:
    with house.admission.turn(since=house.now):
        house.now += seconds


def test_who_has_waited_for_long_is_not_computed_where_more_come_than_can_be_answered() -> None:
    house = House()
    usual(house, 0.01)
    came = house.now
    assert not all(house.come() for _ in range(8))
    house.now += 0.1
    with pytest.raises(Problem, match="come again"), house.admission.turn(since=came):
        raise AssertionError("computed")


def test_who_has_waited_for_long_is_computed_where_nobody_was_refused() -> None:
    house = House()
    usual(house, 0.01)
    came, house.now = house.now, house.now + 5.0
    with house.admission.turn(since=came):
        house.now += 0.01


def test_who_has_not_waited_is_computed_whatever_comes() -> None:
    house = House()
    assert not all(house.come() for _ in range(8))
    with house.admission.turn(since=house.now):
        house.now += 0.01


@given(st.lists(st.sampled_from(["come", "leave", "wait"]), max_size=60))
def test_no_more_are_ever_inside_than_threads_and_queue(steps: list[str]) -> None:
    house, inside = House(), 0
    for step in steps:
        if step == "come":
            inside += house.come()
        elif step == "leave":
            house.leave()
            inside = 0
        else:
            house.now += CALM_S
        assert inside <= LIMITS.threads + LIMITS.queue


@pytest.mark.parametrize(("path", "status"), [("/v1/decisions", 503), ("/v1/model", 200), ("/livez", 200)])
def test_a_full_house_refuses_what_would_be_computed_without_reading_it(path: str, status: int) -> None:
    sent: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Any:
        raise AssertionError("read")

    async def send(message: Any) -> None:
        sent.append(message)

    door = Door(app, admission=Admission(Limits(threads=0, queue=0)))
    scope = {"type": "http", "path": path, "state": {"request_id": "r"}}
    asyncio.run(door(scope, receive, send))
    assert sent[0]["status"] == status
