from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from decisioning.records import _refusal_json, decision_bytes, json_bytes
from domain.decisions import Refusal

TEXTS = st.text(max_size=9)
MOMENTS = st.none() | st.integers(0, 4 * 10**15)
REFUSALS = st.builds(Refusal, TEXTS, TEXTS, TEXTS, MOMENTS, text=TEXTS, allowed_from_us=MOMENTS)
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
OTHERS = st.dictionaries(TEXTS.filter(lambda name: name != "refusals"), VALUES | st.lists(VALUES), max_size=4)


@given(before=OTHERS, refusals=st.lists(REFUSALS.map(_refusal_json)), after=OTHERS)
def test_a_decision_is_written_as_any_answer_is(
    before: dict[str, Any], refusals: list[Any], after: dict[str, Any]
) -> None:
    answer = {**before, "refusals": refusals, **after}
    assert decision_bytes(answer) == json_bytes(answer)
