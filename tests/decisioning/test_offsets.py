"""Offsets by form of offer: added in log-odds where the form is known, and kept in a bundle as they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit

from decisioning.bundle import BundleParts, read_bundle, write_bundle
from decisioning.candidates import candidate_names, grid
from decisioning.funnel import HEADS, OTHER_CHANNEL, FunnelModel
from decisioning.offsets import OLD_DAYS, OffsetHead, Offsets
from decisioning.response import Head

PLAIN = 0.3


def names_of(world: Any) -> tuple[str, ...]:
    return candidate_names(world.schema, world.desk.catalogue.actions)


def offsets_of(world: Any, *known: str, offsets: Any) -> Offsets:
    """Of the forms of the actions ``known``, each with an offset on young and on old debts."""
    columns = Offsets.telling(names_of(world))
    static = table_of(world, *known).static[:, list(columns)]
    return Offsets(world.schema.index["days_past_due"], columns, static, np.array(offsets, dtype=np.float64))


def table_of(world: Any, *asked: str, days: tuple[float, ...] = (10.0,)) -> Any:
    values = np.repeat(world.values[:1], len(days), axis=0)
    values[:, world.schema.index["days_past_due"]] = days
    catalogue = world.desk.catalogue
    actions = [catalogue.actions[catalogue.index[name]] for name in asked]
    return grid(values, world.schema, actions, names=names_of(world))


def applied(offsets: Offsets, table: Any) -> np.ndarray:
    wanted = np.ones((len(table.values), len(table.static)), dtype=np.bool_)
    return OffsetHead(Head(constant=PLAIN), offsets).apply(table, wanted)


@given(
    static=st.lists(st.tuples(*[st.sampled_from([0.0, 1.0, 3.0])] * 3), min_size=1),
    forms=st.lists(st.tuples(*[st.sampled_from([0.0, 1.0, 3.0])] * 2), max_size=6),
)
def test_the_form_of_an_action_is_the_first_that_stands_in_its_columns(static: Any, forms: Any) -> None:
    offsets = Offsets(0, (2, 0), np.array(forms, dtype=np.float64).reshape(-1, 2), np.zeros((len(forms), 2)))
    told = [forms.index((one[2], one[0])) if (one[2], one[0]) in forms else -1 for one in static]
    assert offsets.form(np.array(static)).tolist() == told


def test_an_offset_is_added_in_log_odds_by_age_of_the_debt(world: Any) -> None:
    offsets = offsets_of(world, "sms/inst3/morning", offsets=[[0.7, -1.1]])
    found = applied(offsets, table_of(world, "sms/inst3/morning", days=(OLD_DAYS - 1.0, float(OLD_DAYS))))
    assert found[:, 0] == pytest.approx(expit(logit(PLAIN) + np.array([0.7, -1.1])))


def test_a_form_that_was_never_offered_stays_as_it_is(world: Any) -> None:
    offsets = offsets_of(world, "sms/inst3/morning", offsets=[[0.7, -1.1]])
    assert applied(offsets, table_of(world, "sms/inst6/morning", "sms/none/morning"))[0] == pytest.approx(PLAIN)


def test_a_form_is_the_same_on_every_channel_and_at_every_moment(world: Any) -> None:
    offsets = offsets_of(world, "sms/inst3/morning", offsets=[[0.7, -1.1]])
    found = applied(offsets, table_of(world, "sms/inst3/morning", "whatsapp/inst3/evening"))
    assert found[0, 0] == found[0, 1] != PLAIN


def test_where_nothing_is_overdue_the_debt_is_young(world: Any) -> None:
    offsets = offsets_of(world, "sms/none/morning", offsets=[[0.7, -1.1]])
    unknown = applied(offsets, table_of(world, "sms/none/morning", days=(float("nan"),)))
    assert unknown[0, 0] == applied(offsets, table_of(world, "sms/none/morning", days=(0.0,)))[0, 0]


@given(young=st.floats(-5, 5), old=st.floats(-5, 5), days=st.floats(0, 3_000))
def test_a_larger_discount_is_taken_no_less_often_whatever_the_offsets(
    world: Any, young: float, old: float, days: float
) -> None:
    offsets = offsets_of(world, "sms/disc10/morning", offsets=[[young, old]])
    found = applied(offsets, table_of(world, "sms/disc10/morning", "sms/disc25/morning", days=(days,)))
    assert found[0, 0] == found[0, 1]  # the plain head says the same of both


@given(p=st.floats(0, 1), offset=st.floats(-15, 15))
def test_what_comes_out_is_a_probability(world: Any, p: float, offset: float) -> None:
    offsets = offsets_of(world, "sms/none/morning", offsets=[[offset, offset]])
    table = table_of(world, "sms/none/morning")
    found = OffsetHead(Head(constant=p), offsets).apply(table, np.ones((1, 1), dtype=np.bool_))
    assert 0.0 <= found[0, 0] <= 1.0


def test_what_was_not_asked_about_is_missing(world: Any) -> None:
    offsets = offsets_of(world, "sms/none/morning", offsets=[[0.5, 0.5]])
    table = table_of(world, "sms/none/morning", "sms/inst3/morning")
    found = OffsetHead(Head(constant=PLAIN), offsets).apply(table, np.array([[True, False]]))
    assert np.isnan(found).tolist() == [[False, True]]


def test_offsets_come_back_from_a_bundle_as_they_were(
    world: Any, bundle: Any, parts: BundleParts, tmp_path: Path
) -> None:
    offsets = offsets_of(world, "sms/inst3/morning", "sms/none/morning", offsets=[[0.7, -1.1], [0.2, 0.3]])
    grown = Head(bundle.response.heads["pay"].booster, bundle.response.heads["pay"].calibrator)
    heads = {name: Head(constant=0.1) for name in HEADS} | {"agreed": OffsetHead(grown, offsets)}
    model = FunnelModel(heads, names_of(world), {OTHER_CHANNEL: 0.9})
    actions = world.desk.catalogue.actions[:12]
    write_bundle(tmp_path / "bundle", replace(parts, response=model))
    found = read_bundle(tmp_path / "bundle").response.outcomes(world.values[:3], world.schema, actions)
    expected = model.outcomes(world.values[:3], world.schema, actions)
    np.testing.assert_array_equal(found.p_agreed, expected.p_agreed)
