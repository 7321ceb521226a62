"""What the funnel learns: the same from the same data, nothing from too little, and discounts that never hurt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.candidates import PART_SURPLUS, grid, rows_for
from decisioning.funnel import FunnelModel
from decisioning.response import HurdleModel, ResponseModel
from decisioning.response_files import as_json, booster_files
from domain.errors import NotEnoughDataError
from features.events import PART_HOURS
from training import learners
from training.contact_log import ContactLog, Contacts
from training.learners.funnel import FunnelLearner
from training.learners.learned import LearnedResponse


def fitted(material: Any) -> ResponseModel:
    found = FunnelLearner().fit(material.log, material.schema, material.config, contacts=material.contacts)
    return found.model


def told(model: ResponseModel) -> dict[str, object]:
    """All of a model as its files have it."""
    return {**as_json(model), **booster_files(model)}


@pytest.fixture(scope="module")
def funnel(small: Any) -> ResponseModel:
    return fitted(small)


def first_contacts(found: ContactLog, rows: int) -> ContactLog:
    """The same material with no more than some contacts."""
    moments = found.contacts.moments
    some = replace(
        moments, values=moments.values[:rows], debtor=moments.debtor[:rows], as_of_us=moments.as_of_us[:rows]
    )
    contacts = Contacts(some, found.contacts.actions, found.contacts.action[:rows], found.contacts.hour[:rows])
    return replace(found, contacts=contacts, received=found.received[:rows], agreed=found.agreed[:rows])


def test_the_same_data_twice_give_the_same_model_text(small: Any, funnel: ResponseModel) -> None:
    assert told(fitted(small)) == told(funnel)


def test_rows_in_another_order_give_the_same_model_text(small_again: Any, funnel: ResponseModel) -> None:
    assert told(fitted(small_again)) == told(funnel)


def test_rows_in_another_order_give_the_same_sending_rates(small_again: Any, funnel: ResponseModel) -> None:
    assert small_again.contacts.sent == funnel.sent  # type: ignore[attr-defined]


@pytest.mark.parametrize("gate", ["received", "agreed", "deal", "self", "pay"])
def test_every_gate_of_the_funnel_is_learned_where_there_is_enough(judged_funnel: LearnedResponse, gate: str) -> None:
    assert judged_funnel.model.heads[gate].booster is not None
    assert judged_funnel.summary[gate]["kind"] in {"booster", "small booster"}


def test_a_deal_adds_the_same_everywhere_where_deals_are_few(small: Any, funnel: ResponseModel) -> None:
    added = funnel.heads["deal"].constant
    assert added is not None
    assert added > 0.5  # what deals brought in this log is more than what comes by itself


@pytest.mark.parametrize("rows", [0, 999])
def test_too_few_contacts_are_refused_and_both_numbers_named(small: Any, rows: int) -> None:
    with pytest.raises(NotEnoughDataError, match=rf"found {rows} contacts .* needed 1000"):
        FunnelLearner().fit(small.log, small.schema, small.config, contacts=first_contacts(small.contacts, rows))


def test_too_few_agreements_are_refused(small: Any) -> None:
    none = replace(small.contacts, agreed=np.zeros_like(small.contacts.agreed))
    with pytest.raises(NotEnoughDataError, match="with 0 agreements"):
        FunnelLearner().fit(small.log, small.schema, small.config, contacts=none)


def test_agreements_of_which_none_could_be_followed_are_refused(small: Any) -> None:
    nothing = np.zeros(0, dtype=np.int64)
    unfollowed = replace(small.contacts, deals=small.contacts.deals.take(nothing), deal_share=np.zeros(0))
    with pytest.raises(NotEnoughDataError, match="followed for a month"):
        FunnelLearner().fit(small.log, small.schema, small.config, contacts=unfollowed)


def test_a_few_hundred_deals_are_enough_although_no_split_by_time_has_rows_for_them(
    small: Any, funnel: ResponseModel
) -> None:
    assert len(small.contacts.deals) < 300
    assert isinstance(funnel, FunnelModel)


@pytest.fixture(scope="module")
def fallen_back(small: Any) -> learners.Chosen:
    few = first_contacts(small.contacts, 500)
    return learners.fit("funnel", small.log, small.schema, small.config, contacts=few)


def test_with_too_few_contacts_the_hurdle_takes_the_funnels_place(fallen_back: learners.Chosen) -> None:
    assert isinstance(fallen_back.model, HurdleModel)


def test_the_evaluation_says_who_took_the_place_and_why(fallen_back: learners.Chosen) -> None:
    assert fallen_back.told["learner"] == "hurdle"
    assert "found 500 contacts" in fallen_back.told["fell_back"]


def test_with_enough_contacts_the_hurdle_is_reported_beside_the_funnel(small: Any) -> None:
    found = learners.fit("funnel", small.log, small.schema, small.config, contacts=small.contacts)
    assert isinstance(found.model, FunnelModel)
    assert set(found.told["challenger"]["heads"]) == {"pay", "share", "late", "complaint", "opt_out"}


@pytest.fixture(scope="module")
def put_off_by_discounts(small: Any) -> LearnedResponse:
    """A funnel of a log in which, by whatever confounding, those who were offered a discount agreed less often."""
    found = small.contacts
    pct = np.array([action.discount_pct for action in found.contacts.actions])[found.contacts.action]
    agreed = found.received & (np.random.default_rng(2).random(len(pct)) < np.where(pct > 0, 0.1, 0.5))
    return FunnelLearner().fit(small.log, small.schema, small.config, contacts=replace(found, agreed=agreed))


def test_agreement_is_learned_by_a_booster_in_that_log(put_off_by_discounts: LearnedResponse) -> None:
    assert put_off_by_discounts.summary["agreed"]["kind"] == "small booster"


@given(
    row=st.integers(0, 10**6),
    channel=st.sampled_from(["sms", "whatsapp", "email", "agent_call"]),
    discounts=st.lists(st.floats(0, 60), min_size=2, max_size=6).map(sorted),
)
def test_a_larger_discount_never_lowers_the_chance_that_an_offer_is_taken(
    small: Any, put_off_by_discounts: LearnedResponse, row: int, channel: str, discounts: list[float]
) -> None:
    values = small.log.values[[row % len(small.log)]]
    offer = next(a for a in small.log.actions if a.channel == channel and a.offer_kind == "discount")
    actions = [replace(offer, discount_pct=pct) for pct in discounts]
    agreed = put_off_by_discounts.model.outcomes(values, small.schema, actions).p_agreed
    assert agreed is not None
    assert (np.diff(agreed[0]) >= 0.0).all()


@pytest.fixture(scope="module")
def missed_by_habit(small: Any) -> LearnedResponse:
    """A funnel of a log in which contacts failed more often in the part of the day that was the account's best."""
    found, schema = small.contacts, small.schema
    rows = rows_for(
        found.contacts.moments.values, schema, found.contacts.actions, found.contacts.action, names=(PART_SURPLUS,),
        hours=found.contacts.hour,
    )  # fmt: skip
    received = np.random.default_rng(3).random(len(rows)) < np.where(rows[:, -1] > 0, 0.2, 0.6)
    return FunnelLearner().fit(small.log, schema, small.config, contacts=replace(found, received=received))


@given(
    row=st.integers(0, 10**6),
    channel=st.sampled_from(["sms", "whatsapp", "email", "agent_call"]),
    surpluses=st.lists(st.floats(-2, 2), min_size=2, max_size=6).map(sorted),
)
def test_a_part_of_the_day_in_which_an_account_is_received_more_often_never_lowers_the_chance_of_receipt(
    small: Any, missed_by_habit: LearnedResponse, row: int, channel: str, surpluses: list[float]
) -> None:
    model = missed_by_habit.model
    assert isinstance(model, FunnelModel)
    values = small.log.values[[row % len(small.log)]]
    sent = next(a for a in small.log.actions if a.channel == channel and a.offer_kind == "none")
    one = grid(values, small.schema, [sent] * len(surpluses), names=model.names)
    told = [name for name in model.names if name.startswith("candidate_")]
    history = np.repeat(one.history, len(surpluses), axis=1)
    history[0, :, told.index(PART_SURPLUS)] = surpluses
    habits = one._replace(history=history, past=np.arange(len(surpluses)))
    received = model.heads["received"].apply(habits, np.ones((1, len(surpluses)), dtype=np.bool_))
    assert (np.diff(received[0]) >= 0.0).all()


@given(row=st.integers(0, 10**6), channel=st.sampled_from(["sms", "whatsapp", "email", "agent_call"]))
def test_what_comes_after_receipt_does_not_depend_on_the_hour(
    judged: Any, judged_funnel: LearnedResponse, row: int, channel: str
) -> None:
    log, schema = judged.material.log, judged.material.schema
    values = log.values[[row % len(log)]]
    sent = next(a for a in log.actions if a.channel == channel and a.offer_kind == "none")
    actions = [replace(sent, hours=hours) for hours in PART_HOURS.values()]
    found = judged_funnel.model.outcomes(values, schema, actions)
    assert found.p_agreed is not None
    assert np.ptp(found.p_agreed) == 0.0


def test_goodwill_is_asked_of_the_contact_and_not_of_the_weeks_around_it(small: Any, funnel: ResponseModel) -> None:
    found, actions = small.contacts.annoyance, small.contacts.contacts.actions
    sent = [a for a in actions if not a.is_wait]
    p = funnel.outcomes(small.log.values[:50], small.schema, sent)
    rate = found.opted_out.mean()
    # Smoothed rates by channel lie between the lowest and the highest that was seen, and so does their mean.
    by_channel = [k / n for n, k in found.by_channel(found.opted_out).values() if n]
    assert min(*by_channel, rate) <= (p.p_opt_out / p.p_sent).mean() <= max(*by_channel, rate)
