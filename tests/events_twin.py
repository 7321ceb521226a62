"""Rows as events, written a second time: plain loops over dictionaries, without sheets, chains or compiled code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from domain.clock import FOREVER, MISSING, US_PER_DAY, from_us, zone_of
from domain.tables import DEBT_EVENT_KINDS, HOLD_KINDS, PAYMENT_METHODS, PROMISE_KINDS, REASONS, TABLES
from features.vocabulary import CHANNELS, KINDS

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]


class Event(NamedTuple):
    account: str
    occurred_us: int
    known_from: int
    code: tuple[str, str, str]
    value: int
    known_until: int


class Ledgers:
    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.zones: dict[str, str | None] = {}
        for row in sorted(rows["accounts"], key=lambda row: row.get("recorded_at") or MISSING):
            self.zones.setdefault(row["account_id"], zone_of(row.get("region"), row.get("timezone")))

    def until(self, table: str, row: Row) -> int:
        """When the version was replaced; of two recorded at once the one that stands later counts."""
        name, later = TABLES[table].id_column, []
        seen_self = False
        for other in self.rows[table]:
            seen_self = seen_self or other is row
            if other[name] == row[name] and other is not row:
                apart = other["recorded_at"] - row["recorded_at"]
                if apart > 0 or (apart == 0 and seen_self):
                    later.append(other["recorded_at"])
        return min(later, default=FOREVER)

    def zone(self, account: str) -> ZoneInfo:
        return ZoneInfo(self.zones.get(account) or "UTC")

    def day(self, account: str, moment_us: int) -> int:
        return (from_us(moment_us).astimezone(self.zone(account)).date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days

    def midnight(self, account: str, day: int) -> int:
        """The local midnight of a day, with the offset that holds at its UTC midnight."""
        at = from_us(day * US_PER_DAY)
        return day * US_PER_DAY - int(
            (at.astimezone(self.zone(account)).utcoffset() or timedelta(0)).total_seconds() * 1e6
        )


def all_events(rows: Rows) -> list[Event]:
    """Every event that can ever be seen, in no order."""
    ledgers = Ledgers(rows)
    makers = {
        "payments": _payments, "debts": _debts, "debt_events": _debt_events, "contacts": _contacts,
        "responses": _answers, "promises": _promises, "holds": _holds,
    }  # fmt: skip
    found = [
        event
        for table, make in makers.items()
        for row in rows.get(table, ())
        for event in make(ledgers, row, ledgers.until(table, row))
    ]
    return [event for event in found if event.account in ledgers.zones and event.known_from < event.known_until]


def _event(row: Row, until: int, source: str, kind: str, facet: str = "", value: int = 0, **other: int) -> Event:
    at, since = other.get("at", row["occurred_at"]), other.get("since", row["recorded_at"])
    return Event(row["account_id"], at, since, (source, kind, facet), value, until)


def _payments(ledgers: Ledgers, row: Row, until: int) -> Iterator[Event]:
    amount, method = row["amount"], row.get("method")
    method = method if method in PAYMENT_METHODS else "other"
    if amount < 0:
        yield _event(row, until, "payment", "reversed", method, -amount)
    if amount <= 0:
        return
    yield _event(row, until, "payment", "paid", method, amount)
    if row.get("promise_id"):
        yield _event(row, until, "payment", "instalment", method, amount)
    for debt in ledgers.rows["debts"]:
        if debt["debt_id"] != row.get("debt_id") or debt["account_id"] != row["account_id"]:
            continue
        both = min(until, ledgers.until("debts", debt))
        since = max(row["recorded_at"], debt["recorded_at"], debt["occurred_at"])
        late = ledgers.day(row["account_id"], row["occurred_at"]) - debt["due_on"]
        yield _event(row, both, "payment", "late" if late > 0 else "on_time", method, abs(late), since=since)
        if late <= -5:
            yield _event(row, both, "payment", "early", method, -late, since=since)
        if amount < debt["amount"]:
            yield _event(row, both, "payment", "partial", method, amount, since=since)
        if debt.get("promise_id") and not row.get("promise_id"):
            yield _event(row, both, "payment", "instalment", method, amount, since=since)


def _debts(ledgers: Ledgers, row: Row, until: int) -> Iterator[Event]:
    yield _event(row, until, "debt", "issued", value=row["amount"])
    due = max(ledgers.midnight(row["account_id"], row["due_on"]), row["occurred_at"])
    yield _event(row, until, "debt", "due", value=row["amount"], at=due)
    if row.get("promise_id"):
        yield _event(row, until, "debt", "instalment", value=row["amount"], at=due)


def _debt_events(ledgers: Ledgers, row: Row, until: int) -> Iterator[Event]:
    if row["kind"] in DEBT_EVENT_KINDS:
        yield _event(row, until, "debt_event", row["kind"], value=abs(row.get("amount") or 0))


def _channel(name: str | None) -> str:
    return name if name in CHANNELS else "other"


def _contacts(ledgers: Ledgers, row: Row, until: int) -> Iterator[Event]:
    cost = row.get("cost")
    value = 0 if cost is None or isnan(cost) else round(cost * 10_000)
    yield _event(row, until, "contact", "attempt", _channel(row["channel"]), value)
    if row.get("offer") not in (None, "none"):
        yield _event(row, until, "contact", "offered", _channel(row["channel"]), value)


def _responses(ledgers: Ledgers, row: Row, until: int) -> Iterator[Event]:
    kind = row["kind"] if row["kind"] in KINDS["response"] else "other"
    if row.get("reason") in REASONS:
        yield _event(row, until, "reason", row["reason"])
    if row.get("channel"):
        yield _event(row, until, "response", kind, _channel(row["channel"]))
        return
    alone = until
    for contact in ledgers.rows.get("contacts", ()):
        if contact["contact_id"] == row.get("contact_id") and contact["account_id"] == row["account_id"]:
            known = max(contact["recorded_at"], contact["occurred_at"])
            both = min(until, ledgers.until("contacts", contact))
            yield _event(
                row, both, "response", kind, _channel(contact["channel"]), since=max(row["recorded_at"], known)
            )
            alone = min(alone, known)
    yield _event(row, alone, "response", kind, "other")


def _answers(ledgers: Ledgers, row: Row, until: int) -> Iterator[Event]:
    yield from _responses(ledgers, row, until)
    if row["kind"] in ("read", "right_party"):
        yield from _received(ledgers, row, until)


def _received(ledgers: Ledgers, row: Row, until: int) -> Iterator[Event]:
    alone = until
    for contact in ledgers.rows.get("contacts", ()):
        if contact["contact_id"] == row.get("contact_id") and contact["account_id"] == row["account_id"]:
            known = max(contact["recorded_at"], contact["occurred_at"])
            since = max(known, row["recorded_at"], row["occurred_at"])
            both = min(until, ledgers.until("contacts", contact))
            at = contact["occurred_at"]
            yield _event(row, both, "receipt", "received", _channel(contact["channel"]), at=at, since=since)
            alone = min(alone, known)
    yield _event(row, alone, "receipt", "received", _channel(row.get("channel")))


def _promises(ledgers: Ledgers, row: Row, until: int) -> Iterator[Event]:
    kind = row["kind"] if row.get("kind") in PROMISE_KINDS else PROMISE_KINDS[0]
    form = kind + ("_discount" if (row.get("discount_amount") or 0) > 0 else "")
    yield _event(row, until, "promise", "made", form, row.get("amount") or 0)
    if row.get("outcome") and row.get("resolved_at", MISSING) not in (None, MISSING):
        yield _event(row, until, "promise", row["outcome"], form, row.get("amount") or 0, at=row["resolved_at"])


def _holds(ledgers: Ledgers, row: Row, until: int) -> Iterator[Event]:
    kind = row["kind"] if row["kind"] in HOLD_KINDS else HOLD_KINDS[0]
    yield _event(row, until, "hold", "opened", kind)
    if row.get("released_at", MISSING) not in (None, MISSING):
        yield _event(row, until, "hold", "released", kind, at=row["released_at"])
