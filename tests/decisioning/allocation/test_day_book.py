from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scratch_prices import LIMITS, limited, price_list

from decisioning.allocation.day_book import DayBook, Use
from decisioning.allocation.online import PriceBook
from decisioning.arms import ARMS, POLICY, RULES
from decisioning.desk import Desk, load_desk
from domain.errors import StoreError

GRAIN = 2.0**-16
RESOURCES = 5


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return load_desk(limited(tmp_path_factory.mktemp("limited") / "configs", LIMITS))


@pytest.fixture(scope="module")
def begun(desk: Desk) -> DayBook:
    return DayBook.opened(price_list(desk), desk.catalogue.actions)


@st.composite
def uses(draw: st.DrawFn) -> list[Use]:
    """Of any arms, in grains, as choices are counted."""
    grains = st.lists(st.integers(0, 2**40), min_size=RESOURCES * len(ARMS), max_size=RESOURCES * len(ARMS))
    steps = draw(st.lists(st.tuples(grains, st.integers(0, 50)), max_size=8))
    return [Use(np.array(by_arm).reshape(len(ARMS), RESOURCES) * GRAIN, decided) for by_arm, decided in steps]


def after(day: DayBook, steps: list[Use]) -> DayBook:
    for step in steps:
        day = day.after(step)
    return day


def columns(book: PriceBook) -> dict[str, list[float]]:
    names = ("dear", "paid", "floor", "answer", "used", "before", "done", "by_arm")
    return {name: getattr(book, name).tolist() for name in names}


def use(day: DayBook, *, arm: int = POLICY, **amounts: float) -> Use:
    by_arm = np.zeros((len(ARMS), len(day.book.resources)))
    for place, one in enumerate(day.book.resources.items):
        by_arm[arm, place] = amounts.get(one.name.split(".")[0], 0.0)
    return Use(by_arm, 1)


def test_the_uses_here_are_of_the_resources_of_the_day(begun: DayBook) -> None:
    assert len(begun.book.resources) == RESOURCES
    assert [one.name for one in begun.book.resources.items][:2] == ["sms.contacts", "voice_bot.contacts"]


@given(data=st.data())
def test_a_day_that_was_told_is_restored_to_the_bit_wherever_it_is_told(
    begun: DayBook, desk: Desk, data: st.DataObject
) -> None:
    steps = data.draw(uses())
    whole, told = after(begun, steps), begun
    for step in steps:
        told = DayBook.opened(price_list(desk, price=7.0), desk.catalogue.actions).restored(told.content()).after(step)
    assert (columns(told.book), told.decided, told.planned) == (columns(whole.book), whole.decided, whole.planned)


@given(data=st.data())
def test_the_order_of_uses_changes_no_bit_of_their_sum(begun: DayBook, data: st.DataObject) -> None:
    steps = data.draw(uses())
    mixed = data.draw(st.permutations(steps))
    for name in ("used", "by_arm"):
        assert getattr(after(begun, mixed).book, name).tolist() == getattr(after(begun, steps).book, name).tolist()


def test_a_use_beyond_what_is_left_names_what_it_lacks(begun: DayBook) -> None:
    full = begun.after(use(begun, sms=12.0, voice_bot=8.0))
    assert full.lacking(use(begun, sms=1.0, voice_bot=1.0)) == ["sms.contacts"]
    assert full.lacking(use(begun, voice_bot=1.0)) == []


def test_another_policy_goes_on_with_what_was_used_at_prices_that_begin_anew(begun: DayBook, tmp_path: Path) -> None:
    other = load_desk(limited(tmp_path / "configs", LIMITS | {"capacities": {"sms": {"per_day": 5}}}))
    told = begun.after(use(begun, sms=4.0, arm=RULES)).after(use(begun, sms=1.0)).content()
    found = DayBook.opened(price_list(other, price=2.0), other.catalogue.actions).restored(told)
    assert (found.policy_version, found.decided) == (other.policy_version, 0)
    assert found.book.by_arm[[POLICY, RULES], 0].tolist() == [1.0, 4.0]
    assert found.lacking(use(found, sms=1.0)) == ["sms.contacts"]
    assert found.book.dear[0] == 200.0


def test_what_another_policy_alone_limits_is_kept_for_when_that_comes_back(
    begun: DayBook, desk: Desk, tmp_path: Path
) -> None:
    other = load_desk(limited(tmp_path / "configs", LIMITS | {"capacities": {"sms": {"per_day": 5}}}))
    told = begun.after(use(begun, voice_bot=9.0)).content()
    between = DayBook.opened(price_list(other), other.catalogue.actions).restored(told)
    back = DayBook.opened(price_list(desk), desk.catalogue.actions).restored(between.content(told))
    assert back.lacking(use(back, voice_bot=1.0)) == ["voice_bot.contacts"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"used":{},"policy_version":1}', '{"used":7}'])
def test_a_content_that_this_service_did_not_write_is_refused(desk: Desk, content: str) -> None:
    if content.endswith("1}"):
        content = json.dumps({"used": {}, "policy_version": desk.policy_version})
    with pytest.raises(StoreError, match="cannot be read"):
        DayBook.opened(price_list(desk), desk.catalogue.actions).restored(content)
