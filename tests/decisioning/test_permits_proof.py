"""Decisions on random histories, carried out later: permits against a second reading of the law at that moment."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_checker import Contact, amount_due, local, open_debts, violations
from policy_sequels import as_known, sequel, tables_of, with_row
from policy_worlds import Asked, world

from decisioning.contact_policy import load_contact_policy
from decisioning.desk import Desk, load_desk
from decisioning.eligibility import Page, eligibility
from decisioning.moments import LocalDays
from decisioning.permits import Permit, permits
from decisioning.proposals import Proposal
from decisioning.valuation import amount_due_cents, amounts
from domain.clock import from_us, to_us
from domain.tables import TABLES
from features.dossier import Dossier
from features.encoding import Encoded, encode
from features.spine import Spine
from features.state import account_states

LAWS = ("br", "us_reg_f")
SOAK = bool(os.environ.get("ACERTO_SOAK"))
EXAMPLES, SIZE = (60, 40) if SOAK else (5, 16)
SETTINGS = settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**63 - 1)
HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Decided:
    """A proposal that the rules allowed, and the account as it was then."""

    asked: Asked
    proposal: Proposal
    contact: Contact
    hours: tuple[int, int]

    def changed_by(self, at: datetime) -> bool:
        """Whether other amounts would be asked for."""
        zone = self.asked.history.accounts[self.asked.account]["zone"]
        due = [
            amount_due(debts, local(moment, zone).date())
            for moment in (self.asked.as_of, at)
            if (debts := open_debts(self.asked.history, self.asked.account, moment))
        ]
        left = {row["debt_id"] for row, _ in open_debts(self.asked.history, self.asked.account, at)}
        return len({*due}) != 1 or not {*self.proposal.debt_ids} <= left


@lru_cache
def _desk(law: str) -> Desk:
    configs = Path(__file__).parents[2] / "configs"
    desk = load_desk(configs)
    policy = load_contact_policy(configs / "contact_policy", [law], channels=desk.catalogue.channels)
    return replace(desk, contact_policy=policy)


def _page(encoded: Encoded, desk: Desk, asked: list[Asked]) -> Page:
    account = np.array([encoded.index[one.account] for one in asked], dtype=np.int32)
    spine = Spine(account, np.array([to_us(one.as_of) for one in asked], dtype=np.int64))
    states = account_states(encoded, spine, channels=desk.catalogue.channels)
    asked_for = amounts(amount_due_cents(states), desk.catalogue.actions, balance_cents=states.balance_cents)
    days = LocalDays(spine.as_of_us, states.local_day, states.zone, states.zone_names)
    return Page(states, days, desk.catalogue, asked_for, Dossier(encoded, spine))


def _encoded(asked: list[Asked]) -> Encoded:
    return encode(tables_of(asked), attributes={})


def _decisions(rng: np.random.Generator, law: str, *, known_alone: bool) -> list[Decided]:
    """One allowed action of each account that has any, whatever it is worth."""
    asked, _ = world(rng, law, SIZE)
    if known_alone:
        asked = [replace(one, history=as_known(one.history, one.as_of)) for one in asked]
    desk = _desk(law)
    page = _page(_encoded(asked), desk, asked)
    found, made = eligibility(page, desk.contact_policy), []
    for row, one in enumerate(asked):
        allowed = np.flatnonzero(found.allowed[row])[1:]
        if not len(allowed):
            continue
        place = int(rng.choice(allowed))
        action = desk.catalogue.actions[place]
        proposal = Proposal(
            decision_id=f"d{row}", account_id=one.account, decided_at_us=to_us(one.as_of), action=action.name,
            arm="policy", debt_ids=page.states.debt_ids(row), amount_due_cents=int(page.asked.due_cents[row]),
            offer_amount_cents=int(page.asked.offer_cents[row, place]),
            instalment_cents=int(page.asked.instalment_cents[row, place]), incremental_net_cents=0,
            not_before_us=int(found.not_before_us[row, place]), valid_until_us=int(found.valid_until_us[row, place]),
            reasons=(), policy_version=desk.policy_version,
        )  # fmt: skip
        offer = desk.catalogue.config.offers[action.offer].model_dump(exclude_none=True)
        made.append(Decided(one, proposal, Contact(one.account, action.channel, offer), action.hours))
    return made


def _sequels(rng: np.random.Generator, made: list[Decided]) -> list[tuple[Decided, datetime]]:
    """Each decision after what happened since, and a moment at which it is to be carried out, some out of its span."""
    told = []
    for one in made:
        first, end = one.proposal.not_before_us, one.proposal.valid_until_us
        inside = int(rng.integers(first, end))
        at_us = int(rng.choice([first, inside, inside, inside, end - 1, end, first - 1, inside + 24 * HOUR_US]))
        at = from_us(max(at_us, one.proposal.decided_at_us + 1))
        told.append((replace(one, asked=sequel(rng, one.asked, at)), at))
    return told


def _asked_for(one: Decided, at: datetime, bundle: Any, desk: Desk) -> Permit:
    return permits(_encoded([one.asked]), [one.proposal], at=at, bundle=bundle, desk=desk)[0]


def _paid_since(one: Decided, at: datetime) -> bool:
    """Whether a payment of the decision's debts came to be known, read row by row."""
    return any(
        row["debt_id"] in one.proposal.debt_ids
        and row["account_id"] == one.asked.account
        and row["occurred_at"] < at
        and row["recorded_at"] < at
        and not (row["occurred_at"] < one.asked.as_of and row["recorded_at"] < one.asked.as_of)
        for row in one.asked.history.rows["payments"]
    )


@pytest.mark.parametrize("law", LAWS)
@given(seed=SEEDS)
@SETTINGS
def test_a_permit_is_given_exactly_where_the_law_the_amounts_and_the_span_allow_it(
    law: str, seed: int, bundle: Any
) -> None:
    rng = np.random.default_rng(seed)
    for one, at in _sequels(rng, _decisions(rng, law, known_alone=False)):
        permit = _asked_for(one, at, bundle, _desk(law))
        broken = violations(one.asked.history, one.contact, law, decided=at, at=at)
        inside = one.proposal.not_before_us <= to_us(at) < one.proposal.valid_until_us
        stands = inside and not _paid_since(one, at) and not one.changed_by(at)
        assert permit.allowed is (stands and not broken), (broken, permit.changes, one.contact.channel, at)


@pytest.mark.parametrize("law", LAWS)
@given(seed=SEEDS)
@SETTINGS
def test_no_permit_is_given_once_a_payment_of_the_decisions_debts_is_known(law: str, seed: int, bundle: Any) -> None:
    rng = np.random.default_rng(seed)
    for one in _decisions(rng, law, known_alone=True):
        at_us = int(rng.integers(one.proposal.not_before_us, one.proposal.valid_until_us)) + 1
        since = int(rng.integers(one.proposal.decided_at_us, at_us))
        row = _payment(one, occurred_us=since, recorded_us=int(rng.integers(since, at_us)))
        paid = replace(one, asked=with_row(one.asked, "payments", row))
        permit = _asked_for(paid, from_us(at_us), bundle, _desk(law))
        assert not permit.allowed
        assert "PAID_SINCE" in permit.codes
        assert permit.allowed_from_us is None


@pytest.mark.parametrize("law", LAWS)
@given(seed=SEEDS)
@SETTINGS
def test_what_is_not_recorded_before_the_contact_has_no_effect_on_its_permit(law: str, seed: int, bundle: Any) -> None:
    rng = np.random.default_rng(seed)
    for one, at in _sequels(rng, _decisions(rng, law, known_alone=False)):
        later = replace(one, asked=replace(one.asked, history=as_known(one.asked.history, at)))
        unseen = _payment(one, occurred_us=one.proposal.decided_at_us, recorded_us=to_us(at))
        later = replace(later, asked=with_row(later.asked, "payments", unseen))
        assert _asked_for(later, at, bundle, _desk(law)) == _asked_for(one, at, bundle, _desk(law))


@pytest.mark.parametrize("law", LAWS)
@given(seed=SEEDS)
@SETTINGS
def test_where_nothing_changed_a_decision_is_permitted_throughout_its_span(law: str, seed: int, bundle: Any) -> None:
    rng = np.random.default_rng(seed)
    for one in _decisions(rng, law, known_alone=True):
        worth = replace(one, proposal=replace(one.proposal, incremental_net_cents=1))
        first, end = one.proposal.not_before_us, one.proposal.valid_until_us
        for at_us in (first, int(rng.integers(first, end)), end - 1):
            assert _asked_for(worth, from_us(at_us), bundle, _desk(law)).changes == ()


@pytest.mark.parametrize("law", LAWS)
@given(seed=SEEDS)
@SETTINGS
def test_the_later_moment_that_a_refusal_names_is_permitted_where_nothing_more_happens(
    law: str, seed: int, bundle: Any
) -> None:
    rng = np.random.default_rng(seed)
    for one, at in _sequels(rng, _decisions(rng, law, known_alone=False)):
        known = replace(one, asked=replace(one.asked, history=as_known(one.asked.history, at)))
        permit = _asked_for(known, at, bundle, _desk(law))
        if permit.allowed_from_us is not None:
            assert to_us(at) < permit.allowed_from_us < one.proposal.valid_until_us
            assert _asked_for(known, from_us(permit.allowed_from_us), bundle, _desk(law)).allowed


@pytest.mark.parametrize("law", LAWS)
@given(seed=SEEDS)
@SETTINGS
def test_a_permit_is_the_same_alone_and_among_others(law: str, seed: int, bundle: Any) -> None:
    rng = np.random.default_rng(seed)
    told = _sequels(rng, _decisions(rng, law, known_alone=False))
    if not told:
        return
    at = told[0][1]
    # Two accounts of one debtor have histories of their own here: the first of each debtor stands for it.
    one_each = {one.asked.account[:-1]: one for one, _ in told}.values()
    together = permits(
        _encoded([one.asked for one in one_each]), [one.proposal for one in one_each], at=at, bundle=bundle,
        desk=_desk(law),
    )  # fmt: skip
    assert together == [_asked_for(one, at, bundle, _desk(law)) for one in one_each]


def _payment(one: Decided, *, occurred_us: int, recorded_us: int) -> dict[str, Any]:
    return {
        TABLES["payments"].id_column: f"since-{one.asked.account}", "account_id": one.asked.account, "amount": 1,
        "debt_id": one.proposal.debt_ids[0], "occurred_at": from_us(occurred_us), "recorded_at": from_us(recorded_us),
    }  # fmt: skip
