"""A client of the HTTP API in Python: typed answers, typed refusals, and requests that are sent again without harm.

A request whose answer got lost is sent again, under the ``Idempotency-Key`` that it had: it has one effect, however
often it was sent. Waits are drawn between 0 and a bound that doubles ("full jitter", Brooker, AWS Architecture Blog
2015), so that many clients of a service that comes back do not all come at once.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from random import Random
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from serving.answers import Decision, DecisionsAnswer, EventsAnswer, ModelAnswer, OutcomeAnswer, ScoresAnswer
from serving.answers_after import ExplanationAnswer, PermitsAnswer, ReplayAnswer
from serving.client_refusals import RefusedError, ServiceUnreachableError, refusal_of

A = TypeVar("A", bound=BaseModel)
Row = Mapping[str, Any]
_AGAIN = frozenset({429, 503})
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is tried (``most``), and the bound of its waits: ``first_s``, doubled to ``longest_s``.

    A service that asks for a longer wait than ``longest_s`` is not waited for.
    """

    most: int = 6
    first_s: float = 0.2
    longest_s: float = 20.0

    def wait_s(self, tried: int, *, asked_s: float, rng: Random) -> float:
        """Seconds to wait after ``tried`` tries, not less than the service asked for."""
        return max(asked_s, rng.uniform(0.0, min(self.longest_s, self.first_s * 2.0 ** min(tried - 1, 60))))


class Client:
    """The service at a URL; one for each thread or one for all, closed after use.

    Parameters
    ----------
    key : a key of the API; ``None`` for a service that asks for none
    transport : of httpx, such as one to a proxy or, in tests, to an app in the same process

    Every method raises a ``RefusedError`` of the kind that fits the status, once it is not to be sent again, and a
    ``ServiceUnreachableError`` where no answer came. Times are ``datetime`` with an offset, or text of RFC 3339.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        retries: Retries | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout_s: float = _TIMEOUT_S,
        sleep: Callable[[float], None] = time.sleep,
        rng: Random | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, transport=transport, timeout=timeout_s)
        self._retries, self._sleep, self._rng = retries or Retries(), sleep, rng or Random()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends its connections."""
        self._http.close()

    def scores(self, accounts: Sequence[Row], *, as_of: datetime | str | None = None) -> ScoresAnswer:
        """`p_pay` per horizon and expected recovery, for each account in its order."""
        return self._post("/v1/scores", _said(accounts=accounts, as_of=as_of), ScoresAnswer)

    def decisions(
        self,
        accounts: Sequence[Row],
        *,
        as_of: datetime | str | None = None,
        explain: Literal["none", "reasons", "full"] | None = None,
        locale: Literal["pt-BR", "en"] | None = None,
        commit: bool = True,
        idempotency_key: str | None = None,
    ) -> DecisionsAnswer:
        """A decision for each account in its order; what is not given is as the service has it.

        ``idempotency_key`` names the request, also over the end of this process; without one it gets a new UUID.
        """
        body = _said(accounts=accounts, as_of=as_of, explain=explain, locale=locale, commit=commit)
        return self._post("/v1/decisions", body, DecisionsAnswer, key=idempotency_key or str(uuid.uuid4()))

    def decision(self, decision_id: str) -> Decision:
        """A decision that was kept."""
        return _read(self._sent("GET", f"/v1/decisions/{quote(decision_id, safe='')}"), Decision)

    def permits(
        self,
        decision_ids: Sequence[str],
        *,
        accounts: Sequence[Row] = (),
        at: datetime | str | None = None,
        locale: Literal["pt-BR", "en"] | None = None,
    ) -> PermitsAnswer:
        """Whether kept decisions may still be carried out; ``accounts`` are ledgers of now, else the store's count."""
        asked = [{"decision_id": decision_id} for decision_id in decision_ids]
        return self._post("/v1/permits", _said(permits=asked, accounts=accounts, at=at, locale=locale), PermitsAnswer)

    def explanation(self, decision_id: str, *, locale: Literal["pt-BR", "en"] | None = None) -> ExplanationAnswer:
        """A kept decision in words, for debtor, agent and auditor."""
        path = f"{_path_of(decision_id)}/explanation"
        return _read(self._sent("GET", path, params=_said(locale=locale)), ExplanationAnswer)

    def replay(self, decision_id: str) -> ReplayAnswer:
        """A kept decision computed again, and where it is not the same."""
        return _read(self._sent("GET", f"{_path_of(decision_id)}/replay"), ReplayAnswer)

    def review(
        self,
        decision_id: str,
        kind: Literal["request", "outcome"],
        *,
        by: Literal["debtor", "representative", "agent", "reviewer"],
        reason: str | None = None,
        outcome: Literal["upheld", "changed"] | None = None,
        text: str | None = None,
        idempotency_key: str | None = None,
    ) -> OutcomeAnswer:
        """Asks that a person look at a decision again, or says what came of it (LGPD, art. 20)."""
        body = _said(kind=kind, by=by, reason=reason, outcome=outcome, text=text)
        key = idempotency_key or str(uuid.uuid4())
        return self._post(f"{_path_of(decision_id)}/review", body, OutcomeAnswer, key=key)

    def events(self, table: str, rows: Sequence[Row], *, idempotency_key: str | None = None) -> EventsAnswer:
        """Stores rows of a canonical table, all of them or none."""
        body = {"table": table, "rows": rows}
        return self._post("/v1/events", body, EventsAnswer, key=idempotency_key or str(uuid.uuid4()))

    def outcomes(
        self,
        decision_id: str,
        status: Literal["sent", "failed", "suppressed", "overridden", "expired"],
        *,
        at: datetime | str,
        reason: str | None = None,
        action: str | None = None,
        contact_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> OutcomeAnswer:
        """Says what became of a decision."""
        body = _said(decision_id=decision_id, status=status, at=at, reason=reason, action=action, contact_id=contact_id)
        return self._post("/v1/outcomes", body, OutcomeAnswer, key=idempotency_key or str(uuid.uuid4()))

    def model(self) -> ModelAnswer:
        """What is being served."""
        return _read(self._sent("GET", "/v1/model"), ModelAnswer)

    def _post(self, path: str, body: Row, answer: type[A], *, key: str | None = None) -> A:
        # The bytes are made once: a repeat must be the same request, or its key is refused.
        content = json.dumps(body, default=_text, ensure_ascii=False, allow_nan=False).encode()
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        return _read(self._sent("POST", path, content=content, headers=headers), answer)

    def _sent(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """The answer, of status 200, to a request that is sent until it is not to be sent again."""
        tried = 0
        while True:
            tried += 1
            failed, asked_s = self._once(method, path, **parts)
            if isinstance(failed, httpx.Response):
                return failed
            # Whoever refuses for good says no time at which to come again.
            if asked_s is None or asked_s > self._retries.longest_s or tried >= self._retries.most:
                raise failed
            self._sleep(self._retries.wait_s(tried, asked_s=asked_s, rng=self._rng))

    def _once(
        self, method: str, path: str, **parts: Any
    ) -> tuple[httpx.Response | RefusedError | ServiceUnreachableError, float | None]:
        """What one try came to, and after how many seconds another one may be made; ``None`` for never."""
        try:
            answer = self._http.request(method, path, **parts)
        except httpx.TransportError as error:
            unreached = ServiceUnreachableError(
                f"the service gave no answer ({type(error).__name__}); see that it runs and can be reached"
            )
            unreached.__cause__ = error
            return unreached, 0.0
        if answer.is_success:
            return answer, None
        return refusal_of(answer), _asked_s(answer)


def _asked_s(answer: httpx.Response) -> float | None:
    given = answer.headers.get("Retry-After", "")
    seconds = float(given) if given.isdecimal() else None
    if answer.status_code in _AGAIN:
        return seconds or 0.0
    # 409 with a time is a request of the same key that is being answered; without, a conflict that stays.
    return seconds if answer.status_code == 409 else None


def _path_of(decision_id: str) -> str:
    return f"/v1/decisions/{quote(decision_id, safe='')}"


def _said(**parts: Any) -> dict[str, Any]:
    return {name: value for name, value in parts.items() if value is not None}


def _text(value: object) -> str:
    if isinstance(value, datetime) and value.tzinfo is None:
        raise TypeError("found a datetime without offset, needed one such as datetime.now(UTC)")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"found a {type(value).__name__} in a request, needed what JSON can hold, a datetime or a date")


def _read(answer: httpx.Response, model: type[A]) -> A:
    # A later service may say more than this client knows.
    return model.model_validate_json(answer.content, extra="allow")
