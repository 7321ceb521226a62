"""What a policy answers, and what is refused as an answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import DataError
from simulation.choices import Choice, chosen_table, eligible_actions

DECIDED_US = 1_772_452_800_000_000


@pytest.fixture
def choice(catalogue):
    """Three accounts that all wait, though everything that is not gated is open to them."""
    free = np.array([[not action.gated for action in catalogue.actions]] * 3)
    return Choice.sure(np.zeros(3, dtype=np.int64), free, version="1")


def test_another_number_of_choices_than_accounts_due_is_refused(choice, catalogue):
    with pytest.raises(DataError, match="found 3 choices, needed 4"):
        choice.check(4, catalogue, policy="p")


def test_an_action_that_does_not_exist_is_refused(choice, catalogue):
    with pytest.raises(DataError, match="found 1 unknown or gated actions"):
        replace(choice, action=np.array([0, len(catalogue.actions), 0])).check(3, catalogue, policy="p")


def test_a_choice_that_had_no_probability_is_refused(choice, catalogue):
    with pytest.raises(DataError, match="action_prob outside"):
        replace(choice, action=np.array([0, 1, 0])).check(3, catalogue, policy="p")


def test_the_probability_of_a_channel_is_that_of_all_its_actions(choice, catalogue):
    place = catalogue.index["sms/none/morning"]
    probabilities = choice.eligible / choice.eligible.sum(axis=1, keepdims=True)
    even = replace(choice, action=np.full(3, place), probabilities=probabilities)
    table = chosen_table(even, (np.arange(3), np.arange(3)), DECIDED_US, catalogue=catalogue, policy="p")
    sms = sum(action.channel == "sms" for action in catalogue.actions)
    assert table["channel_prob"].to_pylist() == pytest.approx((sms * table["action_prob"].to_numpy()).tolist())


def test_eligible_are_the_actions_of_open_channels_with_open_offers(catalogue):
    sms, email = (1 << catalogue.channels.index(name) for name in ("sms", "email"))
    none = 1 << list(catalogue.config.offers).index("none")
    found = eligible_actions(np.array([0, sms | email]), np.array([none, none]), catalogue)
    names = [{name for name, open_ in zip(catalogue.names(), row, strict=True) if open_} for row in found]
    expected = {name for name in catalogue.names() if name.startswith(("sms/none/", "email/none/"))}
    assert names == [{"wait/none/any"}, expected | {"wait/none/any"}]
