from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pytest
from events_twin import Ledgers, all_events
from hypothesis import given, settings
from hypothesis import strategies as hs
from strategies import AS_OF_US, examples, random_rows, tables_of

from domain.clock import US_PER_DAY, from_us
from features.batch import compute_all, compute_many, with_fitted_priors
from features.catalogue import CATALOGUE, INGREDIENTS
from features.derived import derive, derived_plan
from features.encoding import encode
from features.events import PART_HOURS
from features.online import compute_one
from features.schema import FeatureSchema, fit_schema, parts_of
from features.spine import every_account
from features.surplus import usual_rates

BY_NAME = {feature.name: feature for feature in (*CATALOGUE, *INGREDIENTS)}
PARTS = tuple(PART_HOURS)
NAMES = tuple(f"reception_surplus_{part}" for part in PARTS)
RULE = BY_NAME[NAMES[0]].rule
CHANNELS = {"call": ("agent_call", "voice_bot"), "sms": ("sms",), "email": ("email",), "whatsapp": ("whatsapp",)}
COLUMNS = (*NAMES, *parts_of(BY_NAME[NAMES[0]]))
INDEX = {name: place for place, name in enumerate(COLUMNS)}
SCHEMA = fit_schema(encode(tables_of(random_rows(0, accounts=6, events=120)), attributes={}), attributes={})

counts = hs.lists(hs.tuples(hs.integers(0, 30), hs.integers(0, 30)), min_size=12, max_size=12)


def row_of(made: np.ndarray, received: np.ndarray) -> np.ndarray:
    """A row of ``COLUMNS`` with counts (3, 4) by part of the day and channel."""
    row = np.zeros((1, len(COLUMNS)))
    for table, values in ((RULE.attempts, made), (RULE.received, received)):
        for names, own in zip(table, values, strict=True):
            row[0, [INDEX[name] for name in names]] = own
    return row


def surplus_of(made: np.ndarray, received: np.ndarray, priors: dict[str, tuple[float, ...]] | None = None):
    row = row_of(made, received)
    derive(derived_plan([BY_NAME[name] for name in COLUMNS], index=INDEX, priors=priors or {}), row)
    return row[0, :3]


def grids(drawn: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    made = np.array([max(pair) for pair in drawn], dtype=float).reshape(3, 4)
    return made, np.array([min(pair) for pair in drawn], dtype=float).reshape(3, 4)


def test_a_surplus_is_one_step_of_newtons_method_less_the_mean_of_all_parts():
    made, received = np.zeros((3, 4)), np.zeros((3, 4))
    made[0, 1], received[0, 1] = 10, 6  # ten messages in the morning, six of them read, three of ten being usual
    priors = dict.fromkeys(NAMES, (0.2, 0.3, 0.2, 0.5))
    step = (6 - 3) / (10 * 0.3 * 0.7 + 1 / 0.5**2)
    np.testing.assert_allclose(surplus_of(made, received, priors), [step * 2 / 3, -step / 3, -step / 3], rtol=1e-12)


def test_who_was_never_contacted_has_no_surplus():
    assert surplus_of(np.zeros((3, 4)), np.zeros((3, 4))).tolist() == [0.0, 0.0, 0.0]


@given(made=hs.lists(hs.integers(0, 8), min_size=12, max_size=12))
def test_who_is_received_as_usual_has_no_surplus_whatever_channels_were_used_when(made):
    made = np.array(made, dtype=float).reshape(3, 4) * 10
    np.testing.assert_allclose(surplus_of(made, made * RULE.usual), 0.0, atol=1e-12)


@given(drawn=counts)
def test_surpluses_of_all_parts_add_up_to_nothing(drawn):
    assert abs(surplus_of(*grids(drawn)).sum()) < 1e-12


@given(drawn=counts, part=hs.integers(0, 2), channel=hs.integers(0, 3))
def test_one_contact_more_that_was_received_raises_the_surplus_of_its_part_and_lowers_the_others(drawn, part, channel):
    made, received = grids(drawn)
    made[part, channel] += 1
    before = surplus_of(made, received)
    received[part, channel] += 1
    after = surplus_of(made, received)
    others = np.arange(3) != part
    assert after[part] > before[part]
    assert (after[others] < before[others]).all()


def test_of_a_contact_that_was_read_twice_one_counts():
    made, once, twice = np.zeros((3, 4)), np.zeros((3, 4)), np.zeros((3, 4))
    made[2, 3], once[2, 3], twice[2, 3] = 1, 1, 2
    assert surplus_of(made, twice).tolist() == surplus_of(made, once).tolist()


@pytest.mark.parametrize("absent", ["contacts", "responses"])
def test_without_contacts_or_their_answers_a_surplus_is_missing(absent):
    rows = random_rows(3)
    rows.pop(absent)
    encoded = encode(tables_of(rows), attributes={})
    values = compute_many(encoded, every_account(len(encoded.account_ids), as_of_us=AS_OF_US), SCHEMA)
    assert np.isnan(values[:, [SCHEMA.index[name] for name in NAMES]]).all()


# --- what is usual ----------------------------------------------------------------------------------------------------


def test_usual_rates_are_received_over_made_contacts_of_each_channel_over_the_whole_day():
    made, received = np.full((3, 4), 10.0), np.zeros((3, 4))
    received[0], received[2] = (6, 3, 0, 10), (3, 3, 3, 11)  # eleven of ten count as ten
    made[:, 2] = 0
    rates = usual_rates(RULE, row_of(made, received), index=INDEX)
    assert rates == pytest.approx((9 / 30, 6 / 30, RULE.usual[2], 20 / 30))


def test_usual_rates_leave_out_rows_without_a_table():
    row = row_of(np.full((3, 4), 10.0), np.full((3, 4), 5.0))
    unknown = np.full_like(row, np.nan)
    assert usual_rates(RULE, np.vstack([row, unknown]), index=INDEX) == pytest.approx((0.5,) * 4)


def test_usual_rates_of_surpluses_are_kept_in_the_schema_and_part_of_its_fingerprint():
    encoded = encode(tables_of(random_rows(3)), attributes={})
    spine = every_account(len(encoded.account_ids), as_of_us=AS_OF_US)
    fitted = with_fitted_priors(SCHEMA, compute_all(encoded, spine, SCHEMA), np.arange(len(spine)))
    assert all(len(fitted.priors[name]) == 4 for name in NAMES)
    assert FeatureSchema.from_json(fitted.to_json()) == fitted
    others = {**fitted.priors, NAMES[1]: (0.2, 0.3, 0.2, 0.51)}
    assert FeatureSchema(fitted.names, fitted.categories, {}, others).fingerprint != fitted.fingerprint


# --- whose contacts, and when -----------------------------------------------------------------------------------------


def slow_counts(rows: dict[str, list[dict[str, Any]]], account: str, zone: Any, as_of_us: int):
    """Counts (3, 4) of contacts made and received, from events as plain loops make them."""
    found = np.zeros((2, 3, 4))
    for event in all_events(rows):
        source, kind, facet = event.code
        if event.account != account or (source, kind) not in (("contact", "attempt"), ("receipt", "received")):
            continue
        if not (event.occurred_us < as_of_us and event.known_from < as_of_us <= event.known_until):
            continue
        hour = from_us(event.occurred_us).astimezone(zone).hour
        for place, (opens, closes) in enumerate(PART_HOURS.values()):
            for channel, members in enumerate(CHANNELS.values()):
                if opens <= hour < closes and facet in members:
                    found[int(source == "receipt"), place, channel] += 1
    return found


@settings(max_examples=examples(40), deadline=None)
@given(seed=hs.integers(0, 2**32 - 1), back=hs.integers(0, 900))
def test_a_surplus_is_made_of_the_contacts_that_plain_loops_find(seed, back):
    rows, as_of_us = random_rows(seed, accounts=1, events=150), AS_OF_US - back * US_PER_DAY
    encoded = encode(tables_of(rows), attributes={})
    values = compute_many(encoded, every_account(len(encoded.account_ids), as_of_us=as_of_us), SCHEMA)
    for place, name in enumerate(encoded.account_ids):
        made, received = slow_counts(rows, name, Ledgers(rows).zone(name), as_of_us)
        received, usual = np.minimum(received, made), np.array(RULE.usual)
        step = (received - usual * made).sum(axis=1) / ((usual * (1 - usual) * made).sum(axis=1) + RULE.spread**-2)
        own = values[place, [SCHEMA.index[one] for one in NAMES]]
        np.testing.assert_allclose(own, step - step.mean(), rtol=1e-9, atol=1e-12)


def ledger(response: dict[str, Any], *, contact: str | None = "c1", sent_at: str = "2025-06-02T12:00:00Z"):
    """A message of nine o'clock and its answer; hours are of the debtor, three behind UTC."""
    sent = {"contact_id": "c1", "channel": "sms", "occurred_at": sent_at}
    answer = {"response_id": "r1", "kind": "read", "contact_id": contact, "channel": "sms"}
    return {
        "account_id": "a", "account": {"region": "BR-SP"}, "debts": [], "payments": [], "contacts": [sent],
        "responses": [{key: value for key, value in (answer | response).items() if value is not None}],
    }  # fmt: skip


def surpluses(ledger: dict[str, Any], as_of: str = "2025-06-10T12:00:00Z") -> np.ndarray:
    row = compute_one(ledger, as_of=datetime.fromisoformat(as_of), schema=SCHEMA)
    return row[[SCHEMA.index[name] for name in NAMES]]


def test_a_message_of_the_morning_that_is_read_in_the_evening_speaks_for_the_morning():
    assert surpluses(ledger({"occurred_at": "2025-06-02T21:30:00Z"})).argmax() == 0


@pytest.mark.parametrize("contact", [None, "unknown"])
def test_an_answer_whose_contact_is_not_known_speaks_for_its_own_hour(contact):
    unlinked = ledger({"occurred_at": "2025-06-02T21:30:00Z"}, contact=contact, sent_at="2025-06-02T21:00:00Z")
    assert surpluses(unlinked).argmax() == 2


@pytest.mark.parametrize("kind", ["delivered", "clicked", "replied", "answered"])
def test_only_a_reading_or_the_right_person_on_the_line_is_a_receipt(kind):
    assert surpluses(ledger({"kind": kind, "occurred_at": "2025-06-02T12:05:00Z"})).argmin() == 0


def test_a_message_is_not_received_before_it_is_read_even_where_that_is_recorded_too_early():
    read = {"occurred_at": "2025-06-09T12:00:00Z", "recorded_at": "2025-06-01T00:00:00Z"}
    assert surpluses(ledger(read), as_of="2025-06-09T12:00:00Z").argmin() == 0
    assert surpluses(ledger(read), as_of="2025-06-09T12:00:01Z").argmax() == 0


def test_a_receipt_goes_with_its_contact_to_the_hour_that_a_correction_says():
    corrected = ledger({"occurred_at": "2025-06-02T21:30:00Z"})
    sent = corrected["contacts"][0]
    later = sent | {"occurred_at": "2025-06-02T17:00:00Z", "recorded_at": "2025-06-05T00:00:00Z"}
    corrected["contacts"] = [sent, later]
    assert surpluses(corrected, as_of="2025-06-05T00:00:00Z").argmax() == 0
    assert surpluses(corrected, as_of="2025-06-05T00:00:01Z").argmax() == 1
