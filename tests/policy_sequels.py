"""What goes on after a decision: payments, promises, holds, contacts, more debts, and the debtor's words, some late."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from policy_checker import History, Row, open_debts
from policy_worlds import CHANNELS, Asked, tables_from

from domain.tables import HOLD_KINDS, TABLES, Tables

_ENDS = ("released_at", "resolved_at")


def as_known(history: History, moment: datetime) -> History:
    """The history without what was not known before a moment."""
    rows = {
        table: [_unended(row, moment) for row in some if table == "accounts" or _known(row, moment)]
        for table, some in history.rows.items()
    }
    return History(history.accounts, rows)


def _known(row: Row, moment: datetime) -> bool:
    return bool(row["occurred_at"] < moment and row["recorded_at"] < moment)


def _unended(row: Row, moment: datetime) -> Row:
    return {**row, **{name: None for name in _ENDS if row.get(name) is not None and row[name] >= moment}}


def tables_of(asked: Iterable[Asked]) -> Tables:
    """The tables of some accounts, each debtor's once."""
    rows: dict[str, list[Row]] = {table: [] for table in TABLES if table not in ("decisions", "debt_events")}
    for history in {id(one.history): one.history for one in asked}.values():
        for table, some in history.rows.items():
            rows[table] += some
    return tables_from(rows)


def with_row(one: Asked, table: str, row: Row) -> Asked:
    """The same with one more row."""
    rows = {**one.history.rows, table: [*one.history.rows.get(table, ()), row]}
    return replace(one, history=History(one.history.accounts, rows))


def sequel(rng: np.random.Generator, one: Asked, until: datetime) -> Asked:
    """The same account after a few things happened to its debtor between its moment and a later one, or just after."""
    told = one
    for number in range(int(rng.choice([0, 1, 1, 2, 3]))):
        span = (until - one.as_of) / timedelta(microseconds=1)
        # Now and then at the very moment that is asked about, which is too late to count.
        occurred = until if rng.random() < 0.1 else one.as_of + timedelta(microseconds=int(rng.uniform(-0.2, 1) * span))
        late = timedelta(microseconds=int(rng.choice([0, 1, 1_000_000, 3_600_000_000, int(max(span, 1))])))
        name = str(rng.choice(list(told.history.accounts)))
        table, values = _event(rng, told, name, until)
        # What the decision knew stays as it was.
        recorded = max(occurred + late, one.as_of)
        row: Row = {"account_id": name, "occurred_at": occurred, "recorded_at": recorded, **values}
        row[TABLES[table].id_column] = f"later-{one.account}-{number}"
        told = with_row(told, table, row)
    return told


def _event(rng: np.random.Generator, one: Asked, name: str, until: datetime) -> tuple[str, Row]:
    channel, made = str(rng.choice(CHANNELS)), one.history.rows.get("contacts", ())
    values: dict[str, Any] = {
        "payments": _payment(rng, one, name),
        "contacts": {"channel": channel, "debt_id": None, "contact_point_id": None},
        "responses": {
            "kind": str(rng.choice(["opted_out", "blocked", "wrong_party", "complained", "right_party", "read"])),
            "contact_id": made[0]["contact_id"] if made and rng.random() < 0.3 else None,
            "channel": channel if rng.random() < 0.8 else None,
        },
        "promises": {
            "kind": "promise", "due_on": until.date().toordinal() + int(rng.integers(-1, 5)), "instalments": 1,
            "outcome": None, "resolved_at": None,
        },
        "holds": {"kind": str(rng.choice(HOLD_KINDS)), "scope": str(rng.choice(["account", "debtor"])),
                  "released_at": None},
        "consents": {"channel": channel, "status": str(rng.choice(["granted", "revoked", "invalid"])),
                     "expires_at": None},
        "debts": {"amount": int(rng.integers(1, 90_000)),
                  "due_on": until.date().toordinal() - int(rng.integers(-9, 90))},
    }  # fmt: skip
    table = str(rng.choice(list(values), p=[0.35, 0.15, 0.1, 0.1, 0.1, 0.1, 0.1]))
    return table, values[table]


def _payment(rng: np.random.Generator, one: Asked, name: str) -> Row:
    """Of a debt that is open, in full or in part, and of none where none is; the checker knows no credit."""
    left = open_debts(one.history, name, one.as_of)
    if not left:
        return {"amount": 0, "debt_id": None}
    row, cents = left[int(rng.integers(len(left)))]
    return {"amount": cents if rng.random() < 0.6 else max(cents // 3, 1), "debt_id": row["debt_id"]}
