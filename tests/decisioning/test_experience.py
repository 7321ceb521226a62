from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from decisioning.engine import decide
from decisioning.experience import RARE, Experience, count_tried, experience_notices
from domain.clock import parse_moment

AS_OF = parse_moment("2026-03-02T12:30:00Z")


def of_name(desk: Any, name: str) -> Any:
    return desk.catalogue.actions[desk.catalogue.index[name]]


def learned(desk: Any, **times: int) -> Experience:
    """What was learned from so many rows of each action; underscores of the names stand for strokes."""
    actions = [of_name(desk, name.replace("__", "/")) for name in times]
    index = np.repeat(np.arange(len(actions)), list(times.values()))
    return Experience(count_tried(actions, index, np.ones(len(index))))


@pytest.mark.parametrize(
    ("name", "lacking"),
    [
        ("sms/none/morning", None),
        ("letter/none/afternoon", ("channel", 0)),
        ("sms/disc10/morning", ("offer", 0)),
        ("email/none/morning", ("both", RARE - 1)),
        ("wait/none/any", None),
    ],
)
def test_the_widest_thing_that_was_hardly_tried_is_named(desk: Any, name: str, lacking: Any) -> None:
    found = learned(desk, sms__none__morning=RARE, email__none__morning=RARE - 1, email__inst3__evening=RARE)
    assert found.lacking(of_name(desk, name)) == lacking


def test_moments_of_one_offer_on_one_channel_count_together(desk: Any) -> None:
    found = learned(desk, sms__none__morning=RARE // 2, sms__none__evening=RARE // 2)
    assert found.lacking(of_name(desk, "sms/none/afternoon")) is None


def test_an_offer_whose_discount_was_changed_was_never_tried(desk: Any) -> None:
    found = learned(desk, sms__disc10__morning=RARE)
    assert found.lacking(replace(of_name(desk, "sms/disc10/morning"), discount_pct=12.0)) == ("offer", 0)


def test_what_was_taken_is_counted_beside_what_was_tried(desk: Any) -> None:
    actions = [of_name(desk, name) for name in ("wait/none/any", "sms/disc10/morning", "sms/none/morning")]
    found = count_tried(actions, np.array([0, 1, 1, 2]), np.array([1, 1, 0, 0]))
    assert (found["channel"], found["kind"]) == ({"sms": [3, 1]}, {"discount": [2, 1], "none": [1, 0]})


def test_the_range_is_that_of_tried_and_allowed_offers_of_the_same_kind(desk: Any) -> None:
    names = ("wait/none/any", "sms/disc10/morning", "sms/disc25/morning", "sms/none/morning", "email/disc10/morning")
    actions = [of_name(desk, name) for name in names]
    found = learned(desk, sms__disc10__morning=RARE, sms__disc25__morning=RARE, sms__none__morning=RARE)
    said = experience_notices(
        found, actions, np.array([4]), net_cents=np.array([[0.0, 1_000.0, 2_000.0, 9_000.0, 1_500.0]]),
        allowed=np.ones((1, 5), dtype=bool), wording=("en", "R$"),
    )  # fmt: skip
    assert said == [
        (
            "this channel was tried 0 times in the training data: its value rests on channels that are like it; "
            "offers of its kind that were tried are worth R$ 10.00 to R$ 20.00 here",
        )
    ]


def test_without_two_tried_offers_of_the_kind_no_range_is_stated(desk: Any) -> None:
    actions = [of_name(desk, name) for name in ("wait/none/any", "sms/disc10/morning")]
    said = experience_notices(
        learned(desk, sms__none__morning=RARE), actions, np.array([1]), net_cents=np.zeros((1, 2)),
        allowed=np.ones((1, 2), dtype=bool), wording=("pt-BR", "R$"),
    )  # fmt: skip
    assert said == [
        ("esta proposta foi tentada 0 vezes nos dados de treino: o valor apoia-se em propostas semelhantes",)
    ]


def test_a_bundle_from_before_counts_were_kept_says_nothing_of_them(encoded: Any, bundle: Any, desk: Any) -> None:
    assert Experience.of(bundle.settings) is None


def test_every_contact_of_a_model_that_tried_nothing_says_so(encoded: Any, bundle: Any, desk: Any) -> None:
    nothing = {"tried": {name: {} for name in ("channel", "kind", "offer", "both")}}
    untried = replace(bundle, settings={**bundle.settings, "response": nothing})
    found = decide(encoded, as_of=AS_OF, bundle=untried, desk=desk, locale="en")
    for decision in found:
        assert any("was tried 0 times" in notice for notice in decision.notices) == (decision.channel != "wait")
