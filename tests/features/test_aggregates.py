from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as hs
from sql_oracle import SUPPORTED, windowed_by_sql
from strategies import AS_OF_US, examples, random_rows, tables_of

from features.definitions import (
    ALL,
    HISTORY_WIDE,
    SINCE,
    Aggregate,
    Events,
    Feature,
    Windowed,
    days,
    hours,
    since,
)
from features.encoding import encode
from features.kernel import windowed
from features.plan import compile_plan
from features.spine import every_account
from features.twin import windowed_by_masks

ANSWERS = Events("response", ("read", "answered", "clicked"), parts=("morning", "evening"))
SELECTIONS = (
    Events("payment"), Events("payment", ("paid",), payday=True), Events("contact", facets=("sms", "other")), ANSWERS,
    Events("response", weekend=True), Events("promise", ("made", "broken"), facets=("promise", "slip_discount")),
    Events("debt_event"), Events("hold"), Events("reason"),
)  # fmt: skip
WINDOWS = (hours(1), hours(36), days(7), days(400), ALL, since("answer", ANSWERS))


def every_shape() -> list[Feature]:
    """Every aggregate of every selection over every window that it can have."""
    found = []
    for aggregate in get_args(Aggregate):
        for place, events in enumerate(SELECTIONS):
            for window in WINDOWS:
                whole = aggregate in HISTORY_WIDE
                if (whole and window != ALL) or (window.since and aggregate not in SINCE):
                    continue
                rule = Windowed(events, aggregate, window)
                found.append(Feature(f"{aggregate}_{place}_{window.label}", rule, "number", "", "", "", "", "payments"))
    return found


FEATURES = every_shape()


def computed(rows):
    encoded = encode(tables_of(rows), attributes={})
    spine = every_account(len(encoded.account_ids), as_of_us=AS_OF_US)
    out = np.empty((len(spine), len(FEATURES)))
    windowed(compile_plan(FEATURES), encoded.events, spine.account, spine.as_of_us, out)
    return encoded, spine, out


def same(feature: Feature, ours: np.ndarray, theirs: np.ndarray) -> None:
    if feature.rule.aggregate == "std":
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-6, err_msg=feature.name)
    else:
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=0, err_msg=feature.name)


@settings(max_examples=examples(40), deadline=None)
@given(seed=hs.integers(0, 2**32 - 1))
def test_every_aggregate_over_every_window_is_what_masks_give(seed):
    encoded, spine, ours = computed(random_rows(seed))
    theirs = windowed_by_masks(encoded, spine, FEATURES)
    for place, feature in enumerate(FEATURES):
        same(feature, ours[:, place], theirs[:, place])


@settings(max_examples=examples(4), deadline=None)
@given(seed=hs.integers(0, 2**32 - 1))
def test_every_aggregate_that_sql_can_say_is_what_sql_gives(seed):
    encoded, _, ours = computed(random_rows(seed))
    theirs = windowed_by_sql(encoded.tables, [(name, AS_OF_US) for name in encoded.account_ids], FEATURES)
    assert {feature.rule.aggregate for feature in FEATURES if feature.name in theirs} == SUPPORTED
    for place, feature in enumerate(FEATURES):
        if feature.name in theirs:
            same(feature, ours[:, place], theirs[feature.name])


@pytest.mark.parametrize(
    "aggregate, window, said",
    [("recency", days(30), "leave it out"), ("mean", since("answer", ANSWERS), "needed one of")],
)
def test_an_aggregate_over_a_window_that_it_cannot_have_is_refused(aggregate, window, said):
    with pytest.raises(ValueError, match=said):
        Windowed(Events("payment"), aggregate, window)


def test_a_kind_or_a_facet_that_a_source_does_not_have_is_refused():
    with pytest.raises(ValueError, match="needed some of"):
        Events("payment", ("sung",))
    with pytest.raises(ValueError, match="needed some of"):
        Events("contact", facets=("carrier_pigeon",))
