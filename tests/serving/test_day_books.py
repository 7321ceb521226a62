"""Decisions one by one at the prices of the day: a limit holds whoever asks at the same time, and prices follow use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from scratch_prices import LIMITS, limited, limited_and_priced, price_list

from decisioning.allocation.prices import PriceList, newest_prices, write_prices
from decisioning.bundle import read_bundle
from decisioning.desk import Desk, load_desk
from domain.errors import ConfigError
from serving.app import create_app
from serving.day_books import DayBooks
from serving.engine import load_engine
from serving.settings import Limits, Settings, read_settings

Decisions = list[dict[str, Any]]


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return limited(tmp_path_factory.mktemp("limited") / "configs", LIMITS)


@pytest.fixture(scope="module")
def desk(configs: Path) -> Desk:
    return load_desk(configs)


@pytest.fixture
def prices(desk: Desk, tmp_path: Path) -> Path:
    path = tmp_path / "today.parquet.allocation.json"
    write_prices(path, price_list(desk))
    return path


@pytest.fixture
def priced(serve: Any, schemas: Any, bundle: Path, configs: Path, prices: Path) -> Iterator[Any]:
    """The service with what a day has all unused, warmed up as ever."""
    settings = Settings(bundle=bundle, configs=configs, prices=prices)
    with serve(create_app(schemas, load=lambda: load_engine(settings), limits=Limits(threads=8, queue=64))) as client:
        yield client.wait_until_ready()


@pytest.fixture
def decided(priced: Any, ledger: Any, ask: Any) -> Callable[..., Decisions]:
    """Decisions on some accounts, by number."""

    def post(numbers: range, *, due_on: str = "2025-11-20", client: Any = None, **keys: Any) -> Decisions:
        debts = [{"debt_id": "d1", "amount": 1500.00, "due_on": due_on}]
        accounts = [ledger(f"a{number}", debts=debts) for number in numbers]
        answer = (client or priced).post("/v1/decisions", json=ask(*accounts, locale="en", **keys))
        assert answer.status_code == 200, answer.text
        return list(answer.json()["decisions"])

    return post


def through(found: Decisions, channel: str) -> Decisions:
    return [one for one in found if one["channel"] == channel]


def budget_codes(one: dict[str, Any]) -> set[tuple[str, str]]:
    return {(each["rule"], each["code"]) for each in one["refusals"] if each["rule"].startswith("budget.")}


def at_the_same_time(decided: Any, **keys: Any) -> Decisions:
    """160 accounts in 40 requests, of which eight are on their way at any time."""
    numbers = [range(at, at + 4) for at in range(0, 160, 4)]
    with ThreadPoolExecutor(8) as pool:
        return [one for some in pool.map(partial(decided, **keys), numbers) for one in some]


def test_no_limit_is_exceeded_by_requests_at_the_same_time(decided: Any) -> None:
    found = at_the_same_time(decided)
    assert len(through(found, "sms")) == 12
    assert len(through(found, "voice_bot")) == 9
    assert not through(found, "whatsapp")


def test_arms_stay_on_within_their_part_of_the_day(
    serve: Any, schemas: Any, bundle: Path, tmp_path: Path, decided: Any
) -> None:
    ladder = [{"from_days_past_due": 1, "actions": ["sms/none/*"], "every_days": 1}]
    arms = {"arms": {"holdout": 0.1, "rules": 0.3}, "ladder": ladder}
    configs, prices = limited_and_priced(tmp_path, LIMITS | arms)
    settings = Settings(bundle=bundle, configs=configs, prices=prices)
    with serve(create_app(schemas, load=lambda: load_engine(settings), limits=Limits(threads=8, queue=64))) as client:
        found = at_the_same_time(decided, client=client.wait_until_ready())
    # A third of those who act: four of twelve messages.
    by_rule = [one for one in through(found, "sms") if one["arm"] == "rules"]
    assert len(by_rule) == 4
    assert {one["action_prob"] for one in found if one["arm"] == "rules"} == {1.0}
    assert len(through(found, "sms")) <= 12


def test_a_budget_of_money_is_spent_to_the_last_cents_and_not_beyond(
    serve: Any, schemas: Any, bundle: Path, tmp_path: Path, decided: Any
) -> None:
    money = {"budgets": {"contact_cost": {"per_day": 2.0}}, "priors": LIMITS["priors"]}
    configs, prices = limited_and_priced(tmp_path, money)
    settings = Settings(bundle=bundle, configs=configs, prices=prices)
    with serve(create_app(schemas, load=lambda: load_engine(settings), limits=Limits(threads=8, queue=64))) as client:
        found = at_the_same_time(decided, client=client.wait_until_ready())
    # Costs are told to the cent, and half a cent of a contact that costs is lost or won by it.
    costs = [one["expected_cost"] for one in found if one["expected_cost"]]
    assert 1.9 < sum(costs) <= 2.0 + 0.005 * len(costs)


def test_what_is_used_up_is_refused_with_the_code_of_the_budget_and_no_candidate(decided: Any) -> None:
    decided(range(60))
    found = decided(range(100, 110), explain="full")
    assert all(("budget.sms.contacts", "BUDGET_CONTACTS") in budget_codes(one) for one in found)
    assert not [one for one in found for each in one["candidates"] if each["action"].startswith("sms/")]
    assert not [one for one in found for each in one["action_probs"] if each["action"].startswith("sms/")]
    refusal = next(each for each in found[0]["refusals"] if each["rule"] == "budget.sms.contacts")
    assert refusal["until"] == "2026-03-03T03:00:00Z"
    assert refusal["allowed_from"] > refusal["until"]
    assert (refusal["layer"], refusal["version"]) == ("limit", found[0]["policy_version"])


def test_a_lost_action_is_told_with_its_charge(decided: Any) -> None:
    found = decided(range(60))
    lost = [one["lost_to_budget"] for one in found if one["lost_to_budget"]]
    assert lost and all(one["code"].startswith("BUDGET_") and one["lost_value"] > 0 for one in lost)
    assert all(one["resource_charge"] > 0 for one in through(found, "sms"))


def test_only_committed_decisions_use_anything(decided: Any) -> None:
    for _ in range(5):
        asked = decided(range(40), commit=False)
        assert through(asked, "sms") or through(asked, "voice_bot")
    assert len(through(decided(range(80)), "sms")) == 12


def test_a_limit_is_that_of_the_debtors_day(decided: Any) -> None:
    assert len(through(decided(range(80)), "sms")) == 12
    assert len(through(decided(range(80), as_of="2026-03-03T12:00:00Z"), "sms")) == 12
    assert not through(decided(range(80, 160)), "sms")


def test_a_segment_is_kept_from_the_ledgers_of_requests(decided: Any) -> None:
    found = [one for at in range(0, 40, 10) for one in decided(range(at, at + 10), due_on="2026-02-25")]
    assert sum(one["channel"] != "wait" for one in found) == 3
    assert ("budget.segment.early.contacts", "BUDGET_SEGMENT") in budget_codes(found[-1])


def test_prices_rise_with_use_ahead_of_its_pace(decided: Any) -> None:
    def charge(one: dict[str, Any]) -> float:
        return max(each["resource_charge"] for each in one["candidates"] if each["action"].startswith("sms/none/"))

    before = charge(decided(range(1), explain="full", commit=False)[0])
    for at in range(0, 10, 2):
        decided(range(at, at + 2))
    assert charge(decided(range(1), explain="full", commit=False)[0]) > before


def test_no_decision_says_that_limits_were_not_kept(decided: Any) -> None:
    assert not [notice for one in decided(range(3)) for notice in one["notices"] if "alone" in notice]


def test_without_prices_nothing_is_limited_and_each_decision_says_so(
    serve: Any, schemas: Any, bundle: Path, configs: Path, decided: Any
) -> None:
    settings = Settings(bundle=bundle, configs=configs)
    with serve(create_app(schemas, load=lambda: load_engine(settings))) as client:
        found = decided(range(80), client=client.wait_until_ready())
    assert len(through(found, "sms")) + len(through(found, "voice_bot")) > 21
    assert all(any("decided on alone" in notice for notice in one["notices"]) for one in found)
    assert not {"resource_charge", "lost_to_budget"} & set(found[0])
    assert not [one for one in found if budget_codes(one)]


def books(desk: Desk, *lists: PriceList | ConfigError) -> DayBooks:
    """Over price lists that are read one after another."""
    left = iter(lists)

    def read() -> PriceList:
        found = next(left)
        if isinstance(found, ConfigError):
            raise found
        return found

    return DayBooks(read, desk, attributes={})


def test_prices_of_another_policy_are_refused(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="run `acerto decide` with this configuration"):
        books(desk, price_list(desk, policy_version="other"))


def test_a_service_without_its_prices_is_not_ready_and_says_why(bundle: Path, configs: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needed what `acerto decide` writes"):
        load_engine(Settings(bundle=bundle, configs=configs, prices=tmp_path / "none.json"))


def test_a_day_begins_at_the_newest_prices(
    serve: Any, schemas: Any, bundle: Path, configs: Path, desk: Desk, tmp_path: Path, decided: Any
) -> None:
    write_prices(tmp_path / "one.csv.allocation.json", price_list(desk, price=0.0))
    settings = Settings(bundle=bundle, configs=configs, prices=tmp_path)
    with serve(create_app(schemas, load=lambda: load_engine(settings))) as client:
        client.wait_until_ready()
        decided(range(1), client=client)
        dear = price_list(desk, price=1_000.0, made_at="2026-03-03T06:00:00Z")
        write_prices(tmp_path / "two.csv.allocation.json", dear)
        same_day = decided(range(10, 14), client=client)
        next_day = decided(range(10, 14), client=client, as_of="2026-03-03T12:00:00Z")
    assert [one for one in same_day if one["channel"] != "wait"]
    assert newest_prices(tmp_path) == dear
    assert all(not one["lost_to_budget"] or one["lost_to_budget"]["price"] >= 999 for one in next_day)
    assert [one for one in next_day if one["lost_to_budget"]]


def test_a_day_begins_at_the_prices_there_are_where_new_ones_cannot_be_read(
    serve: Any, schemas: Any, bundle: Path, configs: Path, prices: Path, decided: Any
) -> None:
    settings = Settings(bundle=bundle, configs=configs, prices=prices)
    with serve(create_app(schemas, load=lambda: load_engine(settings))) as client:
        client.wait_until_ready()
        prices.write_text("{", encoding="utf-8")
        assert len(through(decided(range(80), client=client), "sms")) == 12


def test_the_books_of_the_day_go_on_when_another_model_takes_the_desk(
    serve: Any, schemas: Any, bundle: Path, next_bundle: Path, configs: Path, prices: Path, decided: Any
) -> None:
    before = load_engine(Settings(bundle=bundle, configs=configs, prices=prices))
    after = before.with_bundle(read_bundle(next_bundle))
    found: Decisions = []
    for first, engine in enumerate((before, after, before)):
        with serve(create_app(schemas, load=lambda engine=engine: engine)) as client:
            found += decided(range(first * 40, first * 40 + 40), client=client.wait_until_ready())
    assert {one["model_version"] for one in found} == {"7", "8"}
    assert len(through(found, "sms")) == 12


@pytest.mark.parametrize(
    ("environ", "place"), [({}, None), ({"ACERTO_PRICES": "p"}, Path("p")), ({"ACERTO_PRICES": ""}, None)]
)
def test_where_prices_are_is_an_environment_variable(environ: dict[str, str], place: Path | None) -> None:
    assert read_settings({"ACERTO_BUNDLE": "b", **environ}).prices == place
