from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.contact_policy import load_contact_policy
from decisioning.desk import desk as make_desk
from decisioning.engine import decide
from decisioning.pages import debtor_pages
from domain.clock import parse_moment, to_us
from domain.decisions import Decision

AS_OF = parse_moment("2026-03-02T12:30:00Z")
INBOUND = {"wait", "portal"}
CODE = "DEBTOR_CONTACTED_ELSEWHERE"


@pytest.fixture(scope="module")
def free(desk: Any) -> Any:
    """The rule alone, so that nothing else keeps a debtor's accounts apart."""
    folder = Path(__file__).parents[2] / "configs" / "contact_policy"
    policy = load_contact_policy(folder, ["br"], channels=desk.catalogue.channels)
    alone = tuple(rule for rule in policy.rules if rule.kind == "one_contact_per_debtor")
    return make_desk(desk.catalogue, desk.config, type(policy)(("br",), alone))


@pytest.fixture(scope="module")
def decided(encoded: Any, bundle: Any, free: Any) -> list[Decision]:
    return decide(encoded, as_of=AS_OF, bundle=bundle, desk=free, log_probs=True, explain="full")


def _by_debtor(encoded: Any, decided: list[Decision]) -> dict[str, list[Decision]]:
    found = defaultdict(list)
    index = encoded.account_index()
    for one in decided:
        found[encoded.debtor_ids[encoded.debtor[index[one.account_id]]]].append(one)
    return found


def _channels(one: Decision) -> set[str]:
    return {action.split("/")[0] for action in one.action_probs}


def test_no_debtor_can_be_contacted_on_two_accounts_on_one_day(encoded: Any, decided: list[Decision]) -> None:
    for accounts in _by_debtor(encoded, decided).values():
        assert sum(bool(_channels(one) - INBOUND) for one in accounts) <= 1


def test_the_other_accounts_say_why_and_until_the_next_local_day(encoded: Any, decided: list[Decision]) -> None:
    refused = [one for one in decided if any(refusal.code == CODE for refusal in one.refusals)]
    assert refused
    midnight = {to_us(parse_moment(f"2026-03-03T0{hour}:00:00Z")) for hour in (3, 4, 5)}
    assert {refusal.until_us for one in refused for refusal in one.refusals if refusal.code == CODE} <= midnight


def test_the_account_where_a_contact_adds_most_has_it(encoded: Any, bundle: Any, desk: Any, free: Any) -> None:
    none = make_desk(desk.catalogue, desk.config, type(free.contact_policy)(("open",), ()))
    unbound = decide(encoded, as_of=AS_OF, bundle=bundle, desk=none, explain="full")
    bound = {one.account_id: one for one in decide(encoded, as_of=AS_OF, bundle=bundle, desk=free)}
    pairs = [accounts for accounts in _by_debtor(encoded, unbound).values() if len(accounts) == 2]
    assert pairs
    for accounts in pairs:
        gains = {one.account_id: _gain(one) for one in accounts}
        first, second = sorted(gains, key=lambda name: -gains[name])
        if gains[first] - gains[second] > 2:  # cents by which rounding may turn it round
            assert not any(refusal.code == CODE for refusal in bound[first].refusals)


def _gain(one: Decision) -> int:
    best: dict[bool, int] = {}
    for candidate in one.candidates:
        inbound = candidate.action.split("/")[0] in INBOUND
        best[inbound] = max(best.get(inbound, -(10**12)), candidate.expected_net_cents)
    return best.get(False, -(10**12)) - best[True]


def test_an_account_is_decided_alike_whether_its_debtors_others_are_asked_about_or_not(
    encoded: Any, bundle: Any, free: Any, decided: list[Decision]
) -> None:
    index = encoded.account_index()
    for one in decided[:12]:
        alone = np.array([index[one.account_id]])
        again = decide(encoded, as_of=AS_OF, bundle=bundle, desk=free, accounts=alone, log_probs=True)
        assert (again[0].action, again[0].refusals) == (one.action, one.refusals)


@given(
    debtor=st.lists(st.integers(0, 9), max_size=60),
    size=st.integers(1, 20),
)
def test_pages_keep_debtors_whole_and_accounts_once(debtor: list[int], size: int) -> None:
    accounts, whose = np.arange(len(debtor)) * 3, np.array(debtor, dtype=np.int64)
    pages = list(debtor_pages(accounts, whose, size=size))
    places = np.concatenate([places for places, _ in pages] or [np.zeros(0, dtype=np.int64)])
    assert sorted(places.tolist()) == list(range(len(debtor)))
    assert all((accounts[places] == found).all() for places, found in pages)
    assert all(len(places) >= size for places, _ in pages[:-1])
    seen = [set(whose[places].tolist()) for places, _ in pages]
    assert sum(len(some) for some in seen) == len(set(debtor))
