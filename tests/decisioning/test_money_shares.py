"""Where expected money comes from: whatever the model's form, shares add up to the money that is served."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from math import factorial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisioning.calibration import Calibrator
from decisioning.candidates import candidate_names, grid
from decisioning.config import Objective
from decisioning.funnel import OTHER_CHANNEL, FunnelModel
from decisioning.money_parts import FACTORS, Account
from decisioning.money_shares import MoneyShares, money_and_differences, shapley_values
from decisioning.offsets import OffsetHead, Offsets
from decisioning.quantity_shares import OF_THE_ACTION, explained_by, margins_of, names_of
from decisioning.response import Head
from decisioning.twin import BlendedHead, Twin
from decisioning.valuation import amounts, worth

OBJECTIVE = Objective(complaint_cost=40.0, opt_out_cost=15.0)
DUE = np.array([120_000, 45_000, 900])


def own_money(of: Account, action: int) -> MoneyShares | None:
    found = money_and_differences(of, action, [])
    return None if found is None else found[0]


def difference(of: Account, chosen: int, other: int) -> MoneyShares | None:
    found = money_and_differences(of, chosen, [other])
    return None if found is None else found[1][0]


def action_names(world: Any) -> tuple[str, ...]:
    return candidate_names(world.schema, world.desk.catalogue.actions)


def heads_of(world: Any) -> dict[str, Any]:
    """A head of every form, on boosters that saw both the account and the action."""
    grown = {name: world.response.heads[name] for name in ("pay", "share", "complaint")}
    names, rng = action_names(world), np.random.default_rng(3)
    columns = Offsets.telling(names)
    forms = grid(world.values[:1], world.schema, world.desk.catalogue.actions, names=names).static[:, list(columns)]
    unique = np.unique(forms, axis=0)
    offsets = Offsets(world.schema.index["days_past_due"], columns, unique, rng.normal(size=(len(unique), 2)))
    drivers = (world.schema.index["days_past_due"], world.schema.index["overdue_cents"])
    size, width = 1 + 1 + len(drivers) + (2 + len(drivers)) * len(names), len(names)
    twin = Twin(
        world.payment.boosters[30], drivers, rng.normal(size=width), rng.uniform(0.5, 2, width),
        rng.normal(size=size) * 0.1,
    )  # fmt: skip
    blended = BlendedHead(grown["pay"].booster, twin, 0.25, Calibrator.platt(1.1, -0.2))
    return {
        "plain": grown["pay"],
        "isotonic": replace(grown["share"], calibrator=Calibrator.isotonic([-2.0, 0.0, 1.0], [0.1, 0.3, 0.8])),
        "constant": Head(constant=0.3),
        "with offsets": OffsetHead(grown["share"], offsets),
        "constant with offsets": OffsetHead(Head(constant=0.2), offsets),
        "blended": blended,
        "blended with offsets": OffsetHead(blended, offsets),
    }


FORMS = ("plain", "isotonic", "constant", "with offsets", "constant with offsets", "blended", "blended with offsets")


@pytest.mark.parametrize("form", FORMS)
def test_shares_of_a_quantity_add_up_to_what_its_head_says(world: Any, form: str) -> None:
    head, actions = heads_of(world)[form], world.desk.catalogue.actions
    wanted = np.arange(len(actions))
    for row in range(4):
        table = grid(world.values[row : row + 1], world.schema, actions, names=action_names(world))
        found = margins_of(head, table, wanted)
        told = head.apply(table, np.ones((1, len(actions)), dtype=np.bool_))[0]
        assert found is not None
        assert found.value == pytest.approx(told, abs=1e-12)
        margin = found.base + found.added.sum(axis=1)
        order = np.argsort(margin)
        assert (np.diff(told[order])[np.diff(margin[order]) > 1e-9] > -1e-12).all()  # a quantity rises with its margin


def test_a_head_that_never_saw_an_action_gives_the_action_no_share(world: Any) -> None:
    head = Head(world.payment.boosters[30], Calibrator.platt(1.0, 0.0))
    table = grid(world.values[:1], world.schema, world.desk.catalogue.actions, names=action_names(world))
    found = margins_of(head, table, np.arange(3))
    assert found is not None
    assert found.added.shape == (3, len(names_of(world.schema.names, action_names(world))))
    assert not found.added[:, len(world.schema.names) :].any()


def test_columns_are_named_as_they_are_told(world: Any) -> None:
    head, names = heads_of(world)["with offsets"], action_names(world)
    table = grid(world.values[:1], world.schema, world.desk.catalogue.actions, names=names)
    found = margins_of(head, table, np.arange(3))
    assert found is not None
    told = names_of(world.schema.names, names)
    assert found.added.shape == (3, len(told))
    assert told[-1] == OF_THE_ACTION


def test_a_head_of_an_unknown_form_is_not_explained(world: Any) -> None:
    class Other:
        booster = calibrator = constant = None

    table = grid(world.values[:1], world.schema, world.desk.catalogue.actions, names=action_names(world))
    assert margins_of(Other(), table, np.arange(2)) is None  # type: ignore[arg-type]
    strange = replace(world.response, heads={**world.response.heads, "pay": Other()})
    assert own_money(account(world, strange), 0) is None
    assert difference(account(world, strange), 1, 0) is None


def account(world: Any, response: Any, *, row: int = 0) -> Account:
    asked = amounts(DUE[row : row + 1], world.desk.catalogue.actions, balance_cents=DUE[row : row + 1] + 5_000)
    return Account(world.values[row : row + 1], asked, world.schema, world.desk.catalogue.actions, response, OBJECTIVE)


def served(world: Any, response: Any, *, row: int = 0) -> np.ndarray:
    """What the engine computes for every action: net value in cents."""
    of = account(world, response, row=row)
    found = response.outcomes(of.values, of.schema, of.actions)
    return worth(found, of.asked, of.actions, OBJECTIVE).net_cents[0]


def models(world: Any) -> dict[str, Any]:
    heads = heads_of(world)
    funnel = FunnelModel(
        {
            "received": heads["plain"], "agreed": heads["with offsets"], "deal": heads["blended with offsets"],
            "self": heads["isotonic"], "pay": heads["plain"], "complaint": world.response.heads["complaint"],
            "opt_out": Head(constant=0.01),
        },
        action_names(world), {"sms": 0.9, OTHER_CHANNEL: 0.6}, kept=0.8,
    )  # fmt: skip
    return {"hurdle": world.response, "funnel": funnel}


@pytest.mark.parametrize("form", ["hurdle", "funnel"])
@pytest.mark.parametrize("row", [0, 1, 2])
def test_shares_add_up_to_the_expected_net_value_of_every_action(world: Any, form: str, row: int) -> None:
    model = models(world)[form]
    of, net = account(world, model, row=row), served(world, model, row=row)
    for action in range(len(of.actions)):
        found = own_money(of, action)
        assert found is not None
        assert found.total_cents == pytest.approx(net[action], abs=1e-6)
        assert found.start_cents + found.shares.sum() == pytest.approx(net[action], abs=1e-6)


@pytest.mark.parametrize("form", ["hurdle", "funnel"])
def test_shares_of_a_difference_add_up_to_it_also_against_waiting(world: Any, form: str) -> None:
    model = models(world)[form]
    of, net = account(world, model), served(world, model)
    for one, other in [(1, 0), (0, 1), (3, 7), (7, 3), (20, 0), (5, 40)]:
        found = difference(of, one, other)
        assert found is not None
        assert found.total_cents == pytest.approx(net[one] - net[other], abs=1e-6)
        assert sum(found.by_factor().values()) == pytest.approx(found.total_cents, abs=1e-6)


@pytest.mark.parametrize("form", ["hurdle", "funnel"])
def test_the_other_way_round_every_factor_has_the_opposite_amount(world: Any, form: str) -> None:
    of = account(world, models(world)[form])
    there, back = difference(of, 3, 7), difference(of, 7, 3)
    assert there is not None and back is not None
    assert there.by_factor() == pytest.approx({name: -cents for name, cents in back.by_factor().items()}, abs=1e-6)


def test_an_action_differs_from_itself_by_nothing(world: Any) -> None:
    for model in models(world).values():
        found = difference(account(world, model), 5, 5)
        assert found is not None
        assert (found.total_cents, np.abs(found.shares).max()) == (0.0, 0.0)


def test_what_is_the_same_under_both_actions_has_no_share(world: Any) -> None:
    found = difference(account(world, models(world)["funnel"]), 3, 7)
    assert found is not None
    assert set(found.by_feature()) & set(world.schema.names)  # which is received otherwise elsewhere


def test_a_contact_against_waiting_by_hand(world: Any) -> None:
    # 125,000 owed; 0.16 of the roof of 1.25 comes back by itself, odds of 4 to 21, which a deal of 0.84 makes 1 to 1.
    known = {"received": 0.4, "agreed": 0.3, "deal": 0.84, "self": 0.16, "pay": 0.1, "complaint": 0.02, "opt_out": 0.0}
    heads = {name: Head(constant=value) for name, value in known.items()}
    model = FunnelModel(heads, action_names(world), {OTHER_CHANNEL: 0.9})
    of = account(world, model)
    sms = world.desk.catalogue.index["sms/none/morning"]
    found = difference(of, sms, 0)
    assert found is not None
    gain = 0.9 * 0.4 * 0.3 * 1.25 * (0.5 - 0.16) * 125_000
    unit = 0.9 * 100 * of.actions[sms].unit_cost
    told = {name: cents for name, cents in found.by_factor().items() if cents}
    assert told == pytest.approx(
        {"reached": gain / 2, "agrees": gain / 2, "complaint": -0.9 * 0.02 * 4_000, "cost": -unit}
    )


@given(st.integers(1, 5), st.integers(0, 2**16))
@settings(max_examples=40)
def test_factors_have_their_average_gain_over_all_orders(factors: int, seed: int) -> None:
    value = np.random.default_rng(seed).normal(size=2**factors)
    by_orders = np.zeros(factors)
    for order in permutations(range(factors)):
        reached = 0
        for factor in order:
            by_orders[factor] += (value[reached | 1 << factor] - value[reached]) / factorial(factors)
            reached |= 1 << factor
    assert shapley_values(value) == pytest.approx(by_orders, abs=1e-12)


def test_what_cancels_to_nothing_is_told_of_the_action() -> None:
    assert explained_by(np.array([1.0, -1.0, 0.0]), 5.0).tolist() == [0.0, 0.0, 5.0]


def test_every_part_of_a_model_is_told_of_one_factor(world: Any) -> None:
    parts = [part for of_factor in FACTORS.values() for part in of_factor]
    assert len(parts) == len(set(parts))
    assert set(world.response.heads) <= set(parts)
    assert set(models(world)["funnel"].heads) - {"pay"} <= set(parts)


@pytest.mark.parametrize("form", ["hurdle", "funnel"])
def test_one_look_at_the_model_gives_what_single_looks_give(world: Any, form: str) -> None:
    of = account(world, models(world)[form])
    found = money_and_differences(of, 3, [7, 0])
    assert found is not None
    singly = [own_money(of, 3), difference(of, 3, 7), difference(of, 3, 0)]
    for together, alone in zip([found[0], *found[1]], singly, strict=True):
        assert alone is not None
        assert (together.start_cents, together.total_cents) == (alone.start_cents, alone.total_cents)
        assert (together.shares == alone.shares).all()
