from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.access.tokens import new_key
from serving.pages.forms import GOOD_S, FormTokens, check_site, fields_of
from serving.problems import Problem

KEY, OTHER = (new_key("default", frozenset({"review"}), now=datetime(2026, 3, 2, tzinfo=UTC))[1] for _ in range(2))
AT = 1_772_000_000.0


def tokens(at: float = AT) -> FormTokens:
    return FormTokens(clock=lambda: at)


def fits(token: str, form: str = "review", decision_id: str = "d1", *, key: Any = KEY, at: float = AT) -> bool:
    try:
        tokens(at).check(token, form, decision_id, key=key)
    except Problem as problem:
        assert problem.status == 403
        return False
    return True


def test_a_token_is_good_in_every_process_that_knows_the_key() -> None:
    assert fits(tokens().make("review", "d1", key=KEY))


@pytest.mark.parametrize("other", [{"form": "outcome"}, {"decision_id": "d2"}, {"key": OTHER}, {"key": None}])
def test_a_token_is_good_for_its_form_its_decision_and_its_key_alone(other: dict[str, Any]) -> None:
    assert not fits(tokens().make("review", "d1", key=KEY), **other)


@pytest.mark.parametrize("age_s, good", [(0, True), (GOOD_S, True), (GOOD_S + 1, False), (-3600, False)])
def test_a_token_is_good_for_hours_and_not_from_the_future(age_s: float, good: bool) -> None:
    assert fits(tokens().make("review", "d1", key=KEY), at=AT + age_s) is good


def test_without_keys_a_token_is_good_in_its_own_process() -> None:
    own = tokens()
    made = own.make("review", "d1", key=None)
    own.check(made, "review", "d1", key=None)
    assert not fits(made, key=None)


@given(st.text() | st.from_regex(r"[0-9]{1,12}\.[0-9a-f]{64}", fullmatch=True))
def test_no_text_that_was_not_made_here_is_a_token(text: str) -> None:
    assert not fits(text)


@given(place=st.integers(0, 74), letter=st.sampled_from("0aZ.-é"))
def test_a_token_with_one_letter_changed_is_none(place: int, letter: str) -> None:
    made = tokens().make("review", "d1", key=KEY)
    changed = made[:place] + letter + made[place + 1 :]
    assert fits(changed) == (changed == made)


@pytest.mark.parametrize("said, good", [(None, True), ("same-origin", True), ("none", True), ("same-site", False),
                                        ("cross-site", False), ("", False)])  # fmt: skip
def test_what_a_browser_says_another_site_sent_is_refused(said: str | None, good: bool) -> None:
    if good:
        check_site(said)
        return
    with pytest.raises(Problem, match="another site"):
        check_site(said)


@given(st.binary(max_size=200))
def test_any_body_is_fields_or_a_problem(body: bytes) -> None:
    try:
        found = fields_of(body)
    except Problem as problem:
        assert problem.status == 400
    else:
        assert all(value.strip() for value in found.values())


def test_a_form_is_read_as_browsers_send_it() -> None:
    assert fields_of(b"kind=request&text=n%C3%A3o+%C3%A9%0D%0Aminha&reason=") == {
        "kind": "request",
        "text": "não é\nminha",
    }


def test_a_field_that_is_there_twice_is_refused() -> None:
    with pytest.raises(Problem, match="twice"):
        fields_of(b"kind=request&kind=outcome")
