"""Canonical tables from plain rows, and a small made-up portfolio to train on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from domain.clock import MISSING, US_PER_DAY, to_day, to_us
from domain.coded import coded
from domain.tables import TABLES, ColumnData, Tables

DAY = US_PER_DAY
TEXT = ("id", "text", "code", "list")


def _column(kind: str, values: list[Any]) -> ColumnData:
    if kind in TEXT:
        return coded(values)
    if kind in ("number", "cost"):
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return np.array([MISSING if value is None else value for value in values], dtype=np.int64)


def _table(name: str, rows: list[dict[str, Any]]) -> dict[str, ColumnData]:
    spec = TABLES[name]
    happened = "decided_at" if name == "decisions" else "occurred_at"
    filled = []
    for number, row in enumerate(rows):
        defaults: dict[str, Any] = {}
        if name != "accounts":
            defaults = {"recorded_at": row.get(happened), spec.id_column: f"{name[0]}{number}"}
        filled.append({**defaults, **row})
    if name == "accounts":
        filled = [{"debtor_id": row["account_id"], "region": "BR-SP", **row} for row in filled]
    return {column.name: _column(column.kind, [row.get(column.name) for row in filled]) for column in spec.columns}


@pytest.fixture
def tables_of() -> Callable[..., Tables]:
    """``tables_of(payments=[{...}, ...], ...)``: money in cents, moments in µs, days as integers."""
    return lambda **rows: Tables({name: _table(name, given) for name, given in rows.items()})


@pytest.fixture(scope="session")
def portfolio() -> Tables:
    """240 debtors, 280 accounts, two years; some pay well, some do not, and calls help."""
    return _portfolio(np.random.default_rng(5))


def _portfolio(rng: np.random.Generator) -> Tables:
    import datetime as dt

    start = to_us(dt.datetime(2023, 1, 1, 12, tzinfo=dt.UTC))
    first_day = to_day(dt.date(2023, 1, 1))
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("accounts", "debts", "payments", "responses")}
    rows |= {"contacts": [], "decisions": []}
    channels = ("wait", "sms", "agent_call")
    for number in range(280):
        name, good = f"a{number:04d}", rng.beta(1.5, 1.5)
        rows["accounts"].append({"account_id": name, "debtor_id": f"d{number % 240:04d}"})
        for month in range(24):
            day = int(month * 30 + number % 30)
            opened = start + day * DAY
            debt = f"{name}-{month}"
            rows["debts"].append(
                {
                    "debt_id": debt,
                    "account_id": name,
                    "amount": 10_000,
                    "due_on": first_day + day + 10,
                    "occurred_at": opened,
                }
            )
            decided = opened + int(rng.integers(1, 15)) * DAY
            channel = channels[int(rng.integers(3))]
            rows["decisions"].append(
                {
                    "account_id": name,
                    "decided_at": decided,
                    "channel": channel,
                    "offer": "none",
                    "moment": "any" if channel == "wait" else "morning",
                    "action_prob": 1 / 3,
                }
            )
            if channel != "wait":
                rows["contacts"].append(
                    {"account_id": name, "channel": channel, "occurred_at": decided + 3_600_000_000}
                )
            if rng.random() < 0.05:
                rows["responses"].append({"account_id": name, "kind": "complained", "occurred_at": decided + DAY})
            if rng.random() < 0.1 + 0.6 * good + 0.2 * (channel == "agent_call"):
                paid = decided + int(rng.integers(1, 25)) * DAY
                rows["payments"].append({"account_id": name, "debt_id": debt, "amount": 10_000, "occurred_at": paid})
    return Tables({name: _table(name, given) for name, given in rows.items()})
