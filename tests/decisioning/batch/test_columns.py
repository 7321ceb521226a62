"""Columns of a page at once, against the records of its decisions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisioning.allocation.claims import Claims
from decisioning.batch.deciding import Subject, decided
from decisioning.batch.files import table_of
from decisioning.batch.job import Job
from decisioning.batch.layout import Layout
from decisioning.batch.outline import Outline
from decisioning.batch.told import Told
from decisioning.desk import Desk
from decisioning.desk import desk as desk_of
from decisioning.engine import decide
from decisioning.exclusions import account_segments, decision_segments, exclusions
from decisioning.exclusions.counting import Run, figures_of, tallied
from decisioning.foreknown import Keeping
from decisioning.offers import offers
from decisioning.pages import owing, spine_at
from decisioning.portfolio import allot, claim
from domain.clock import parse_moment, to_us
from domain.decisions import Decision

AS_OF = parse_moment("2026-03-02T12:30:00Z")


@pytest.fixture(scope="module")
def scarce(desk: Desk) -> Desk:
    """The desk with little of everything."""
    limits = {
        "capacities": {"sms": {"per_day": 2}, "email": {"per_day": 1}, "agent_call": {"per_day": 0}},
        "budgets": {"contact_cost": {"per_day": 1.0}},
    }
    config = type(desk.config).model_validate(desk.config.model_dump() | limits)
    return desk_of(desk.catalogue, config, desk.contact_policy)


def job(*, log_probs: bool = False) -> Job:
    return Job("", "", ("", ""), "", to_us(AS_OF), log_probs=log_probs)


@pytest.fixture(scope="module", params=["free", "scarce"])
def both(request: Any, encoded: Any, bundle: Any, desk: Desk, scarce: Desk) -> tuple[list[Decision], Any, Told, Desk]:
    """Records of all accounts, and their columns and what is told of them."""
    own = scarce if request.param == "scarce" else desk
    plan = allot(encoded, as_of=AS_OF, bundle=bundle, desk=own)
    records = decide(encoded, as_of=AS_OF, bundle=bundle, desk=own, allot=plan, log_probs=True)
    accounts = owing(encoded, to_us(AS_OF), channels=own.catalogue.channels)
    portions = None if plan is None else plan.portions
    rows, told = decided(Subject(encoded, accounts, bundle, own, portions), job(log_probs=True))
    return records, rows, told, own


def test_columns_say_what_records_say(both: Any, bundle: Any) -> None:
    records, rows, _, own = both
    layout = Layout(bundle.payment.horizons, log_probs=True, allotted=own.config.is_limited)
    expected = table_of(records, layout)
    for name in layout.schema.names:
        assert rows.column(name).to_pylist() == expected.column(name).to_pylist(), name
    assert rows.schema == layout.schema


def test_the_outline_of_pages_is_that_of_records(both: Any) -> None:
    records, _, told, _ = both
    horizons = tuple(records[0].p_pay)
    assert told.outline.summary(horizons=horizons) == Outline.of(records).summary(horizons=horizons)


def test_the_figures_of_pages_are_those_of_records(both: Any, encoded: Any) -> None:
    records, _, told, own = both
    segments = account_segments(records, encoded, channels=own.catalogue.channels) | decision_segments(records)
    assert figures_of(told.tally, Run.of(records[0])) == exclusions(records, own.catalogue, segments=segments)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), parts=st.integers(1, 5))
def test_what_parts_tell_adds_up_to_the_whole(both: Any, tmp_path_factory: Any, seed: int, parts: int) -> None:
    records, _, _, own = both
    whose = np.random.default_rng(seed).integers(0, parts, len(records))
    folder, told = tmp_path_factory.mktemp("told"), []
    for part in range(parts):
        some = [one for one, place in zip(records, whose, strict=True) if place == part]
        cuts = decision_segments(some) if some else {}
        Told(Outline.of(some), tallied(some, own.catalogue, cuts)).save(folder / f"{part}.told")
        told.append(Told.load(folder / f"{part}.told", own.catalogue))
    whole = Told.together(told, own.catalogue)
    assert figures_of(whole.tally, Run.of(records[0])) == exclusions(records, own.catalogue)
    assert whole.outline.summary(horizons=(30,)) == Outline.of(records).summary(horizons=(30,))


def test_what_is_kept_of_claims_gives_the_same_offers(encoded: Any, bundle: Any, scarce: Desk, tmp_path: Any) -> None:
    accounts = owing(encoded, to_us(AS_OF), channels=scarce.catalogue.channels)
    keeping = Keeping()
    claim(encoded, accounts, as_of=AS_OF, bundle=bundle, desk=scarce, keeping=keeping)
    kept = keeping.kept()
    assert kept is not None
    kept.save(tmp_path / "some.known")
    known = type(kept).load(tmp_path / "some.known")
    some = accounts[1::2]
    fresh, again = (offers(encoded, spine_at(some, to_us(AS_OF)), bundle, scarce, known=one) for one in (None, known))
    np.testing.assert_array_equal(again.values, fresh.values)
    np.testing.assert_array_equal(again.p_pay, fresh.p_pay)
    for name, found in fresh.outcomes.named().items():
        np.testing.assert_array_equal(again.outcomes.named()[name], found)
    np.testing.assert_array_equal(again.money.objective_cents, fresh.money.objective_cents)


def test_claims_are_read_as_they_were_written(encoded: Any, bundle: Any, scarce: Desk, tmp_path: Any) -> None:
    accounts = owing(encoded, to_us(AS_OF), channels=scarce.catalogue.channels)
    found = claim(encoded, accounts, as_of=AS_OF, bundle=bundle, desk=scarce)
    found.save(tmp_path / "some.claims")
    again = Claims.load(tmp_path / "some.claims")
    for name in Claims.__slots__:
        np.testing.assert_array_equal(getattr(again, name), getattr(found, name))
