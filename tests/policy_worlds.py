"""Random histories of debtors for the proof of the contact policy, as plain rows and as canonical tables.

Moments are drawn where rules turn: at the edges of hours, days, windows and caps, at holidays and clock changes, and a
microsecond to either side of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from policy_checker import SAID_IN_DISTRESS, History, Row

from domain.clock import MISSING, to_us
from domain.coded import coded
from domain.tables import HOLD_KINDS, REASONS, TABLES, Tables

CHANNELS = ("sms", "email", "whatsapp", "voice_bot", "chatbot", "portal", "agent_call", "letter", "protest")
STATES = {
    "AC": "Rio_Branco", "AL": "Maceio", "AM": "Manaus", "AP": "Belem", "BA": "Bahia", "CE": "Fortaleza",
    "DF": "Sao_Paulo", "ES": "Sao_Paulo", "GO": "Sao_Paulo", "MA": "Fortaleza", "MG": "Sao_Paulo",
    "MS": "Campo_Grande", "MT": "Cuiaba", "PA": "Belem", "PB": "Fortaleza", "PE": "Recife", "PI": "Fortaleza",
    "PR": "Sao_Paulo", "RJ": "Sao_Paulo", "RN": "Fortaleza", "RO": "Porto_Velho", "RR": "Boa_Vista",
    "RS": "Sao_Paulo", "SC": "Sao_Paulo", "SE": "Maceio", "SP": "Sao_Paulo", "TO": "Araguaina",
}  # fmt: skip
PLACES: dict[str, list[tuple[str | None, str | None, str | None]]] = {
    "br": [
        *((f"BR-{state}", None, f"America/{zone}") for state, zone in STATES.items()),
        *(("BR-SP", None, "America/Sao_Paulo"), ("BR-RJ", None, "America/Sao_Paulo")) * 4,
        ("BR-PE", "America/Noronha", "America/Noronha"), *(("BR", "America/Sao_Paulo", "America/Sao_Paulo"),) * 3,
        *((None, "America/Manaus", "America/Manaus"),) * 3, (None, None, None), ("BR-XX", None, None),
    ],
    "us_reg_f": [
        ("US-NY", None, "America/New_York"), ("US-CA", None, "America/Los_Angeles"), ("US-IL", None, "America/Chicago"),
        ("US-CO", None, "America/Denver"), ("US-AZ", None, "America/Phoenix"), ("US-HI", None, "Pacific/Honolulu"),
        ("US-AK", "America/Anchorage", "America/Anchorage"), ("US-PR", None, "America/Puerto_Rico"),
        ("US-IN", "America/Indiana/Indianapolis", "America/Indiana/Indianapolis"), ("US-TX", None, None),
        ("US-TX", "America/Chicago", "America/Chicago"), (None, "America/New_York", "America/New_York"),
    ],
}  # fmt: skip
"""Region, time zone given, and the zone that follows from both; the last is written down here, and not computed."""
TURNS = {
    "br": [date(2018, 11, 4), date(2019, 2, 17), date(2017, 10, 15), date(2026, 4, 21), date(2026, 7, 9),
           date(2026, 9, 5), date(2024, 2, 29), date(2025, 12, 25), date(2020, 9, 18), date(2022, 9, 26)],
    "us_reg_f": [date(2026, 3, 8), date(2026, 11, 1), date(2025, 3, 9), date(2025, 11, 2), date(2024, 2, 29),
                 date(2026, 7, 4), date(2021, 11, 30)],
}  # fmt: skip
"""Days on which clocks change, which are holidays somewhere, or on which a law came into force."""
RESPONSES = (
    "delivered", "bounced", "read", "clicked", "replied", "answered", "no_answer", "right_party", "wrong_party",
    "opted_out", "blocked", "complained", "disputed", "inbound",
)  # fmt: skip
RARE = {"opted_out": 0.15, "blocked": 0.1, "wrong_party": 0.25, "bounced": 0.4, "complained": 0.3, "disputed": 0.3}


@dataclass(frozen=True)
class Asked:
    """A debtor's history, the account that is asked about, and when."""

    history: History
    account: str
    as_of: datetime


def world(rng: np.random.Generator, law: str, size: int) -> tuple[list[Asked], Tables]:
    """Accounts at moments of their own, and their tables; two of three debtors have one account, the others two."""
    asked: list[Asked] = []
    rows: dict[str, list[Row]] = {table: [] for table in TABLES if table not in ("decisions", "debt_events")}
    while len(asked) < size:
        made = _Debtor(rng, law, len(asked)).tell()
        asked += [Asked(made.history, name, made.as_of) for name in made.names]
        for table, found in made.rows.items():
            rows[table] += found
    return asked, tables_from(rows)


class _Debtor:
    """One debtor, told around one moment."""

    def __init__(self, rng: np.random.Generator, law: str, number: int) -> None:
        self.rng, self.law = rng, law
        self.names = [f"a{number:07d}{part}" for part in range(2 if rng.random() < 0.33 else 1)]
        self.debtor = f"p{number:07d}"
        self.region, self.timezone, self.zone = PLACES[law][rng.integers(len(PLACES[law]))]
        self.as_of = self._moment()
        self.rows: dict[str, list[Row]] = {}
        self.history = History({}, self.rows)

    def tell(self) -> _Debtor:
        for name in self.names:
            self._account(name)
            self._debts(name)
            self._contacts(name)
            self._responses(name)
            self._consents(name)
            self._promises_and_holds(name)
        # What is asked at the very turn of something that happened.
        turns = [row["occurred_at"] for row in (*self.rows.get("contacts", ()), *self.rows.get("responses", ()))]
        if turns and self.rng.random() < 0.35:
            turn = turns[self.rng.integers(len(turns))] + timedelta(days=int(self.rng.choice([1, 7, 7, 7, 30])))
            self.as_of = turn + self._step()
        said = [row["occurred_at"] for row in self.rows.get("responses", ()) if row.get("reason") in SAID_IN_DISTRESS]
        if said and self.rng.random() < 0.5:
            self.as_of = said[0] + timedelta(days=90) + self._step()
        return self

    def _chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def _step(self) -> timedelta:
        return timedelta(microseconds=int(self.rng.choice([-1, 0, 0, 1, -1_000_000, 1_000_000])))

    def _moment(self) -> datetime:
        """At an edge of the local day, or anywhere in it; on a turning day, or on any."""
        turns = TURNS[self.law]
        day = turns[self.rng.integers(len(turns))] + timedelta(days=int(self.rng.integers(-2, 3)))
        if self._chance(0.5):
            day = date(2017, 1, 1) + timedelta(days=int(self.rng.integers(0, 3_600)))
        zone = ZoneInfo(self.zone or "UTC")
        hour = int(self.rng.choice([0, 7, 8, 9, 12, 14, 17, 19, 20, 21, 23]))
        wall = datetime(day.year, day.month, day.day, hour, tzinfo=zone)
        if self._chance(0.4):
            wall += timedelta(seconds=int(self.rng.integers(0, 3_600)))
        return wall.astimezone(UTC) + self._step()

    def _before(self, days: float) -> datetime:
        """A moment before the one asked about, or a little after it, so that some things are not known yet."""
        span = timedelta(days=float(self.rng.uniform(-0.3, days)))
        return self.as_of - timedelta(microseconds=int(span / timedelta(microseconds=1)))

    def _add(self, table: str, name: str, occurred: datetime, **values: Any) -> Row:
        late = timedelta(seconds=int(self.rng.integers(0, 90_000))) if self._chance(0.2) else timedelta(seconds=1)
        found = self.rows.setdefault(table, [])
        row: Row = {"account_id": name, "occurred_at": occurred, "recorded_at": occurred + late, **values}
        row[TABLES[table].id_column] = f"{table[0:4]}-{name}-{len(found)}"
        found.append(row)
        return row

    def _account(self, name: str) -> None:
        income = float(self.rng.integers(600, 6_000)) if self._chance(0.7) else None
        row = {"account_id": name, "debtor_id": self.debtor, "region": self.region, "timezone": self.timezone}
        self.rows.setdefault("accounts", []).append({**row, "income": income})
        self.history.accounts[name] = {"region": self.region, "zone": self.zone, "income": income}

    def _debts(self, name: str) -> None:
        today = self.as_of.date()
        for _ in range(int(self.rng.integers(1, 3))):
            days = int(self.rng.choice([-5, 3, 15, 29, 30, 31, 60, 61, 400, 1_095, 1_096, 1_826, 1_827, 2_500]))
            due = today - timedelta(days=days + int(self.rng.integers(-1, 2)))
            issued = datetime(due.year, due.month, due.day, tzinfo=UTC) - timedelta(days=40)
            amount = int(self.rng.integers(5_000, 300_000))
            row = self._add("debts", name, issued, amount=amount, due_on=due.toordinal())
            if self._chance(0.35):
                paid = amount if self._chance(0.7) else amount // 2
                self._add("payments", name, self._before(10), amount=paid, debt_id=row["debt_id"])
        self.rows.setdefault("payments", [])

    def _contacts(self, name: str) -> None:
        debts = [row["debt_id"] for row in self.rows["debts"] if row["account_id"] == name]
        busy = self._chance(0.5)
        for _ in range(int(self.rng.integers(5, 12)) if busy else int(self.rng.integers(0, 3))):
            channel = str(
                self.rng.choice(("agent_call", "voice_bot") if self._chance(0.8 if busy else 0.3) else CHANNELS)
            )
            debt = str(self.rng.choice(debts)) if self._chance(0.6) else None
            point = "example-listed" if self._chance(0.02) else None
            values = {"channel": channel, "debt_id": debt, "contact_point_id": point}
            days = (9.0 if self._chance(0.6) else 33.0) if busy else 25.0
            self._add("contacts", name, self._before(days), **values)

    def _responses(self, name: str) -> None:
        made = [row for row in self.rows.get("contacts", ()) if row["account_id"] == name]
        for contact in made:
            # A call that did not connect, to the number that is the right one.
            if contact["channel"] in ("agent_call", "voice_bot") and self._chance(0.1):
                values = {"kind": "bounced", "contact_id": contact["contact_id"], "channel": "letter"}
                row = self._add("responses", name, contact["occurred_at"] + timedelta(minutes=1), **values)
                row["recorded_at"] = max(row["recorded_at"], contact["recorded_at"])
        for _ in range(int(self.rng.integers(0, 3))):
            kind = str(self.rng.choice(RESPONSES))
            if not self._chance(RARE.get(kind, 1.0)):
                continue
            reason = str(self.rng.choice(REASONS)) if self._chance(0.3) else None
            values: Row = {"kind": kind, "contact_id": None, "channel": None, "reason": reason}
            if made and self._chance(0.6):
                contact = made[self.rng.integers(len(made))]
                values |= {
                    "contact_id": contact["contact_id"],
                    "channel": contact["channel"] if self._chance(0.5) else None,
                }
                row = self._add("responses", name, contact["occurred_at"] + timedelta(minutes=3), **values)
                row["recorded_at"] = max(row["recorded_at"], contact["recorded_at"])
                continue
            if self._chance(0.8):
                values["channel"] = str(self.rng.choice(CHANNELS))
            self._add("responses", name, self._before(12), **values)

    def _consents(self, name: str) -> None:
        for channel in CHANNELS:
            share = 0.8 if channel in ("whatsapp", "chatbot", "sms", "voice_bot") else 0.15
            for _ in range(2):
                if not self._chance(share):
                    break
                status = str(self.rng.choice(["granted"] * 8 + ["revoked", "invalid"]))
                expires = self.as_of + timedelta(hours=float(self.rng.uniform(-30, 60))) if self._chance(0.15) else None
                given = self._before(30 if self._chance(0.6) else 9)
                self._add("consents", name, given, channel=channel, status=status, expires_at=expires)
        if self._chance(0.5):
            expires = self.as_of + timedelta(hours=float(self.rng.uniform(-10, 30))) if self._chance(0.5) else None
            action = "sms/*/*" if self._chance(0.2) else "protest/*/*"
            self._add("approvals", name, self._before(9), action=action, expires_at=expires)

    def _promises_and_holds(self, name: str) -> None:
        if self._chance(0.15):
            due = self.as_of.date() + timedelta(days=int(self.rng.integers(-4, 5)))
            kind = str(self.rng.choice(["promise", "agreement"]))
            row = self._add("promises", name, self._before(40), kind=kind, due_on=due.toordinal(),
                            instalments=int(self.rng.integers(1, 4)), outcome=None, resolved_at=None)  # fmt: skip
            if self._chance(0.4):
                row |= {"outcome": "kept", "resolved_at": self._before(4)}
        if self._chance(0.12):
            kind, scope = str(self.rng.choice(HOLD_KINDS)), str(self.rng.choice(["account", "debtor"]))
            row = self._add("holds", name, self._before(40), kind=kind, scope=scope, released_at=None)
            if self._chance(0.5):
                row["released_at"] = self._before(5)


def tables_from(rows: dict[str, list[Row]]) -> Tables:
    """Canonical tables of plain rows."""
    found: dict[str, dict[str, Any]] = {}
    for table, some in rows.items():
        found[table] = {column.name: _column(column.kind, column.name, some) for column in TABLES[table].columns}
    accounts = rows["accounts"]
    found["accounts"]["income"] = np.array([np.nan if r["income"] is None else r["income"] for r in accounts])
    return Tables(found)


def _column(kind: str, name: str, rows: Sequence[Row]) -> Any:
    values = [row.get(name) for row in rows]
    if kind in {"id", "text", "code", "list"}:
        return coded(values)
    if kind in {"number", "cost"}:
        empty = 0.0 if name in ("penalty_pct", "monthly_interest_pct") else np.nan
        return np.array([empty if value is None else value for value in values], dtype=np.float64)
    if kind == "day":
        values = [None if value is None else value - date(1970, 1, 1).toordinal() for value in values]
    plain = [to_us(value) if isinstance(value, datetime) else value for value in values]
    return np.array([MISSING if value is None else value for value in plain], dtype=np.int64)
