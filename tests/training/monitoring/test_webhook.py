"""Alerts on their way: signed, sent again where it may help, and checked as the documentation says."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from decisioning.integrity import canonical_json
from domain.errors import ConfigError
from training.monitoring.config import Webhook
from training.monitoring.webhook import KEY, MOST_ALERTS, SIGNATURE, Address, address_of, deliver, message

ROOT = Path(__file__).parents[3]
ADDRESS = Address("https://alerts.example/acerto", "a secret of some length")
ALERT = {"code": "SCORE_PSI", "about": "p_pay_30d", "severity": "red", "weeks": ["2026-01-05"]}
TOLD = {
    "format": 1, "model": {"version": "1"}, "from": "2026-01-05T00:00:00Z", "until": "2026-03-02T00:00:00Z",
    "worst": "red", "counts": {"red": 1}, "alerts": [ALERT],
}  # fmt: skip
BODY = message(TOLD, Webhook())


class Receiver:
    """Answers with the statuses it was given, one after another; an exception is raised."""

    def __init__(self, *answers):
        self.answers, self.requests, self.waits = list(answers), [], []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)

    def deliver(self, **changed):
        client = httpx.Client(transport=httpx.MockTransport(self))
        webhook = Webhook(**{"tries": 4, "first_wait_s": 0.5, **changed})
        return deliver(BODY, ADDRESS, webhook, client=client, clock=lambda: 1_700_000_000.9, sleep=self.waits.append)


def verify_of_the_documentation():
    text = (ROOT / "docs/monitoring.md").read_text(encoding="utf-8")
    block = next(one for one in re.findall(r"```python\n(.*?)```", text, flags=re.S) if "def is_ours" in one)
    names: dict = {}
    exec(compile(block, "monitoring.md", "exec"), names)  # the example of the documentation is what is tested
    return names["is_ours"]


def test_the_example_of_the_documentation_takes_what_is_sent():
    receiver = Receiver(200)
    assert receiver.deliver().sent
    request = receiver.requests[0]
    is_ours = verify_of_the_documentation()
    header, body = request.headers[SIGNATURE], request.content
    assert is_ours(header, body, ADDRESS.secret, now=1_700_000_100.0)
    assert not is_ours(header, body + b" ", ADDRESS.secret, now=1_700_000_100.0)
    assert not is_ours(header, body, "another secret of length", now=1_700_000_100.0)
    assert not is_ours(header.replace("t=17", "t=18"), body, ADDRESS.secret, now=1_800_000_000.0)
    assert not is_ours(header, body, ADDRESS.secret, now=1_700_000_901.0)
    assert not is_ours("nonsense", body, ADDRESS.secret, now=1_700_000_100.0)


def test_what_may_pass_is_sent_again_with_the_same_key_and_doubled_waits():
    receiver = Receiver(503, httpx.ConnectError("refused"), 429, 204)
    found = receiver.deliver()
    assert (found.sent, found.tries, found.status) == (True, 4, 204)
    assert receiver.waits == [0.5, 1.0, 2.0]
    assert {request.headers[KEY] for request in receiver.requests} == {BODY["idempotency_key"]}
    assert {request.content for request in receiver.requests} == {canonical_json(BODY)}


def test_what_is_refused_is_not_sent_again():
    receiver = Receiver(400)
    found = receiver.deliver()
    assert (found.sent, found.tries, found.problem, receiver.waits) == (False, 1, "HTTP 400", [])


def test_a_redirection_is_not_followed():
    receiver = Receiver(302)
    assert (receiver.deliver().sent, len(receiver.requests)) == (False, 1)


def test_tries_are_bounded_and_the_problem_names_no_address():
    receiver = Receiver(*[httpx.ConnectError("https://alerts.example/acerto?key=hidden")] * 3)
    found = receiver.deliver(tries=3)
    assert (found.sent, found.tries, found.status, found.problem) == (False, 3, None, "ConnectError")


def test_the_same_alerts_have_the_same_key_and_others_another():
    assert message(TOLD, Webhook()) == BODY
    other = message({**TOLD, "alerts": [{**ALERT, "about": "p_pay_7d"}]}, Webhook())
    assert other["idempotency_key"] != BODY["idempotency_key"]


def test_nothing_is_sent_of_what_is_not_severe_enough():
    amber = {**TOLD, "alerts": [{**ALERT, "severity": "amber"}]}
    assert message(amber, Webhook(severity="red")) is None
    assert message(amber, Webhook(severity="amber")) is not None


def test_a_message_holds_so_many_alerts_and_tells_how_many_there_are():
    found = message({**TOLD, "alerts": [ALERT] * (MOST_ALERTS + 9)}, Webhook())
    assert (len(found["alerts"]), found["alerts_total"]) == (MOST_ALERTS, MOST_ALERTS + 9)


@pytest.mark.parametrize(
    ("environment", "match"),
    [
        ({"ACERTO_WEBHOOK_URL": "alerts.example"}, "needed one such as https"),
        ({"ACERTO_WEBHOOK_URL": "file:///etc/passwd"}, "needed one such as https"),
        ({"ACERTO_WEBHOOK_URL": "https://alerts.example"}, "found 0 characters, needed 16"),
        ({"ACERTO_WEBHOOK_URL": "https://alerts.example", "ACERTO_WEBHOOK_SECRET": "short"}, "found 5 characters"),
    ],
)
def test_an_address_without_what_it_needs_is_refused_before_any_work(environment, match):
    with pytest.raises(ConfigError, match=match):
        address_of(environment)


def test_without_an_address_nothing_is_sent():
    assert address_of({}) is None
