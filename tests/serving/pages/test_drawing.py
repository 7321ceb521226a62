from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from serving.pages.comparing import _at
from serving.pages.rendering import moment
from serving.pages.waterfall import MOST_STEPS, WIDTH, waterfall

WORDS = Path(__file__).parents[3] / "serving" / "templates" / "words.yaml"
JSON = st.recursive(
    st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)
ADDS = st.lists(st.floats(-0.05, 0.05, allow_subnormal=False), max_size=30)


def drawn(base: float, adds: list[float]):
    found = [{"feature": f"f{n}", "value": None, "contribution": one} for n, one in enumerate(adds)]
    return waterfall(
        {"base": base, "contributions": found}, say=lambda name, _: name, names=lambda name, count: f"{name} {count}"
    )


@given(st.floats(0, 1), ADDS)
def test_a_waterfall_ends_where_all_contributions_add_up_to(base, adds):
    assert drawn(base, adds).end == pytest.approx(base + sum(adds), abs=1e-12)


@given(st.floats(0, 1), ADDS)
def test_every_bar_is_within_the_drawing(base, adds):
    found = drawn(base, adds)
    assert all(step.x >= 0 and step.width > 0 and step.x + step.width <= WIDTH - 60 for step in found.steps)
    assert found.steps[-1].y < found.height


@given(st.floats(0, 1), ADDS)
def test_what_has_no_step_of_its_own_is_one_step_and_still_in_the_list(base, adds):
    found = drawn(base, adds)
    told = [one for one in adds if one]
    assert len(found.steps) == 2 + min(len(told), MOST_STEPS + 1)
    assert len(found.everything) == len(told)


def test_every_text_is_there_in_both_languages():
    read = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
    assert all(len(both) == 2 and all(both) for some in read.values() for both in some.values())


@given(st.text())
def test_a_moment_that_is_none_is_told_as_it_was_written(text):
    assert moment(text, locale="en")


@given(
    st.recursive(st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)),
    st.text(),
)
def test_any_place_of_any_settings_can_be_told(value, pointer):
    assert len(_at(value, pointer)) <= 160
