"""The money of a decision as it is answered: parts in whole cents that add up to the amounts beside them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.desk import desk as make_desk
from decisioning.engine import decide
from decisioning.money_parts import FACTORS
from decisioning.money_told import PRICE, in_whole
from decisioning.records import decision_json
from domain.clock import parse_moment
from domain.decisions import Decision

AS_OF = parse_moment("2026-03-02T12:30:00Z")


@pytest.fixture(scope="module", params=["learned", "priors"])
def model(bundle: Any, request: pytest.FixtureRequest) -> Any:
    return bundle if request.param == "learned" else replace(bundle, response=None)


@pytest.fixture(scope="module")
def weighted(desk: Any) -> Any:
    """A desk whose choice counts discounts and pressure, which are no money."""
    objective = desk.config.objective.model_copy(update={"discount_weight": 0.3, "pressure_price": 2.0})
    return make_desk(desk.catalogue, desk.config.model_copy(update={"objective": objective}), desk.contact_policy)


@pytest.fixture(scope="module")
def decided(encoded: Any, model: Any, weighted: Any) -> list[Decision]:
    return decide(encoded, as_of=AS_OF, bundle=model, desk=weighted, explain="full")


def cents(amounts: Any) -> Decimal:
    return sum((Decimal(str(amount)) for amount in amounts), Decimal(0))


def answers(decided: list[Decision]) -> Iterator[dict[str, Any]]:
    for one in decided:
        yield decision_json(one, explained=30)


def test_average_and_factors_are_the_expected_net_value_to_the_cent(decided: list[Decision]) -> None:
    for answer in answers(decided):
        money = answer["explanation"]["money"]
        assert cents([money["average"], *money["by_factor"].values()]) == cents([answer["expected_net_value"]])


def test_average_and_features_are_the_expected_net_value_to_the_cent(decided: list[Decision]) -> None:
    for answer in answers(decided):
        money = answer["explanation"]["money"]
        parts = [one["amount"] for one in money["by_feature"]]
        assert cents([money["average"], *parts]) == cents([answer["expected_net_value"]])


def test_features_have_a_share_also_under_priors(decided: list[Decision]) -> None:
    named = [one["feature"] for answer in answers(decided) for one in answer["explanation"]["money"]["by_feature"]]
    assert {"days_past_due", None} <= set(named)


def test_what_no_feature_explains_is_told_once_and_last(decided: list[Decision]) -> None:
    for answer in answers(decided):
        names = [one["feature"] for one in answer["explanation"]["money"]["by_feature"]]
        assert names.index(None) == len(names) - 1


def test_a_difference_is_that_of_what_the_policy_compares(decided: list[Decision]) -> None:
    for one in decided:
        assert one.explanation is not None
        by_name = {candidate.action: candidate for candidate in one.candidates}
        for gap in one.explanation.differences.values():
            other = by_name[gap.action]
            net = one.chosen.expected_net_cents - other.expected_net_cents
            pressure = one.chosen.pressure_cents - other.pressure_cents
            discounts = 0.3 * (one.chosen.p_pay * one.chosen.discount_cents - other.p_pay * other.discount_cents)
            assert gap.total_cents == pytest.approx(net - pressure - discounts, abs=2.0)


def test_the_factors_and_the_features_of_a_difference_are_its_total_to_the_cent(decided: list[Decision]) -> None:
    for answer in answers(decided):
        for gap in answer["explanation"]["differences"].values():
            assert cents(gap["by_factor"].values()) == cents([gap["total"]])
            assert cents(one["amount"] for one in gap["by_feature"]) == cents([gap["total"]])


def test_the_price_of_pressure_and_discounts_is_a_factor_of_its_own(decided: list[Decision]) -> None:
    told = [gap for answer in answers(decided) for gap in answer["explanation"]["differences"].values()]
    assert all(list(gap["by_factor"]) == [*FACTORS, PRICE] for gap in told)
    assert any(gap["by_factor"][PRICE] < 0 for gap in told)


def test_an_action_is_set_against_no_action_that_it_is_itself(decided: list[Decision]) -> None:
    for one in decided:
        assert one.explanation is not None
        assert all(gap.action != one.action for gap in one.explanation.differences.values())


def keys(found: Any) -> Iterator[str]:
    for name, part in found.items() if isinstance(found, dict) else enumerate(found):
        yield from [name] if isinstance(name, str) else []
        yield from keys(part) if isinstance(part, dict | list) else []


def test_base_and_contributions_stand_once_in_a_decision(decided: list[Decision]) -> None:
    for answer in answers(decided):
        names = list(keys(answer))
        assert (names.count("base"), names.count("contributions")) == (1, 1)


def test_a_model_of_an_unknown_form_is_told_without_parts_and_says_so(encoded: Any, bundle: Any, desk: Any) -> None:
    class Other:
        names, heads = bundle.response.names, dict[str, Any]()
        outcomes = staticmethod(bundle.response.outcomes)

    found = decide(encoded, as_of=AS_OF, bundle=replace(bundle, response=Other()), desk=desk, explain="full",
                   accounts=np.arange(8), locale="en")  # fmt: skip
    for answer in answers(found):
        assert answer["explanation"]["money"] is None
        assert all(gap["by_factor"] is None for gap in answer["explanation"]["differences"].values())
        assert any("cannot be split" in notice for notice in answer["notices"])


@given(parts=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8), off=st.integers(-3, 3))
def test_whole_parts_add_up_and_are_off_by_less_than_what_was_missing(parts: list[float], off: int) -> None:
    total = round(sum(parts)) + off
    found = in_whole(parts, total)
    assert sum(found) == total
    assert all(abs(whole - part) < 2 + abs(off) for whole, part in zip(found, parts, strict=True))
