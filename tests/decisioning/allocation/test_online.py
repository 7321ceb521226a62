from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from allocation_day import day
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import examples

from decisioning.allocation.online import PriceBook, allot_online
from decisioning.allocation.prices import PriceList, newest_prices, price_list, read_prices, write_prices
from decisioning.arms import Arms, LadderStep
from decisioning.budgets import Budget, Capacity
from decisioning.config import DecisionConfig, Exploration, Priors
from decisioning.desk import desk as make_desk
from decisioning.engine import decide
from decisioning.offers import lots_of, offers
from decisioning.pages import owing, spine_at
from decisioning.portfolio import allot
from domain.actions import WAIT
from domain.clock import US_PER_DAY, parse_moment, to_us
from domain.errors import ConfigError
from features.encoding import encode

AS_OF = parse_moment("2026-03-02T12:30:00Z")
DAY = to_us(AS_OF) // US_PER_DAY


@pytest.fixture(scope="module")
def many(portfolio: Any) -> Any:
    return encode(portfolio(300), attributes={})


@pytest.fixture(scope="module")
def bundle(bundle: Any) -> Any:
    return replace(bundle, response=None)


@pytest.fixture(scope="module")
def limited(desk: Any) -> Any:
    """Ten calls of which five at least, forty letters, and eighty of contact cost a day."""
    limits = {
        "priors": Priors(reach={"agent_call": 0.7}, lift={"agent_call": 1.3}),
        "capacities": {"agent_call": Capacity(per_day=10, min_per_day=5), "letter": Capacity(per_day=40)},
        "budgets": {"contact_cost": Budget(per_day=80.0)},
    }
    config = DecisionConfig.model_validate(desk.config.model_copy(update=limits).model_dump())
    return make_desk(desk.catalogue, config, desk.contact_policy)


@pytest.fixture(scope="module")
def prices(many: Any, bundle: Any, limited: Any) -> PriceList:
    plan = allot(many, as_of=AS_OF, bundle=bundle, desk=limited)
    assert plan is not None
    return price_list(plan, as_of_us=to_us(AS_OF), policy_version="p", model_version="3", currency="BRL")


@pytest.fixture(scope="module")
def book(prices: PriceList, limited: Any) -> PriceBook:
    return PriceBook.opened(prices, limited.catalogue.actions)


def test_a_price_list_is_read_as_it_was_written(prices: PriceList, tmp_path: Path) -> None:
    write_prices(tmp_path / "prices.json", prices)
    assert read_prices(tmp_path / "prices.json") == prices


def test_of_a_folder_the_prices_of_the_latest_decisions_count(prices: PriceList, tmp_path: Path) -> None:
    for name, made_at in (
        ("b", "2026-03-01T12:00:00Z"),
        ("a", "2026-03-02T09:00:00-03:00"),
        ("c", "2026-02-01T00:00:00Z"),
    ):
        write_prices(tmp_path / f"{name}.csv.allocation.json", prices.model_copy(update={"made_at": made_at}))
    (tmp_path / "a.csv").write_text("no prices", encoding="utf-8")
    assert newest_prices(tmp_path).made_at == "2026-03-02T12:00:00Z"
    assert newest_prices(tmp_path / "b.csv.allocation.json").made_at == "2026-03-01T12:00:00Z"


def test_a_folder_without_prices_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"allocation\.json"):
        newest_prices(tmp_path)


@pytest.mark.parametrize("text", ["", "{}", '{"resources": 1}'])
def test_a_file_that_is_no_price_list_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "prices.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="needed what `acerto decide` writes"):
        read_prices(tmp_path / "prices.json")


def test_a_book_opens_at_the_prices_of_the_plan(book: PriceBook, many: Any, bundle: Any, limited: Any) -> None:
    plan = allot(many, as_of=AS_OF, bundle=bundle, desk=limited)
    assert plan is not None
    assert book.price == pytest.approx(plan.solution.price, abs=2.0 * book.floor.max())


uses = st.lists(st.lists(st.floats(0, 6), min_size=3, max_size=3), max_size=40)


@given(wanted=uses, adjust=st.integers(1, 5))
@settings(max_examples=examples(200), deadline=None)
def test_no_limit_is_exceeded_whatever_is_wanted(book: PriceBook, wanted: list[list[float]], adjust: int) -> None:
    for place, one in enumerate(wanted):
        use = np.array(one)
        if book.within_reach(use):
            book = book.spend(use)
        if place % adjust == 0:
            book = book.adjusted(place / len(wanted))
    assert (book.used <= book.resources.limit).all()


def test_what_is_beyond_reach_cannot_be_spent(book: PriceBook) -> None:
    with pytest.raises(ConfigError, match=r"agent_call\.contacts"):
        book.spend(np.array([11.0, 0.0, 0.0]))


@given(share=st.floats(0.01, 0.99))
def test_use_ahead_of_its_pace_makes_dearer(book: PriceBook, share: float) -> None:
    ahead = book.spend(np.array([0.0, 40.0, 0.0])).adjusted(share)
    assert ahead.price[1] > book.price[1]


@given(share=st.floats(0.01, 0.99))
def test_use_behind_its_pace_makes_cheaper(book: PriceBook, share: float) -> None:
    dear = replace(book, dear=100.0 * np.maximum(book.dear, 1.0))
    assert dear.adjusted(share).dear[1] < dear.dear[1]


@given(share=st.floats(0.01, 0.99))
def test_a_minimum_that_falls_behind_pays_more(book: PriceBook, share: float) -> None:
    assert book.adjusted(share).paid[0] > book.paid[0]


def test_a_price_can_always_rise_again(book: PriceBook) -> None:
    low = book
    for step in range(1, 200):
        low = low.adjusted(step / 200)
    assert (low.dear >= low.floor).all() and (low.floor > 0).all()


def test_adjusting_for_no_later_share_changes_nothing(book: PriceBook) -> None:
    later = book.spend(np.array([1.0, 1.0, 0.0])).adjusted(0.5)
    assert later.spend(np.array([1.0, 1.0, 0.0])).adjusted(0.5).price.tolist() == later.price.tolist()


def test_resources_may_have_paces_of_their_own(book: PriceBook) -> None:
    spent = replace(book, dear=100.0 * np.maximum(book.dear, 1.0)).spend(np.array([0.0, 20.0, 4_000.0]))
    assert spent.adjusted(np.array([0.5, 0.9, 0.5])).price[1] < spent.adjusted(0.5).price[1]


def served(
    many: Any, bundle: Any, limited: Any, book: PriceBook, exploration: Exploration, explain: str = "reasons"
) -> tuple[list[Any], PriceBook]:
    """Decisions of the whole portfolio in requests of 20 accounts."""
    found, accounts = [], owing(many, to_us(AS_OF), channels=limited.catalogue.channels)
    own = replace(limited, config=limited.config.model_copy(update={"exploration": exploration}))
    for start in range(0, len(accounts), 20):

        def chosen(page: Any, lots: Any, *, locale: str) -> Any:
            nonlocal book
            nowhere = np.zeros((page.page.size, 0))
            given, books = allot_online({DAY: book}, page, lots, nowhere, own, locale=locale)
            book = books[DAY]
            return given

        some = accounts[start : start + 20]
        found += decide(
            many, as_of=AS_OF, bundle=bundle, desk=own, accounts=some, allot=chosen, log_probs=True, locale="en",
            explain=explain,
        )  # fmt: skip
        book = book.adjusted((start + 20) / len(accounts))
    return found, book


def assert_true_probabilities(found: list[Any]) -> None:
    """Those of all actions sum to 1, and hold that of the chosen one."""
    assert found
    for decision in found:
        assert sum(decision.action_probs.values()) == pytest.approx(1.0)
        assert decision.action_probs[decision.action] == decision.action_prob


def test_a_day_of_requests_keeps_within_every_limit(many: Any, bundle: Any, limited: Any, book: PriceBook) -> None:
    found, after = served(many, bundle, limited, book, Exploration(share=0.3))
    calls = sum(decision.channel == "agent_call" for decision in found)
    cost = sum(decision.chosen.expected_cost_cents for decision in found)
    assert after.used[0] == calls <= 10
    assert after.used[2] == pytest.approx(cost)
    assert cost <= 8_000


def test_probabilities_of_a_request_sum_to_1_and_hold_the_chosen_one(
    many: Any, bundle: Any, limited: Any, book: PriceBook
) -> None:
    assert_true_probabilities(served(many, bundle, limited, book, Exploration(share=0.3))[0])


@pytest.fixture(scope="module")
def with_arms(limited: Any) -> Any:
    """The same limits, and every arm; its ladder calls everybody who is late, and writes where it cannot."""
    arms = {
        "arms": Arms(holdout=0.1, random=0.2, rules=0.2, payment=0.2),
        "ladder": (LadderStep(from_days_past_due=1, actions=("agent_call/none/*", "letter/none/*"), every_days=1),),
    }
    config = DecisionConfig.model_validate(limited.config.model_copy(update=arms).model_dump())
    return make_desk(limited.catalogue, config, limited.contact_policy)


def test_arms_keep_within_every_limit_and_their_part_of_it(
    many: Any, bundle: Any, with_arms: Any, book: PriceBook
) -> None:
    found, after = served(many, bundle, with_arms, book, Exploration(share=0.3))
    calls = [one.arm for one in found if one.channel == "agent_call"]
    assert after.used[0] == len(calls) <= 10
    assert after.by_arm.sum(axis=0) == pytest.approx(after.used)
    # A part of two ninths of ten calls, and one more for who began below it.
    assert 0 < calls.count("rules") <= 3
    assert {one.channel for one in found if one.arm == "rules"} <= {"wait", "agent_call", "letter"}


def test_arms_do_at_the_endpoint_what_they_do_alone_where_nothing_is_scarce(
    many: Any, bundle: Any, with_arms: Any, book: PriceBook
) -> None:
    ample = replace(book, resources=replace(book.resources, items=tuple(
        replace(one, limit=1e12) for one in book.resources.items
    )))  # fmt: skip
    found, _ = served(many, bundle, with_arms, ample, Exploration(share=0.3))
    own = replace(with_arms, config=with_arms.config.model_copy(update={"exploration": Exploration(share=0.3)}))
    alone = decide(many, as_of=AS_OF, bundle=bundle, desk=own, explain="none", log_probs=True)
    told = {one.account_id: (one.action, dict(one.action_probs)) for one in alone if one.arm != "policy"}
    assert {one.account_id: (one.action, dict(one.action_probs)) for one in found if one.arm != "policy"} == told


def test_arms_of_a_request_have_true_probabilities_and_lost_nothing(
    many: Any, bundle: Any, with_arms: Any, book: PriceBook
) -> None:
    found, _ = served(many, bundle, with_arms, book, Exploration(share=0.3))
    assert_true_probabilities(found)
    assert all(decision.arm == "policy" or decision.lost_to_budget is None for decision in found)


def test_when_everything_is_used_up_all_wait_and_say_why(many: Any, bundle: Any, limited: Any, book: PriceBook) -> None:
    spent = replace(book, used=np.array(book.resources.limit))
    found, _ = served(many, bundle, limited, spent, Exploration(share=0.3))
    assert {decision.action for decision in found} == {WAIT}
    assert sum(decision.lost_to_budget is not None for decision in found) > len(found) / 2


def test_what_is_out_of_reach_is_refused_with_the_code_of_the_budget_until_tomorrow(
    many: Any, bundle: Any, limited: Any, book: PriceBook
) -> None:
    calls = replace(book, used=np.array([10.0, 0.0, 0.0]))
    found, _ = served(many, bundle, limited, calls, Exploration(share=0.3), explain="full")
    refused = [one for decision in found for one in decision.refusals if one.rule == "budget.agent_call.contacts"]
    assert {(one.code, one.layer, one.version) for one in refused} == {
        ("BUDGET_CONTACTS", "limit", limited.policy_version)
    }
    assert all(one.action.startswith("agent_call/") and one.allowed_from_us is not None for one in refused)
    assert {one.text for one in refused} == {"Agent call contacts: what is left today is not enough."}
    for decision in found:
        named = [(one.action, one.rule) for one in decision.refusals if one.rule.startswith("budget.")]
        assert len(named) == len(set(named))
        assert not [one for one in decision.candidates if one.action.startswith("agent_call/")]
        assert decision.runner_up is None or not decision.runner_up.action.startswith("agent_call/")


def test_an_account_is_told_what_lacks_and_not_what_is_dearest(
    many: Any, bundle: Any, limited: Any, book: PriceBook
) -> None:
    dear = replace(book, dear=np.array([0.01, 0.01, 500.0]), used=np.array([10.0, 0.0, 0.0]))
    found, _ = served(many, bundle, limited, dear, Exploration(share=0.0))
    lost = [one.lost_to_budget for one in found if one.lost_to_budget]
    calls = [one for one in lost if one.action.startswith("agent_call/")]
    assert calls
    assert {(one.resource, one.code) for one in calls} == {("agent_call.contacts", "BUDGET_CONTACTS")}
    assert all("not enough" in one.text for one in calls)


def test_each_local_day_has_resources_of_its_own(many: Any, bundle: Any, limited: Any, book: PriceBook) -> None:
    """Between midnight in Manaus and in São Paulo accounts of one request live on two days."""
    at = to_us(parse_moment("2026-03-02T03:30:00Z"))
    page = offers(many, spine_at(owing(many, at, channels=limited.catalogue.channels), at), bundle, limited)
    books = {DAY: book, DAY - 1: replace(book, used=np.array(book.resources.limit))}
    nowhere = np.zeros((page.page.size, 0))
    given, after = allot_online(books, page, lots_of(page, many, limited), nowhere, limited, locale="en")
    today = page.page.days.day == DAY
    assert today.any() and (~today).any()
    assert not given.choice.action[~today].any() and given.choice.action[today].any()
    assert (after[DAY - 1].used == book.resources.limit).all() and after[DAY].used.any()


def test_a_request_without_accounts_is_an_answer(many: Any, bundle: Any, limited: Any, book: PriceBook) -> None:
    none = offers(many, spine_at(np.zeros(0, dtype=np.int64), to_us(AS_OF)), bundle, limited)
    given, after = allot_online({DAY: book}, none, lots_of(none, many, limited), np.zeros((0, 0)), limited, locale="en")
    assert len(given.choice.action) == 0 and after == {DAY: book}


def test_a_day_at_yesterdays_prices_reaches_99_9_percent_of_the_bound_within_every_limit() -> None:
    found = day(200_000, seed=2)
    assert (found.use <= found.limit).all()
    assert found.gain >= 0.999 * found.bound
