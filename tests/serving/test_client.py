from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.app import create_app
from serving.client import Client, Retries
from serving.client_refusals import (
    BusyError,
    ForgottenError,
    NotAllowedError,
    NotFoundError,
    RefusedError,
    ServiceUnreachableError,
    StoredOtherwiseError,
    TooLargeError,
    UnfitError,
)
from serving.store import Store
from serving.store.opening import sqlite_url

WHEN = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAYMENT = {"payment_id": "y1", "account_id": "a1", "amount": 10.5, "occurred_at": WHEN}
LOST = httpx.ReadError("reset")


class Through(httpx.BaseTransport):
    """To the app of a test; ``before`` happens to the first requests instead, and ``lost`` answers get lost."""

    def __init__(self, app: Any = None, *, before: list[Any] | None = None, lost: int = 0) -> None:
        self.app, self.before, self.lost = app, list(before or []), lost
        self.seen: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        content = request.read()
        self.seen.append(request)
        if self.before:
            planned = self.before.pop(0)
            if isinstance(planned, Exception):
                raise planned
            return planned
        answer = self.app.request(request.method, str(request.url), content=content, headers=request.headers)
        if self.lost:
            self.lost -= 1
            raise LOST
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)


def problem(status: int, **headers: str) -> httpx.Response:
    body = {"type": "urn:acerto:problem:x", "title": "t", "status": status, "detail": "d", "request_id": "r"}
    return httpx.Response(status, json=body, headers=headers)


def client_of(through: Through, *, waits: list[float] | None = None, **retries: Any) -> Client:
    kept = [] if waits is None else waits
    return Client("http://test", transport=through, sleep=kept.append, rng=Random(1), retries=Retries(**retries))


@pytest.fixture(scope="module")
def app(serve: Any, schemas: Any, engine: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    url = sqlite_url(tmp_path_factory.mktemp("client") / "acerto.db")
    with serve(create_app(schemas, load=lambda: engine, open_store=lambda: Store.open(url))) as found:
        yield found.wait_until_ready()


def test_a_decision_is_answered_kept_and_told_of(app: Any, ledger: Any) -> None:
    with client_of(Through(app)) as client:
        [decision] = client.decisions([ledger("c1")], as_of=WHEN, explain="full", locale="en").decisions
        assert client.decision(decision.decision_id) == decision
        assert client.outcomes(decision.decision_id, "sent", at=WHEN, contact_id="c").new == 1


def test_what_follows_on_a_decision_is_asked_and_told(app: Any, ledger: Any) -> None:
    with client_of(Through(app)) as client:
        [decision] = client.decisions([ledger("c9")], as_of=WHEN, explain="reasons").decisions
        [permit] = client.permits([decision.decision_id], accounts=[ledger("c9")], at=WHEN).permits
        assert (permit.decision_id, permit.action) == (decision.decision_id, decision.action)
        assert client.explanation(decision.decision_id, locale="en").debtor.text[-1].startswith("If this is not")
        assert client.replay(decision.decision_id).same
        assert client.review(decision.decision_id, "request", by="debtor", text="why?").new == 1
        assert client.review(decision.decision_id, "outcome", by="reviewer", outcome="upheld").new == 1
        assert [review.kind for review in client.decision(decision.decision_id).reviews] == ["request", "outcome"]


def test_scores_have_every_horizon(app: Any, ledger: Any) -> None:
    with client_of(Through(app)) as client:
        assert client.scores([ledger()], as_of=WHEN).scores[0].p_pay.keys() == {"7d", "30d", "60d", "90d"}


def test_the_model_says_what_it_is(app: Any) -> None:
    with client_of(Through(app)) as client:
        assert client.model().model_version == "7"


def test_an_answer_that_was_lost_is_asked_for_again_and_had_one_effect(app: Any) -> None:
    through = Through(app, lost=2)
    with client_of(through) as client:
        told = client.events("payments", [{**PAYMENT, "payment_id": "lost"}])
    # Without its key the row would be the same by now, and not new.
    assert (told.new, told.same) == (1, 0)
    assert len({request.headers["idempotency-key"] for request in through.seen}) == 1
    assert len(through.seen) == 3


def test_a_repeat_has_the_same_bytes() -> None:
    through = Through(before=[LOST, LOST, LOST])
    with client_of(through, most=3) as client, pytest.raises(ServiceUnreachableError):
        client.events("payments", [PAYMENT])
    assert len({request.content for request in through.seen}) == 1


def test_two_requests_have_two_keys() -> None:
    through = Through(before=[problem(422), problem(422)])
    with client_of(through) as client:
        for _ in range(2):
            with pytest.raises(UnfitError):
                client.events("payments", [])
    assert len({request.headers["idempotency-key"] for request in through.seen}) == 2


def test_a_key_of_the_caller_names_the_request() -> None:
    through = Through(before=[problem(422)])
    with client_of(through) as client, pytest.raises(UnfitError):
        client.events("payments", [], idempotency_key="mine")
    assert through.seen[0].headers["idempotency-key"] == "mine"


def test_the_key_of_the_api_goes_along() -> None:
    through = Through(before=[problem(404)])
    with Client("http://test", key="acerto_x", transport=through) as client, pytest.raises(NotFoundError):
        client.model()
    assert through.seen[0].headers["authorization"] == "Bearer acerto_x"


@pytest.mark.parametrize("status", [429, 503, 409])
def test_who_asks_to_come_again_is_waited_for(app: Any, status: int) -> None:
    waits: list[float] = []
    with client_of(Through(app, before=[problem(status, **{"Retry-After": "3"})]), waits=waits) as client:
        client.model()
    assert waits == [3.0]


def test_who_asks_for_too_long_a_wait_is_not_waited_for() -> None:
    waits: list[float] = []
    through = Through(before=[problem(503, **{"Retry-After": "3600"})])
    with client_of(through, waits=waits) as client, pytest.raises(BusyError):
        client.model()
    assert waits == []


@pytest.mark.parametrize("failure", [LOST, httpx.ConnectError("no"), httpx.ReadTimeout("late")])
def test_a_service_that_is_not_there_is_tried_so_often_and_no_more(failure: Exception) -> None:
    through = Through(before=[failure] * 9)
    with client_of(through, most=4) as client, pytest.raises(ServiceUnreachableError, match="can be reached"):
        client.model()
    assert len(through.seen) == 4


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, UnfitError), (401, NotAllowedError), (403, NotAllowedError), (404, NotFoundError),
        (409, StoredOtherwiseError), (410, ForgottenError), (413, TooLargeError), (415, UnfitError),
        (422, UnfitError), (500, RefusedError),
    ],
)  # fmt: skip
def test_a_refusal_is_of_its_kind_and_not_sent_again(status: int, kind: type[RefusedError]) -> None:
    through = Through(before=[problem(status)])
    with client_of(through) as client, pytest.raises(kind) as refused:
        client.model()
    assert (refused.value.status, refused.value.code, refused.value.request_id) == (status, "x", "r")


def test_a_refusal_names_places(app: Any, ledger: Any) -> None:
    with client_of(Through(app)) as client, pytest.raises(UnfitError) as refused:
        client.scores([ledger(debts=[{"debt_id": "d"}])])
    assert {place.pointer for place in refused.value.errors} >= {"/accounts/0/debts/0/amount"}


def test_an_answer_of_something_else_is_a_refusal_too() -> None:
    through = Through(before=[httpx.Response(502, text="<html>")])
    with client_of(through) as client, pytest.raises(RefusedError, match="502 unknown"):
        client.model()


def test_what_a_later_service_adds_is_passed_over(app: Any) -> None:
    known = json.loads(app.get("/v1/model").text)
    with client_of(Through(before=[httpx.Response(200, json={**known, "more": 1})])) as client:
        assert client.model().model_hash == known["model_hash"]


@pytest.mark.parametrize("moment", [datetime(2026, 3, 2), Path("x")])  # noqa: DTZ001  # that is the point
def test_what_a_request_cannot_hold_is_refused_before_it_is_sent(moment: Any) -> None:
    through = Through()
    with client_of(through) as client, pytest.raises(TypeError, match="needed"):
        client.scores([], as_of=moment)
    assert through.seen == []


@given(tried=st.integers(1, 60), asked_s=st.floats(0, 20), seed=st.integers(0, 99))
def test_a_wait_is_what_was_asked_for_or_a_draw_below_its_bound(tried: int, asked_s: float, seed: int) -> None:
    found = Retries().wait_s(tried, asked_s=asked_s, rng=Random(seed))
    assert asked_s <= found <= max(asked_s, min(20.0, 0.2 * 2.0 ** (tried - 1)))


def test_the_example_of_the_documents_runs(app: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    text = (Path(__file__).parents[2] / "docs" / "client.md").read_text(encoding="utf-8")
    example = text.partition("```python\n")[2].partition("```")[0]
    there = httpx.Client
    monkeypatch.setattr("serving.client.httpx.Client", lambda **parts: there(**{**parts, "transport": Through(app)}))
    monkeypatch.delenv("ACERTO_KEY", raising=False)
    exec(compile(example, "client.md", "exec"), {})
    [printed] = [line for line in capsys.readouterr().out.splitlines() if not line.startswith("{")]
    assert printed.split()[0].count("/") == 2  # an action
