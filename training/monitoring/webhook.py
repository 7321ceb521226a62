"""Alerts to an address of one's own: signed, sent again where it may help, and the same key for the same alerts.

The signature is HMAC-SHA256 over the moment of sending, a full stop and the body, as ``t=<seconds>,v1=<hex>``: whoever
has the secret knows that the body is ours and how old it is. docs/monitoring.md tells how to check it.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import httpx

from decisioning.integrity import canonical_json
from domain.errors import ConfigError
from training.monitoring.config import Webhook
from training.monitoring.monitor import RANK

URL, SECRET = "ACERTO_WEBHOOK_URL", "ACERTO_WEBHOOK_SECRET"
SIGNATURE, KEY = "Acerto-Signature", "Idempotency-Key"
MOST_ALERTS = 50
"""Alerts that one message holds, the worst ones; it tells how many there are."""
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_SHORTEST_SECRET = 16


@dataclass(frozen=True, slots=True)
class Address:
    """Where to, and the secret that signs."""

    url: str
    secret: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """What came of a message: ``sent``, the last ``status`` or ``problem``, and how many tries it took."""

    sent: bool
    tries: int
    status: int | None
    problem: str | None
    idempotency_key: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def address_of(environment: Mapping[str, str]) -> Address | None:
    """The address in the environment; ``None`` where there is none.

    Raises
    ------
    ConfigError : it is no address of http or https, or there is no secret to sign with
    """
    url, secret = environment.get(URL, ""), environment.get(SECRET, "")
    if not url:
        return None
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise ConfigError(f"{URL}: found no address, needed one such as https://alerts.example/acerto")
    if len(secret) < _SHORTEST_SECRET:
        raise ConfigError(
            f"{SECRET}: found {len(secret)} characters, needed {_SHORTEST_SECRET} or more beside {URL}, such as those "
            "of `openssl rand -hex 32`; without it nobody can tell that a message is ours"
        )
    return Address(url, secret)


def message(told: Mapping[str, Any], webhook: Webhook) -> dict[str, Any] | None:
    """What is sent of the numbers of a run; ``None`` where no alert is severe enough."""
    alerts = [one for one in told["alerts"] if RANK[one["severity"]] >= RANK[webhook.severity]]
    if not alerts:
        return None
    about = {name: told[name] for name in ("format", "model", "from", "until", "worst", "counts")}
    body = {"type": "drift.alert", **about, "alerts_total": len(alerts), "alerts": alerts[:MOST_ALERTS]}
    return {**body, "idempotency_key": sha256(canonical_json(body)).hexdigest()[:32]}


def signature(secret: str, body: bytes, *, at_s: int) -> str:
    """The value of the header ``Acerto-Signature``."""
    signed = hmac.new(secret.encode(), f"{at_s}.".encode() + body, sha256).hexdigest()
    return f"t={at_s},v1={signed}"


def deliver(
    body: Mapping[str, Any],
    address: Address,
    webhook: Webhook,
    *,
    client: httpx.Client | None = None,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Delivery:
    """Sends a message, and again where the receiver could not be reached, was busy or had failed.

    Another refusal is final: the same message would be refused again. Redirections are not followed.
    """
    content, key = canonical_json(body), str(body["idempotency_key"])
    status, problem = None, None
    with client or httpx.Client(timeout=webhook.timeout_s, follow_redirects=False) as sender:
        for tried in range(1, webhook.tries + 1):
            if tried > 1:
                sleep(webhook.first_wait_s * 2.0 ** (tried - 2))
            headers = {
                "content-type": "application/json",
                KEY: key,
                SIGNATURE: signature(address.secret, content, at_s=int(clock())),
            }
            try:
                answer = sender.post(address.url, content=content, headers=headers)
            except httpx.HTTPError as error:
                # The words of an error may hold the address, which may hold a key.
                status, problem = None, type(error).__name__
                continue
            status, problem = answer.status_code, None
            if answer.is_success:
                return Delivery(True, tried, status, None, key)
            if status not in _AGAIN:
                break
    return Delivery(False, tried, status, problem or f"HTTP {status}", key)
