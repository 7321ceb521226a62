"""Random ledgers for tests: many ties, exact window edges, corrections, late recording and orphans."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from domain.clock import MISSING, US_PER_DAY, US_PER_HOUR, from_day, from_us
from domain.coded import coded
from domain.tables import (
    CONSENT_STATUSES,
    DEBT_EVENT_KINDS,
    HOLD_KINDS,
    PROMISE_KINDS,
    PROMISE_OUTCOMES,
    REASONS,
    RESPONSE_KINDS,
    TABLES,
    TableData,
    Tables,
)

ORIGIN_US = 1_640_995_200_000_000  # 2022-01-01T00:00:00Z
AS_OF_US = ORIGIN_US + 900 * US_PER_DAY + 12 * US_PER_HOUR
_SOAK = 10


def examples(count: int) -> int:
    """How many examples a property is tried on: the short form, or ten times as many in `make soak`."""
    return count * _SOAK if os.environ.get("ACERTO_SOAK") else count


CHANNELS = ("sms", "email", "whatsapp", "agent_call", "carrier_pigeon")
_FLOATS = {"number", "cost"}
_TEXTS = {"id", "text", "code", "list"}


def tables_of(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Tables:
    """Tables from rows of in-memory values (cents, µs, days); what a row lacks is missing."""
    return Tables({table: _columns(table, found) for table, found in rows.items()})


def _columns(table: str, rows: Sequence[Mapping[str, Any]]) -> TableData:
    data: TableData = {}
    for column in TABLES[table].columns:
        values = [row.get(column.name) for row in rows]
        if column.kind in _TEXTS:
            data[column.name] = coded(values)
        elif column.kind in _FLOATS:
            data[column.name] = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        else:
            data[column.name] = np.array([MISSING if value is None else value for value in values], dtype=np.int64)
    return _with_defaults(table, data)


def _with_defaults(table: str, data: TableData) -> TableData:
    if table == "accounts":
        data["debtor_id"] = coded(
            [d or a for d, a in zip(data["debtor_id"].decode(), data["account_id"].decode(), strict=True)]
        )
        return data
    at = data["decided_at" if table == "decisions" else "occurred_at"]
    data["recorded_at"] = np.where(data["recorded_at"] == MISSING, at, data["recorded_at"])
    return data


def random_rows(seed: int, *, accounts: int = 3, events: int = 40) -> dict[str, list[dict[str, Any]]]:
    """Rows of every table but decisions; times fall on whole hours, often exactly on window edges of ``AS_OF_US``."""
    rng = np.random.default_rng(seed)
    names = [f"a{index}" for index in range(accounts)]

    def pick(values: Sequence[Any]) -> Any:
        return values[int(rng.integers(len(values)))]

    def moment() -> int:
        if rng.random() < 0.3:
            edge = pick([0, 7, 30, 90, 180, 365]) * US_PER_DAY
            return AS_OF_US - edge + pick([-1, 0, 1, US_PER_HOUR])
        return ORIGIN_US + int(rng.integers(0, 1000 * 24)) * US_PER_HOUR

    def base(table: str, index: int) -> dict[str, Any]:
        at = moment()
        late = pick([0, 0, 1, 26, 24 * 40]) * US_PER_HOUR
        name = pick(names) if rng.random() < 0.98 else "nobody"
        return {
            TABLES[table].id_column: f"{table[:2]}{index}",
            "account_id": name,
            "occurred_at": at,
            "recorded_at": at + late,
        }

    rows: dict[str, list[dict[str, Any]]] = {
        "accounts": [
            {
                "account_id": name,
                "debtor_id": pick(["p0", "p1", name]),
                "region": pick(["BR-SP", "BR-AM", "BR-AC", None]),
                "product": pick(["card", "loan"]),
                "opened_at": ORIGIN_US,
                "recorded_at": pick([MISSING, ORIGIN_US]),
            }
            for name in names
        ]
    }
    debts = [f"de{index}" for index in range(max(events // 6, 1))]
    contacts = [f"co{index}" for index in range(max(events // 4, 1))]
    rows["debts"] = [
        base("debts", index)
        | {
            "amount": int(rng.integers(100, 90_000)),
            "penalty_pct": pick([0.0, 2.0]),
            "monthly_interest_pct": pick([0.0, 1.0]),
        }
        for index in range(len(debts))
    ]
    for debt in rows["debts"]:
        debt["due_on"] = debt["occurred_at"] // US_PER_DAY + int(rng.integers(0, 40))
        debt["contract_id"] = debt["debt_id"]
        debt["promise_id"] = pick([None, None, None, "pr0", "pr2"])
    makers: dict[str, Any] = {
        "payments": lambda: {
            "amount": pick([5_000, 12_345, 700, -700]),
            "debt_id": pick([*debts, None, "gone"]),
            "promise_id": pick([None, None, None, "pr1"]),
            "method": pick(["pix", "boleto", "debit", None]),
        },
        "debt_events": lambda: {
            "kind": pick(DEBT_EVENT_KINDS),
            "amount": pick([100, -100, None]),
            "debt_id": pick(debts),
        },
        "contacts": lambda: {
            "channel": pick(CHANNELS),
            "cost": pick([0.35, 6.5, np.nan]),
            "offer": pick([None, "none", "disc10"]),
        },
        "responses": lambda: {
            "kind": pick([*RESPONSE_KINDS, "sang"]),
            "contact_id": pick([*contacts, None]),
            "channel": pick([*CHANNELS, None, None]),
            "reason": pick([*REASONS, None, None]),
        },
        "promises": lambda: {
            "kind": pick(PROMISE_KINDS),
            "amount": pick([1_000, None]),
            "discount_amount": pick([0, 500]),
            "instalments": pick([None, 1, 3]),
            "debt_id": pick([None, None, debts[0], "gone"]),
        },
        "consents": lambda: {
            "channel": pick(CHANNELS),
            "status": pick(CONSENT_STATUSES),
            "contact_point_id": pick(["x", None]),
        },
        "holds": lambda: {"kind": pick(HOLD_KINDS), "scope": pick(["account", "debtor"])},
    }
    for table, make in makers.items():
        count = len(contacts) if table == "contacts" else events // 3
        rows[table] = [base(table, index) | make() for index in range(count)]
    for promise in rows["promises"]:
        promise["due_on"] = promise["occurred_at"] // US_PER_DAY + pick([0, 3, 40])
        if rng.random() < 0.6:
            promise["outcome"] = pick(PROMISE_OUTCOMES)
            promise["resolved_at"] = promise["occurred_at"] + pick([0, 1, 72, 24 * 40, 24 * 200]) * US_PER_HOUR
    for hold in rows["holds"]:
        hold["released_at"] = pick([MISSING, hold["occurred_at"] + pick([1, 90]) * US_PER_DAY])
    _correct(rows, rng)
    return rows


def ledger_of(rows: Mapping[str, Sequence[Mapping[str, Any]]], account_id: str) -> dict[str, Any]:
    """The rows of one account as a request has them: amounts, RFC 3339 times, dates; what is missing is left out."""
    account = next(row for row in rows["accounts"] if row["account_id"] == account_id)
    ledger: dict[str, Any] = {"account_id": account_id, "account": _as_json("accounts", account)}
    for table, found in rows.items():
        if table != "accounts":
            ledger[table] = [_as_json(table, row) for row in found if row["account_id"] == account_id]
    return ledger


def _as_json(table: str, row: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {column.name: column.kind for column in TABLES[table].columns}
    written: dict[str, Callable[[Any], Any]] = {
        "money": lambda cents: cents / 100,
        "moment": lambda us: from_us(us).isoformat().replace("+00:00", "Z"),
        "day": lambda day: from_day(day).isoformat(),
    }
    return {
        name: written.get(kinds[name], lambda value: value)(value)
        for name, value in row.items()
        if name != "account_id" and value is not None and value != MISSING and value == value  # noqa: PLR0124
    }


def _correct(rows: dict[str, list[dict[str, Any]]], rng: np.random.Generator) -> None:
    """Later versions of some rows: another amount or moment, from their own ``recorded_at`` on."""
    for table, found in rows.items():
        if table == "accounts" or not found:
            continue
        for row in list(found):
            if rng.random() < 0.1:
                later = row | {"recorded_at": row["recorded_at"] + int(rng.integers(1, 2_000)) * US_PER_HOUR}
                if row.get("amount") is not None:
                    later["amount"] = row["amount"] + 77
                if rng.random() < 0.3:
                    later["occurred_at"] = row["occurred_at"] - US_PER_DAY
                found.append(later)


def as_known_before(rows: Mapping[str, Sequence[Mapping[str, Any]]], as_of_us: int) -> dict[str, list[dict[str, Any]]]:
    """The tables as they stood just before a moment: rows recorded by then, facts resolved later not yet there.

    The first version of each account stays, since it says whose the events are.
    """
    known: dict[str, list[dict[str, Any]]] = {}
    first = _first_versions(rows["accounts"])
    for table, found in rows.items():
        kept = [
            dict(row)
            for row in found
            if (row.get("recorded_at", MISSING) < as_of_us or (table == "accounts" and row is first[row["account_id"]]))
        ]
        for row in kept:
            for resolved, outcome in (("resolved_at", "outcome"), ("released_at", None)):
                if row.get(resolved, MISSING) is not None and row.get(resolved, MISSING) >= as_of_us:
                    row[resolved] = MISSING
                    if outcome:
                        row[outcome] = None
        known[table] = kept
    return known


def _first_versions(accounts: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    first: dict[str, Mapping[str, Any]] = {}
    for row in sorted(accounts, key=lambda row: row.get("recorded_at", MISSING)):
        first.setdefault(row["account_id"], row)
    return first


def with_versions(rows: Mapping[str, Sequence[Mapping[str, Any]]], seed: int) -> dict[str, list[dict[str, Any]]]:
    """The same rows, with later versions of some accounts: another product, region or debtor."""
    rng = np.random.default_rng(seed)
    accounts = [dict(row) for row in rows["accounts"]]
    for row in list(accounts):
        for _ in range(int(rng.integers(0, 3))):
            later = ORIGIN_US + int(rng.integers(1, 1000 * 24)) * US_PER_HOUR
            product, region = ("card", "loan")[int(rng.integers(2))], ("BR-SP", "BR-AM")[int(rng.integers(2))]
            accounts.append(row | {"recorded_at": later, "product": product, "region": region, "debtor_id": "p9"})
    return {**{table: list(found) for table, found in rows.items()}, "accounts": accounts}
