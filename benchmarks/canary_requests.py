"""Requests with canaries planted in every field of every endpoint, in the head and in what is no HTTP at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from canaries import Nest
from canary_faults import CRASH, DISK, GONE, ROW

from domain.config import load_section
from domain.tables import TABLES, Column
from features.config import FeaturesConfig
from serving.event_schemas import OutcomeRequest, ReviewRequest
from serving.schemas import LEDGER_TABLES, account_columns

WHEN = "2026-01-20T10:00:00Z"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
_VALUES: dict[str, Any] = {
    "money": 10.5, "cost": 0.35, "moment": WHEN, "day": "2026-02-10", "number": 0.5, "integer": 2,
}  # fmt: skip
_UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
_GETS = ("/livez", "/readyz", "/metrics", "/docs", "/openapi.json", "/v1/model", "/reports/", "/reports/compare")
_HEADS = ("User-Agent", "Referer", "Cookie", "X-Forwarded-For", "Accept-Language", "X-Request-Id", "Baggage", "From")


@dataclass(frozen=True)
class Shot:
    """One request; ``token`` stands for the key that it brings, by its name, and ``raw`` for bytes sent as they are."""

    method: str
    path: str
    body: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)
    token: str = "all"
    raw: bytes | None = None


def post(path: str, content: Any, **headers: str) -> Shot:
    """A request with a JSON body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    return Shot("POST", path, body, {"Content-Type": JSON, **named})


class Planter:
    """Makes the requests of one round, whose canaries are all in ``nest``."""

    def __init__(self, nest: Nest, configs: Path) -> None:
        self.nest = nest
        attributes = load_section(configs / "features.yaml", FeaturesConfig).attributes
        self._columns = {table: spec.columns for table, spec in TABLES.items()}
        self._columns["accounts"] = account_columns(attributes)

    def row(self, table: str, *, account_id: str | None = None) -> dict[str, Any]:
        """A row that is taken, with a canary in each column that may hold one."""
        found = {column.name: self._value(column) for column in self._columns[table]}
        return {**found, "account_id": account_id} if account_id else found

    def ledger(self, prefix: str = "") -> dict[str, Any]:
        """An account of a request; ``prefix`` makes the service fail on it."""
        rows = {table: [self._own(table)] for table in (*LEDGER_TABLES,)}
        account = {name: value for name, value in self.row("accounts").items() if name != "account_id"}
        contacts = [self._own("contacts")]
        return {"account_id": prefix + self.nest.id(), "account": account, **rows, "debtor_contacts": contacts}

    def asked(self, *ledgers: dict[str, Any], **keys: Any) -> dict[str, Any]:
        """A request about accounts."""
        return {"as_of": "2026-03-02T12:00:00Z", "accounts": list(ledgers) or [self.ledger()], **keys}

    def _own(self, table: str) -> dict[str, Any]:
        return {name: value for name, value in self.row(table).items() if name != "account_id"}

    def _value(self, column: Column) -> Any:
        if column.kind == "list":
            return [self.nest.lay(), self.nest.lay()]
        if column.kind in ("id", "code"):
            return column.codes[0] if column.codes else self.nest.id()
        return self.nest.lay() if column.kind == "text" else _VALUES[column.kind]

    def wrong(self) -> Iterator[Shot]:
        """Every field of every endpoint with what it does not take; and keys that nobody knows, at each level."""
        for table, columns in self._columns.items():
            for column in columns:
                row = {**self.row(table), column.name: self._misfit(column)}
                yield post("/v1/events", {"table": table, "rows": [row]})
                if table in LEDGER_TABLES and column.name != "account_id":
                    bare = {**self._own(table), column.name: self._misfit(column)}
                    yield post("/v1/decisions", self.asked({**self.ledger(), table: [bare]}))
            yield post("/v1/events", {"table": table, "rows": [{**self.row(table), self.nest.lay(): self.nest.lay()}]})
        for path, good in self._whole():
            for name in [*good, self.nest.lay()]:
                yield post(path, {**good, name: {self.nest.lay(): [self.nest.lay()]}})
        for code in ("kind", "outcome"):
            yield post(
                "/v1/decisions",
                self.asked({**self.ledger(), "promises": [{"occurred_at": WHEN, code: self.nest.id()}]}),
            )

    def _whole(self) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "/v1/scores", self.asked()
        yield "/v1/decisions", self.asked(explain="none", locale="en", commit=False)
        yield "/v1/permits", {"at": WHEN, "locale": "en", "permits": [{"decision_id": self.nest.id()}], "accounts": []}
        yield "/v1/events", {"table": "payments", "rows": [self.row("payments")]}
        for path, model in (
            ("/v1/outcomes", OutcomeRequest),
            (f"/v1/decisions/{self.nest.id()}/review", ReviewRequest),
        ):
            yield path, {name: self.nest.id() for name in model.model_fields}

    def _misfit(self, column: Column) -> Any:
        if column.kind in ("text", "list"):
            return {self.nest.lay(): self.nest.lay()}
        return self.nest.lay("address")

    def syntax(self) -> Iterator[Shot]:
        """Bodies that are no JSON, or none that is read."""
        lay = self.nest.lay
        whole = json.dumps(self.asked()).encode()
        twice = f'{{"accounts": [], "{lay()}": 1, "accounts": "{lay()}"}}'
        for body in (lay().encode(), whole[:-20], twice.encode(), f'{{"{lay()}": NaN}}'.encode(),
                     b"\xff" + lay().encode(), f'"{lay()}'.encode() + b"[" * 99_999):  # fmt: skip
            yield post("/v1/decisions", body)
            yield post("/v1/events", body)
        for kind in (f"text/{lay('account_id')}", f"application/json; charset={lay('account_id')}", lay()):
            yield Shot("POST", "/v1/scores", lay().encode(), {"Content-Type": kind})
        yield post("/v1/scores", lay().encode(), Content_Encoding=lay("account_id"))
        form = (
            f'--b\r\nContent-Disposition: form-data; name="{lay()}"; filename="{lay()}.csv"\r\n\r\n{lay()}\r\n--b--\r\n'
        )
        yield Shot(
            "POST", "/v1/events", form.encode(), {"Content-Type": f"multipart/form-data; boundary={lay('account_id')}"}
        )
        many = [{"payment_id": self.nest.id(), "account_id": self.nest.id()}] * 5_001
        yield post("/v1/events", {"table": "payments", "rows": many})
        yield Shot(
            "POST", "/v1/decisions", None, {"Content-Type": JSON, "Content-Length": str(1 << 30), "X-Who": lay()}
        )

    def heads(self) -> Iterator[Shot]:
        """Paths, queries, methods, headers and keys."""
        lay, part = self.nest.lay, lambda: quote(self.nest.lay(), safe="")
        for path in _GETS:
            yield Shot("GET", f"{path}?{part()}={part()}")
            yield Shot("GET", f"{path.rstrip('/')}/{part()}")
        for tail in ("", "/explanation", "/replay", f"/{part()}"):
            yield Shot("GET", f"/v1/decisions/{part()}{tail}?locale={part()}&{part()}")
        yield Shot("GET", f"/reports/decisions?id={part()}&locale={part()}")
        for tail in ("", "/replay", "/review", "/outcome"):
            yield Shot("GET", f"/reports/decisions/{part()}{tail}?locale=en&{part()}")
            form = f"token={part()}&text={part()}&{part()}={part()}"
            yield Shot("POST", f"/reports/decisions/{part()}{tail}", form.encode(), {"Content-Type": FORM})
        for method in ("DELETE", "PUT", "PATCH", "OPTIONS", "HEAD", f"X{self.nest.lay('cpf_digits')}"):
            yield Shot(method, f"/v1/{part()}?{part()}")
            yield Shot(method, "/v1/decisions")
        for name in _HEADS:
            yield Shot("GET", "/v1/model", headers={name: lay()})
            rows = {"table": "payments", "rows": [self.row("payments")]}
            yield post("/v1/events", rows, **{name.replace("-", "_"): lay()})
        yield Shot("GET", "/v1/model", headers={"Traceparent": f"00-{self.nest.lay('cpf_digits'):0>32}-{1:0>16}-01"})
        for key in (lay(), lay() * 20, "\x01" + lay()):
            yield post("/v1/outcomes", {}, Idempotency_Key=key)
        for token in ("none", "ingest"):
            yield Shot("GET", f"/v1/decisions/{part()}", token=token)
        for bad in (f"Bearer {lay()}", f"Bearer acerto_{0:016d}_{lay()}", f"Basic {lay()}", lay()):
            yield Shot("GET", "/v1/model", headers={"Authorization": bad}, token="none")
        yield Shot("GET", f"/v1/decisions/{part()}{'x' * 2_500}")
        yield Shot("GET", "/v1/model", headers={"Cookie": f"{lay():_<40}; " * 500})

    def raw(self) -> Iterator[Shot]:
        """What the web server refuses before anybody here is asked, and an upgrade that there is not."""
        lay, part = self.nest.lay, lambda: quote(self.nest.lay(), safe="")
        for text in (f"{lay()}\r\n\r\n", f"GET /{part()} HTTP/9.9\r\n\r\n", f"GET {lay()} HTTP/1.1\r\nHost: a\r\n\r\n",
                     f"GET / HTTP/1.1\r\n{lay()}\r\n\r\n", f"GET / HTTP/1.1\r\nHost: a\r\nX: {lay() * 5_000}\r\n\r\n",
                     f"POST /v1/events HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{lay()}\r\n",
                     f"GET /{part()}?{part()} HTTP/1.1\r\nHost: a\r\nFrom: {part()}\r\n{_UPGRADE}\r\n",
                     ):  # fmt: skip
            yield Shot("RAW", "", raw=text.encode())

    def faults(self) -> Iterator[Shot]:
        """Requests on which the engine or the store fails, with all that they know in the error."""
        for prefix in (CRASH, ROW, DISK, GONE):
            several = self.asked(self.ledger(prefix), self.ledger())
            yield post("/v1/decisions", several, Idempotency_Key=self.nest.id())
            yield post("/v1/decisions", self.asked(self.ledger(prefix)))

    def left(self) -> Iterator[Shot]:
        """Requests whose answer nobody waits for, so that nobody takes what became of them."""
        for prefix in (ROW, GONE, CRASH):
            body = json.dumps(self.asked(self.ledger(prefix))).encode()
            head = (
                f"POST /v1/decisions?{quote(self.nest.lay(), safe='')} HTTP/1.1\r\nHost: a\r\nContent-Type: {JSON}\r\n"
            )
            yield Shot(
                "LEFT", "", raw=f"{head}Content-Length: {len(body)}\r\nAuthorization: Bearer ".encode(), body=body
            )


Send = Callable[[Shot], tuple[int, Any]]


def story(planter: Planter, send: Send, *, decisions: Sequence[str] = ("none", "reasons", "full")) -> list[str]:
    """What is taken: rows of every table, decisions in each way, and all that follows on them; ids of the decisions."""
    nest, ids = planter.nest, list[str]()
    for table in TABLES:
        shot = post("/v1/events", {"table": table, "rows": [planter.row(table)]}, Idempotency_Key=nest.lay("email"))
        for _ in range(2):
            send(shot)
        send(Shot("POST", shot.path, json.dumps({nest.lay(): nest.lay()}).encode(), shot.headers))
    known = nest.id()
    for table in ("accounts", "debts", "payments", "contacts"):
        send(post("/v1/events", {"table": table, "rows": [planter.row(table, account_id=known)]}))
    payment = planter.row("payments", account_id=known)
    send(post("/v1/events", {"table": "payments", "rows": [payment]}))
    send(post("/v1/events", {"table": "payments", "rows": [{**payment, "amount": 11.0}]}))
    send(post("/v1/scores", planter.asked()))
    for explain in decisions:
        for ledger in (planter.ledger(), {"account_id": known}, {"account_id": nest.id()}):
            status, found = send(post("/v1/decisions", planter.asked(ledger, explain=explain)))
            ids += [one["decision_id"] for one in found["decisions"]] if status == 200 else []
    for decision_id in ids:
        _after(decision_id, planter, send)
    return ids


def _after(decision_id: str, planter: Planter, send: Send) -> None:
    nest, path = planter.nest, f"/v1/decisions/{decision_id}"
    for tail in ("", "/explanation?locale=en", "/replay", f"?{quote(nest.lay(), safe='')}"):
        send(Shot("GET", path + tail))
    send(post("/v1/permits", {"permits": [{"decision_id": decision_id}], "accounts": [planter.ledger()]}))
    said = {"reason": nest.id(), "action": nest.lay(), "contact_id": nest.id()}
    send(post("/v1/outcomes", {"decision_id": decision_id, "status": "overridden", "at": WHEN, **said}))
    send(post("/v1/outcomes", {"decision_id": decision_id, "status": "overridden", "at": WHEN, "reason": nest.id()}))
    for kind in ("outcome", "request"):
        more = {"outcome": "changed"} if kind == "outcome" else {}
        send(
            post(
                f"{path}/review",
                {"kind": kind, "by": "debtor", "reason": nest.id(), "text": nest.lay("free_text"), **more},
            )
        )
