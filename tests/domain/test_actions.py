from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.actions import WAIT, ActionCatalogue, ActionsConfig
from domain.config import load_section, parse_section
from domain.errors import ConfigError

SMALL = {
    "channels": {"sms": {"unit_cost": 0.1, "intrusiveness": 0.4}, "letter": {"unit_cost": 3.8, "intrusiveness": 0.5}},
    "offers": {"none": {"kind": "none"}, "disc10": {"kind": "discount", "discount_pct": 10}},
    "moments": {"morning": {"hours": [8, 12]}, "evening": {"hours": [17, 20]}},
}


def catalogue(**changes):
    return ActionCatalogue(parse_section(SMALL | changes, ActionsConfig, source="actions.yaml"))


def shipped():
    return ActionCatalogue(load_section(Path(__file__).parents[2] / "configs" / "actions.yaml", ActionsConfig))


def test_waiting_is_always_the_first_action_and_costs_nothing():
    wait = catalogue().actions[0]
    assert (wait.name, wait.is_wait, wait.unit_cost, wait.gated) == (WAIT, True, 0.0, False)


def test_all_combinations_are_channel_by_offer_by_moment():
    names = catalogue().names()
    assert len(names) == 1 + 2 * 2 * 2 == len(set(names))
    assert names[1] == "sms/none/morning"


def test_patterns_choose_combinations_without_doubling_any():
    names = catalogue(combinations=["sms/none/*", "sms/*/morning"]).names()
    assert names == (WAIT, "sms/none/morning", "sms/none/evening", "sms/disc10/morning")


def test_gated_patterns_mark_their_actions_alone():
    gated = [action.name for action in catalogue(gated=["letter/none/*"]).actions if action.gated]
    assert gated == ["letter/none/morning", "letter/none/evening"]


def test_the_index_finds_every_action():
    actions = catalogue()
    assert all(actions.actions[actions.index[name]].name == name for name in actions.names())


def test_an_action_carries_what_its_parts_bring():
    action = catalogue().actions[catalogue().index["letter/disc10/evening"]]
    assert (action.unit_cost, action.offer_kind, action.discount_pct, action.hours) == (3.8, "discount", 10, (17, 20))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"channels": {}}, "channels is empty"),
        ({"channels": {"wait": {"unit_cost": 0, "intrusiveness": 0}}}, "`wait` is always there"),
        ({"moments": {"any": {"hours": [8, 12]}}}, "reserved"),
        ({"moments": {"late": {"hours": [20, 8]}}}, "from < to"),
        ({"offers": {"none": {"kind": "incentive"}}}, "must be of kind none"),
        ({"offers": {"d": {"kind": "discount"}}}, "discount_pct above 0"),
        ({"offers": {"i": {"kind": "instalments"}}}, "at least 2"),
        ({"gated": ["protest"]}, "needed channel/offer/moment"),
        ({"gated": ["protest/*/*"]}, "matches no action"),
        ({"channels": {"a/b": {"unit_cost": 0, "intrusiveness": 0}}}, "pattern"),
        ({"channels": {"sms": {"unit_cost": -1, "intrusiveness": 0}}}, "greater than or equal to 0"),
    ],
)
def test_a_catalogue_that_makes_no_sense_is_refused(changes, words):
    with pytest.raises(ConfigError, match=words):
        catalogue(**changes)


def test_the_shipped_catalogue_has_every_channel_of_the_trade_and_gates_protests():
    actions = shipped()
    expected = {"sms", "email", "whatsapp", "voice_bot", "chatbot", "portal", "agent_call", "letter", "protest"}
    assert set(actions.channels) == expected
    assert {action.channel for action in actions.actions if action.gated} == {"protest"}
    assert {offer.kind for offer in actions.config.offers.values()} == {"none", "discount", "instalments", "incentive"}


@given(st.none() | st.lists(st.sampled_from(["sms", "email", "fax"]), min_size=1), st.lists(st.sampled_from(["sms"])))
def test_actions_on_some_channels_are_those_and_never_waiting(channels, left_out):
    found = shipped()
    among = None if channels is None else tuple(channels)
    wanted = [
        not action.is_wait and action.channel not in left_out and (among is None or action.channel in among)
        for action in found.actions
    ]
    assert found.columns.on(among, tuple(left_out)).tolist() == wanted
