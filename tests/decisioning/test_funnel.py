"""The funnel by hand: with heads that are known, so is what every action brings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.bundle import BundleParts, check_golden, read_bundle, write_bundle
from decisioning.calibration import Calibrator
from decisioning.candidates import candidate_names
from decisioning.config import Objective
from decisioning.funnel import HEADS, OTHER_CHANNEL, ROOF, FunnelModel
from decisioning.response import Head
from decisioning.valuation import amounts, worth
from domain.errors import BundleError

# What comes back by itself is 0.16 of the roof, odds of 4 to 21; a deal's 0.84 multiplies these by 21 / 4, to 1 to 1.
KNOWN = {"received": 0.4, "agreed": 0.3, "deal": 0.84, "self": 0.16, "pay": 0.1, "complaint": 0.02, "opt_out": 0.03}
SENT = {"sms": 0.9, OTHER_CHANNEL: 0.5}
shares = st.floats(0.0, 1.0)


def funnel(world: Any, sent: dict[str, float] = SENT, **heads: Any) -> FunnelModel:
    """A funnel of constants, but for the heads given."""
    names = candidate_names(world.schema, world.desk.catalogue.actions)
    found = {name: Head(constant=value) if isinstance(value, float) else value for name, value in heads.items()}
    return FunnelModel({name: Head(constant=value) for name, value in KNOWN.items()} | found, names, sent)


def asked(world: Any, model: FunnelModel, *names: str, rows: int = 3) -> Any:
    catalogue = world.desk.catalogue
    return model.outcomes(world.values[:rows], world.schema, [catalogue.actions[catalogue.index[n]] for n in names])


def test_what_a_contact_brings_is_the_product_of_its_gates_over_what_comes_back_by_itself(world: Any) -> None:
    found = asked(world, funnel(world), "sms/none/morning")
    alone, deal = 1.25 * 0.16, 1.25 * 0.5
    assert found.returned[:, 0] == pytest.approx(alone + 0.9 * 0.4 * 0.3 * (deal - alone))


def test_waiting_is_worth_what_comes_back_by_itself(world: Any) -> None:
    assert asked(world, funnel(world), "wait/none/any").returned[:, 0] == pytest.approx(1.25 * 0.16)


def test_nothing_is_sent_received_or_agreed_to_of_waiting(world: Any) -> None:
    found = asked(world, funnel(world), "wait/none/any")
    assert (found.p_sent[:, 0], found.p_reached[:, 0], found.p_agreed[:, 0]) == pytest.approx((0, 0, 0))


def test_waiting_alone_comes_to_what_it_comes_to_among_others(world: Any) -> None:
    model = funnel(world)
    alone, among = asked(world, model, "wait/none/any"), asked(world, model, "wait/none/any", "sms/none/morning")
    for name, values in among.named().items():
        assert np.array_equal(alone.named()[name][:, 0], values[:, 0]), name


def test_goodwill_is_lost_by_what_is_sent_alone(world: Any) -> None:
    found = asked(world, funnel(world), "wait/none/any", "sms/none/morning")
    assert found.p_complaint[0] == pytest.approx([0.0, 0.9 * 0.02])
    assert found.p_opt_out[0] == pytest.approx([0.0, 0.9 * 0.03])


def test_a_deal_that_adds_nothing_is_worth_what_comes_back_by_itself(world: Any) -> None:
    found = asked(world, funnel(world, deal=0.5), "wait/none/any", "sms/none/morning")
    assert found.returned[:, 1] == pytest.approx(found.returned[:, 0])


@given(alone=shares, deal=shares)
def test_no_deal_brings_more_than_the_roof_or_less_than_nothing(world: Any, alone: float, deal: float) -> None:
    found = asked(
        world, funnel(world, {OTHER_CHANNEL: 1.0}, received=1.0, agreed=1.0, deal=deal, self=alone), "sms/none/morning"
    )
    assert ((found.returned >= 0.0) & (found.returned <= ROOF)).all()


def test_reached_is_sent_and_received(world: Any) -> None:
    assert asked(world, funnel(world), "sms/none/morning").p_reached[:, 0] == pytest.approx(0.9 * 0.4)


def test_a_channel_that_the_log_does_not_know_is_sent_as_often_as_all(world: Any) -> None:
    found = asked(world, funnel(world), "sms/none/morning", "email/none/morning")
    assert found.p_sent.tolist() == [[0.9, 0.5]] * 3


@given(received=shares, agreed=shares, deal=shares, alone=shares)
def test_a_contact_is_worth_more_than_waiting_where_its_deal_adds_something_and_only_there(
    world: Any, received: float, agreed: float, deal: float, alone: float
) -> None:
    model = funnel(world, received=received, agreed=agreed, deal=deal, self=alone)
    found = asked(world, model, "wait/none/any", "sms/none/morning", rows=1).returned[0]
    gain = found[1] - found[0]
    assert gain >= -1e-12 if deal >= 0.5 else gain <= 1e-12


@given(received=shares, agreed=shares, deal=shares, alone=shares)
def test_what_comes_back_lies_between_nothing_and_the_roof(
    world: Any, received: float, agreed: float, deal: float, alone: float
) -> None:
    model = funnel(world, received=received, agreed=agreed, deal=deal, self=alone)
    found = model.outcomes(world.values[:2], world.schema, world.desk.catalogue.actions).returned
    assert ((found >= 0.0) & (found <= ROOF + 1e-12)).all()


def _pay_head(world: Any, names: tuple[str, ...]) -> Head:
    """Who was contacted pays with probability 0.8, who was not with 0.2, as a booster of one split says it."""
    import lightgbm as lgb

    columns = len(world.schema.names) + len(names)
    rows = np.zeros((200, columns))
    rows[100:, len(world.schema.names) + names.index("action_contact")] = 1.0
    label = np.r_[np.zeros(80), np.ones(20), np.ones(80), np.zeros(20)]
    data = lgb.Dataset(rows, label, params={"verbose": -1, "min_data_in_leaf": 1, "feature_pre_filter": False})
    settings = {"objective": "binary", "learning_rate": 1.0, "num_leaves": 2, "verbose": -1, "lambda_l2": 0.0}
    return Head(lgb.train({**settings, "num_threads": 1}, data, num_boost_round=30), Calibrator.platt(1.0, 0.0))


def test_who_was_not_reached_pays_as_one_who_was_left_alone(world: Any) -> None:
    names = candidate_names(world.schema, world.desk.catalogue.actions)
    found = asked(world, funnel(world, pay=_pay_head(world, names)), "wait/none/any", "sms/none/morning")
    reached = 0.9 * 0.4
    assert found.p_pay[0] == pytest.approx([0.2, reached * 0.8 + (1 - reached) * 0.2], abs=0.001)


def test_a_contact_costs_as_often_as_it_is_sent_and_a_benefit_as_often_as_it_is_received(world: Any) -> None:
    catalogue = world.desk.catalogue
    action = replace(catalogue.actions[catalogue.index["sms/none/morning"]], unit_cost=2.0, offer_cost=5.0)
    outcomes = funnel(world).outcomes(world.values[:1], world.schema, [action])
    found = worth(outcomes, amounts(np.array([100_000]), [action]), [action], Objective())
    assert found.cost_cents[0, 0] == pytest.approx(0.9 * 200 + 0.9 * 0.4 * 500)


def test_net_value_is_the_share_of_the_balance_less_cost_complaint_and_opt_out(world: Any) -> None:
    catalogue = world.desk.catalogue
    action = catalogue.actions[catalogue.index["sms/none/morning"]]
    outcomes = funnel(world).outcomes(world.values[:1], world.schema, [action])
    objective = Objective(complaint_cost=250.0, opt_out_cost=10.0)
    due = np.array([40_000])
    found = worth(outcomes, amounts(due, [action], balance_cents=np.array([100_000])), [action], objective)
    returned = 0.2 + 0.9 * 0.4 * 0.3 * (0.625 - 0.2)
    cost = 0.9 * 100 * action.unit_cost
    assert found.net_cents[0, 0] == pytest.approx(100_000 * returned - cost - 0.9 * (25_000 * 0.02 + 1_000 * 0.03))


def test_waiting_costs_nothing(world: Any) -> None:
    wait = world.desk.catalogue.actions[0]
    outcomes = funnel(world).outcomes(world.values[:1], world.schema, [wait])
    assert worth(outcomes, amounts(np.array([100_000]), [wait]), [wait], Objective()).cost_cents.tolist() == [[0.0]]


def test_unwanted_pairs_are_left_out_and_change_nothing_else(world: Any) -> None:
    actions = world.desk.catalogue.actions
    allowed = np.random.default_rng(1).random((20, len(actions))) < 0.3
    model = learned(world)
    some = model.outcomes(world.values[:20], world.schema, actions, allowed=allowed).named()
    every = model.outcomes(world.values[:20], world.schema, actions).named()
    for name, values in some.items():
        np.testing.assert_array_equal(values, np.where(allowed, every[name], np.nan), err_msg=name)


@pytest.mark.parametrize("missing", HEADS)
def test_a_funnel_without_one_of_its_heads_is_refused(missing: str) -> None:
    heads = {name: Head(constant=value) for name, value in KNOWN.items() if name != missing}
    with pytest.raises(BundleError, match="heads"):
        FunnelModel(heads, (), SENT)


def test_a_funnel_without_a_rate_of_all_channels_is_refused() -> None:
    with pytest.raises(BundleError, match="rate of all channels"):
        FunnelModel({name: Head(constant=value) for name, value in KNOWN.items()}, (), {"sms": 0.9})


def learned(world: Any) -> FunnelModel:
    """A funnel whose receipt and agreement are boosters of the hurdle beside it; its action features are the same."""
    heads = {"received": world.response.heads["pay"], "agreed": world.response.heads["complaint"]}
    assert world.response.names == candidate_names(world.schema, world.desk.catalogue.actions)
    return funnel(world, **heads)


@pytest.fixture(scope="module")
def written(world: Any, parts: BundleParts, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("funnels") / "3"
    write_bundle(folder, replace(parts, response=learned(world)))
    return folder


def test_a_funnel_comes_back_from_its_bundle_as_a_funnel_with_its_sending_rates(written: Path) -> None:
    response = read_bundle(written).response
    assert isinstance(response, FunnelModel)
    assert dict(response.sent) == SENT


def test_a_funnel_from_its_bundle_says_the_same_to_the_last_bit(world: Any, written: Path) -> None:
    actions = world.desk.catalogue.actions
    read = read_bundle(written).response.outcomes(world.values[:40], world.schema, actions).named()
    expected = learned(world).outcomes(world.values[:40], world.schema, actions).named()
    assert {name: values.tolist() for name, values in read.items()} == {
        name: values.tolist() for name, values in expected.items()
    }


def test_the_golden_rows_hold_every_gate_of_the_funnel(written: Path) -> None:
    golden = read_bundle(written).golden["outcomes"]
    assert set(golden) == {
        "p_pay", "p_complaint", "p_opt_out", "returned", "p_sent", "p_reached", "p_agreed",
    }  # fmt: skip


def test_a_sending_rate_other_than_in_training_is_seen_by_the_golden_rows(written: Path) -> None:
    bundle = read_bundle(written)
    assert isinstance(bundle.response, FunnelModel)
    with pytest.raises(BundleError, match="golden rows differ"):
        check_golden(replace(bundle, response=replace(bundle.response, sent={"sms": 0.8, OTHER_CHANNEL: 0.5})))
