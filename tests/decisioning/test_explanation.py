from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisioning.calibration import Calibrator
from decisioning.explanation import MOST_REASONS, Shares, _groups, contributions, group_weights, reasons, shares
from features.config import Attribute
from features.schema import FeatureSchema, declared_features


@pytest.mark.parametrize("calibrator", [None, Calibrator.platt(1.3, -0.4)], ids=["isotonic", "platt"])
def test_base_and_contributions_add_up_to_the_served_probability(world: Any, calibrator: Calibrator | None) -> None:
    payment = world.payment
    if calibrator is not None:
        payment = replace(payment, calibrators={**payment.calibrators, 30: calibrator})
    found = shares(payment, world.values)
    served = payment.predict(world.values)[:, 1]
    assert np.abs(found.base + found.contributions.sum(axis=1) - served).max() < 1e-12


def test_the_base_is_the_same_for_every_account(world: Any) -> None:
    found = shares(world.payment, world.values)
    assert np.ptp(found.base) < 1e-9


def test_contributions_keep_the_sign_of_the_margins(world: Any) -> None:
    found = shares(world.payment, world.values)
    raw = world.payment.contributions(world.values)[:, :-1]
    assert (np.sign(found.contributions) == np.sign(raw)).all()


def test_where_margins_meet_the_local_slope_takes_over(world: Any) -> None:
    class Flat:
        explained = 30
        calibrators = world.payment.calibrators

        def contributions(self, _values: np.ndarray) -> np.ndarray:
            return np.array([[0.5, -0.5, -0.3]])

        def margins(self, _values: np.ndarray) -> np.ndarray:
            return np.array([-0.3])

    found = shares(Flat(), np.zeros((1, 2)))  # type: ignore[arg-type]
    slope = world.payment.calibrators[30].slope(np.array([-0.3]))[0]
    assert found.contributions[0].tolist() == pytest.approx([0.5 * slope, -0.5 * slope])
    assert found.base[0] + found.contributions[0].sum() == pytest.approx(found.p_pay[0], abs=1e-12)


def test_reasons_are_few_ordered_and_one_per_group(world: Any) -> None:
    found = shares(world.payment, world.values)
    groups = {feature.name: feature.group for feature in world.schema.features}
    for row in reasons(found, world.values, world.schema, locale="en"):
        assert 1 <= len(row) <= MOST_REASONS
        assert [abs(reason.contribution) for reason in row] == sorted((abs(r.contribution) for r in row), reverse=True)
        assert len({groups[reason.feature] for reason in row}) == len(row)


def test_twins_make_one_reason_worded_by_the_one_that_pulls_their_way(world: Any) -> None:
    own = np.zeros((1, len(world.schema.names)))
    own[0, world.schema.index["payments_count_90d"]] = -0.01
    own[0, world.schema.index["payments_count_365d"]] = 0.03
    found = reasons(Shares(np.zeros(1), own, np.zeros(1)), np.ones_like(own), world.schema, locale="pt-BR")
    assert [(reason.code, round(reason.contribution, 6)) for reason in found[0]] == [("PAYMENTS_COUNT_365D", 0.02)]


def test_reasons_are_said_in_both_languages(world: Any) -> None:
    found = shares(world.payment, world.values[:1])
    portuguese, english = (
        reasons(found, world.values[:1], world.schema, locale=locale)[0] for locale in ("pt-BR", "en")
    )
    assert [reason.code for reason in portuguese] == [reason.code for reason in english]
    assert [reason.text for reason in portuguese] != [reason.text for reason in english]


def test_listed_contributions_leave_out_only_zeros(world: Any) -> None:
    found = shares(world.payment, world.values)
    listed = contributions(found, world.values, world.schema, 7)
    assert found.base[7] + sum(item.contribution for item in listed) == pytest.approx(found.p_pay[7], abs=1e-9)


def test_noise_of_a_percent_leaves_the_first_reason_where_it_is(world: Any) -> None:
    rng, rows = np.random.default_rng(1), world.values
    factor = rng.uniform(0.99, 1.01, size=rows.shape)
    factor[:, list(world.schema.categorical)] = 1.0
    before, after = (
        [row[0].code for row in reasons(shares(world.payment, values), values, world.schema, locale="en")]
        for values in (rows, rows * factor)
    )
    # 900 rows: 95 % of them leave room for five standard deviations of chance where 98.5 % hold still.
    assert np.mean([one == other for one, other in zip(before, after, strict=True)]) >= 0.95


def test_no_reason_is_of_a_protected_attribute() -> None:
    attributes = {
        "income": Attribute(kind="numeric"), "gender": Attribute(kind="categorical", protected=True),
        "birth_year": Attribute(kind="numeric", protected=True),
    }  # fmt: skip
    names = tuple(feature.name for feature in declared_features(attributes))
    schema = FeatureSchema(names, {}, attributes)
    values = np.zeros((len(names), len(names)))
    # Each feature in turn is the only one that adds anything, so that every code there is comes to be said.
    found = reasons(Shares(np.zeros(len(names)), np.eye(len(names)), np.ones(len(names))), values, schema, locale="en")
    codes = {one.code for row in found for one in row}
    assert len(codes) == len(names)
    assert not {code for code in codes if "GENDER" in code or "BIRTH" in code or code == "AGE"}
    assert {one.feature for row in found for one in row}.isdisjoint({"gender", "birth_year"})


@pytest.mark.parametrize("locale", ["pt-BR", "en"])
def test_every_code_is_worded_in_full(world: Any, locale: str) -> None:
    size = len(world.schema.names)
    everything = Shares(np.zeros(size), np.eye(size), np.ones(size))
    said = [one.text for row in reasons(everything, np.ones((size, size)), world.schema, locale=locale) for one in row]
    assert len(said) == size
    assert all(text and "{" not in text for text in said)


@given(
    rows=arrays(np.float64, (1, 40), elements=st.floats(-1, 1)),
    names=st.lists(st.sampled_from("abcd"), min_size=40, max_size=40),
)
def test_the_weights_of_an_account_alone_are_those_of_each_group_to_the_bit(rows: Any, names: list[str]) -> None:
    groups = _groups(tuple(names))
    each = [float(rows[:, columns].sum(axis=1)[0]) for columns in groups.columns]
    assert group_weights(rows, groups).tolist() == [each]
