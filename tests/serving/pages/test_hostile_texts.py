from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from page_tags import Tags

from serving.pages.record import Shown, _against, _blocked, _money_rows, factors_of
from serving.pages.rendering import rendered

FORMS = ("replay", "review", "outcome")
HOSTILE = st.sampled_from(
    ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "'-->", "</style><b>", "{{ 7*7 }}", "&lt;b&gt;",
     "javascript:alert(1)", "\u202e\u0000<b>", "]]><svg onload=1>"]
)  # fmt: skip
TEXTS = HOSTILE | st.text(min_size=1)


class Decided:
    """A full decision, as the store would hold it."""

    def __init__(self, answer: dict[str, Any]) -> None:
        self.answer = answer


@pytest.fixture
def decided(client: Any, ask: Any) -> Decided:
    return Decided(client.post("/v1/decisions", json=ask(explain="full")).json()["decisions"][0])


def _filled(value: Any, text: str) -> Any:
    """The same JSON with each of its texts replaced, but for what the page goes by."""
    if isinstance(value, dict):
        return {key: one if key in ("channel", "code") else _filled(one, text) for key, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, text) for one in value]
    return text if isinstance(value, str) else value


def _page(engine: Any, answer: Any, text: str, *, locale: str) -> str:
    words = engine.words(locale)
    review = {"at": text, "kind": "request", "by": "debtor", "outcome": None, "reason": text, "text": text}
    one = Shown(
        content={"model_hash": text, "legal_basis": text}, answer=answer, recorded_at=text,
        told=engine.explanation(answer, locale=locale, beside={"legal_basis": text, "list": [text]}), words=words,
        channel=text, factors=factors_of(answer, words), against=_against(answer),
        money_rows=_money_rows(answer, words), blocked=_blocked(answer, words),
        reviews=[review], outcomes=[("sent", text)],
    )  # fmt: skip
    return rendered(
        "decision.html", locale=locale, here="/reports/decisions/d", one=one, done=None, may_ingest=True, now=text,
        again={"same": False, "differences": [text], "factors": None},
        tokens=dict.fromkeys(FORMS, text),
    ).decode()  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(text=TEXTS, locale=st.sampled_from(["pt-BR", "en"]))
def test_no_text_of_a_record_becomes_a_tag_of_the_page(engine: Any, decided: Decided, text: str, locale: str) -> None:
    plain, filled = (Tags(_page(engine, _filled(decided.answer, said), said, locale=locale)) for said in ("x", text))
    assert filled.found == plain.found
    assert all(target.startswith(("/reports/", "#", "data:,")) for target in filled.targets)
