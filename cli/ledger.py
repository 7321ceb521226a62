"""One account of a data directory as the ledger that a request holds: the example that the demo sends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from domain.clock import MISSING, from_day, rfc3339
from domain.coded import Coded
from domain.money import from_cents
from domain.tables import TABLES, ColumnData, Tables

_LEDGER_TABLES = tuple(name for name in TABLES if name not in {"accounts", "decisions"})


def ledger_json(tables: Tables, account_id: str, *, before_us: int) -> dict[str, Any]:
    """The account and its rows recorded before a moment, in the form of contract §5; missing values are left out.

    ``debtor_contacts`` are those on the debtor's other accounts, ``[]`` where there are none.
    """
    versions = [row for row in _rows(tables, "accounts", account_id) if row.get("recorded_at", "") < rfc3339(before_us)]
    account = {name: value for name, value in versions[-1].items() if name != "account_id"} if versions else {}
    body: dict[str, Any] = {"account_id": account_id, "account": account}
    for table in _LEDGER_TABLES:
        if tables.has(table):
            body[table] = _known(tables, table, account_id, before_us=before_us)
    if tables.has("contacts"):
        others = _others(tables, account_id)
        found = (_known(tables, "contacts", other, before_us=before_us) for other in others)
        body["debtor_contacts"] = [row for rows in found for row in rows]
    return body


def _known(tables: Tables, table: str, account_id: str, *, before_us: int) -> list[dict[str, Any]]:
    rows = _rows(tables, table, account_id)
    return [_without_account(row) for row in rows if row["recorded_at"] < rfc3339(before_us)]


def _others(tables: Tables, account_id: str) -> list[str]:
    """The debtor's other accounts, in the order of their ids."""
    names, debtors = (tables.text("accounts", column).decode() for column in ("account_id", "debtor_id"))
    owner = dict(zip(names, debtors, strict=True))
    return sorted(
        name for name in owner if name is not None and name != account_id and owner[name] == owner[account_id]
    )


def _without_account(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "account_id"}


def _rows(tables: Tables, table: str, account_id: str) -> list[dict[str, Any]]:
    ids = tables.text(table, "account_id")
    if account_id not in ids.values:
        return []
    rows = np.flatnonzero(ids.codes == ids.values.index(account_id))
    kinds = {column.name: column.kind for column in TABLES[table].columns}
    found = []
    for row in rows.tolist():
        values = {name: _value(data, row, kinds.get(name, "number")) for name, data in tables.columns[table].items()}
        found.append({name: value for name, value in values.items() if value is not None})
    return found


def _value(data: ColumnData, row: int, kind: str) -> Any:
    if isinstance(data, Coded):
        code = int(data.codes[row])
        return None if code < 0 else data.values[code]
    value = data[row]
    if data.dtype.kind == "f":
        return None if np.isnan(value) else float(value)
    if value == MISSING:
        return None
    if kind == "money":
        return from_cents(int(value))
    if kind == "moment":
        return rfc3339(int(value))
    return from_day(int(value)).isoformat() if kind == "day" else int(value)
