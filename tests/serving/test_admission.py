"""The queue: long for a burst, short while more comes than can be answered."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest
from counted import Rise
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from serving.admission import CALM_S, Admission, Door, no_room
from serving.envelope import Envelope
from serving.problems import Problem, problem_response
from serving.settings import Limits

LIMITS = Limits(threads=1, large_threads=1, queue=5, short_queue=1)


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


def test_who_asks_about_many_is_computed_however_long_it_waited() -> None:
    house = House()
    usual(house, 0.01)
    came = house.now
    assert not all(house.come() for _ in range(8))
    house.now += 0.1
    with house.admission.turn(since=came, large=True):
        house.now += 0.5
    with house.admission.turn(since=house.now - 0.02):
        house.now += 0.01
    with pytest.raises(Problem), house.admission.turn(since=house.now - 0.04):
        raise AssertionError("computed")


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
        assert inside <= LIMITS.computed + LIMITS.queue


ROUTES = frozenset({"/v1/decisions"})
FULL = Limits(threads=0, large_threads=0, queue=0)


async def answers(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def unread() -> Any:
    raise AssertionError("read")


def asked(path: str, **keys: Any) -> Any:
    return {"type": "http", "method": "POST", "path": path, "headers": [], "state": {}, **keys}


def sent_by(app: Any, *scopes: Any) -> list[Any]:
    """What an app sends for requests, one after the other in one loop, and a moment after them."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def run() -> None:
        for scope in scopes:
            await app(scope, unread, send)
        await asyncio.sleep(0.05)

    asyncio.run(run())
    return sent


@pytest.mark.parametrize(("path", "status"), [("/v1/decisions", 503), ("/v1/model", 200), ("/livez", 200)])
def test_a_full_house_refuses_what_would_be_computed_without_reading_it(path: str, status: int) -> None:
    assert sent_by(Door(answers, admission=Admission(FULL)), asked(path))[0]["status"] == status


@pytest.mark.parametrize("ending", [False, True])
@pytest.mark.parametrize("given", [None, b"0F8FAD5B-D9CB-469F-A165-70867728950E", b"12345678909"])
def test_the_refusal_that_is_ready_is_the_one_that_would_have_been_written(ending: bool, given: bytes | None) -> None:
    async def refuses(scope: Any, receive: Any, send: Any) -> None:
        await problem_response(no_room(), request_id=scope["state"]["request_id"])(scope, receive, send)

    headers = [(b"x-request-id", given)] if given else []
    door = Door(answers, admission=Admission(FULL), routes=ROUTES, ending=lambda: ending)
    long_way = Envelope(refuses, routes=ROUTES, ending=lambda: ending)
    found, needed = (sent_by(app, asked("/v1/decisions", headers=headers)) for app in (door, long_way))
    own = [dict(one[0]["headers"])[b"x-request-id"].decode() for one in (found, needed)]
    if given and len(given) == len(own[0]):
        assert own == [given.decode().lower()] * 2
    found, needed = (
        repr(one).replace(name, "ID").replace(", 'more_body': False", "")
        for one, name in zip((found, needed), own, strict=True)
    )
    assert found == needed


def test_who_is_refused_is_counted_by_route_and_a_flood_of_them_is_one_line_of_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("serving.admission.TELL_S", 0.01)
    door = Door(answers, admission=Admission(FULL), routes=ROUTES)
    known, other = (
        Rise("acerto_requests_total", method="POST", route=route, status="503") for route in ("/v1/decisions", "other")
    )
    with capture_logs() as lines:
        sent_by(door, *[asked("/v1/decisions")] * 5, asked("/v1/111.444.777-35"))
    assert (known(), other()) == (5, 1)
    assert [(line["event"], line["requests"]) for line in lines] == [("turned away", 6)]
