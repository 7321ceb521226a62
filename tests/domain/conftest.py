"""Ledgers written as plain rows in days and cents, and the balance computed from them the way the project does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from domain.balance import Standing, open_debts, standing_of, standings
from domain.balance_arrays import LedgerSheets, ledger_arrays
from domain.clock import FOREVER, MISSING, US_PER_DAY
from domain.coded import coded
from domain.sheets import DAY, UNTIL, ledger_sheet
from domain.tables import TABLES, Tables

Row = Mapping[str, Any]
SHORT = {"id": "", "account": "account_id", "at": "occurred_at", "recorded": "recorded_at", "due": "due_on",
         "debt": "debt_id", "promise": "promise_id", "resolved": "resolved_at", "discount": "discount_amount",
         "penalty": "penalty_pct", "interest": "monthly_interest_pct"}  # fmt: skip


def us(day: float | None) -> int:
    return MISSING if day is None else round(day * US_PER_DAY)


def _column(kind: str, values: list[Any]) -> Any:
    if kind in {"id", "text", "code", "list"}:
        return coded(values)
    if kind in {"number", "cost"}:
        return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    plain = us if kind == "moment" else (lambda value: MISSING if value is None else value)
    return np.array([plain(value) for value in values], dtype=np.int64)


def as_table(name: str, rows: Sequence[Row]) -> dict[str, Any]:
    spec = TABLES[name]
    full = [{"account_id": "a", **{SHORT.get(key, key) or spec.id_column: row[key] for key in row}} for row in rows]
    for row in full:
        row["recorded_at"] = row.get("recorded_at", row.get("occurred_at"))
    return {column.name: _column(column.kind, [row.get(column.name) for row in full]) for column in spec.columns}


def _known_until(tables: Tables, name: str) -> np.ndarray:
    ids = tables.text(name, TABLES[name].id_column).decode()
    accounts = tables.text(name, "account_id").decode()
    recorded = tables.ints(name, "recorded_at").tolist()
    later = [
        [there for key, account, there in zip(ids, accounts, recorded, strict=True)
         if (key, account) == (ids[row], accounts[row]) and there > recorded[row]]
        for row in range(len(ids))
    ]  # fmt: skip
    return np.array([min(after, default=FOREVER) for after in later], dtype=np.int64)


@dataclass(frozen=True)
class Books:
    """A ledger as ``ledger_arrays`` sees it; accounts are named ``a``, ``b``, ``c``; all days are UTC."""

    tables: Tables

    def sheets(self) -> LedgerSheets:
        found = {}
        for name in LedgerSheets._fields:
            present = self.tables.has(name)
            account = self.tables.text(name, "account_id").recode({"a": 0, "b": 1, "c": 2}) if present else None
            found[name] = ledger_sheet(self.tables, name, account)
            if present:
                found[name][DAY] = np.floor_divide(self.tables.ints(name, "occurred_at"), US_PER_DAY)
                found[name][UNTIL] = _known_until(self.tables, name)
        return LedgerSheets(**found)

    def arrays(self) -> tuple[Any, ...]:
        return ledger_arrays(self.tables, self.sheets(), n_accounts=3)

    def at(self, day: float, account: int = 0) -> Standing:
        return self.full(day, account)[0]

    def full(self, day: float, account: int = 0) -> tuple[Standing, dict[str, int]]:
        """The standing, and the open debts by id."""
        debts, entries, debt_bounds, entry_bounds, source = self.arrays()
        bounds = tuple(int(b) for b in (*debt_bounds[account : account + 2], *entry_bounds[account : account + 2]))
        open_cents = np.zeros(bounds[1] - bounds[0], dtype=np.int64)
        standing = standing_of(debts, entries, bounds, us(day), int(np.floor(day)), open_cents)
        ids = self.tables.text("debts", "debt_id").take(source).decode()
        owing = np.flatnonzero(open_cents).tolist()
        return standing, {str(ids[bounds[0] + place]): int(open_cents[place]) for place in owing}

    def many(self, days: Sequence[float]) -> tuple[Any, Any]:
        """``standings`` and ``open_debts`` of account ``a``, then of none, at each of the days."""
        arrays = self.arrays()[:4]
        account = np.array([0, -1] * len(days), dtype=np.int32)
        moments = np.repeat(np.array([us(day) for day in days], dtype=np.int64), 2)
        rows = (account, moments, np.floor_divide(moments, US_PER_DAY))
        return standings(*arrays, *rows), open_debts(*arrays, *rows)


@pytest.fixture(scope="session")
def books() -> Callable[..., Books]:
    """``books(debts=[…], payments=[…], …)``: rows with id, at, recorded (days), amount (cents), due (day), debt, …"""

    def build(order: Callable[[int], Sequence[int]] | None = None, **rows: Sequence[Row]) -> Books:
        columns = {}
        for name, given in {"payments": [], **rows}.items():
            columns[name] = as_table(name, given if order is None else [given[i] for i in order(len(given))])
        return Books(Tables(columns))

    return build
