"""Canonical tables as a request showed them: without the tables it left out, and without a debtor's other accounts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from domain.clock import MISSING
from domain.coded import Coded, coded
from domain.tables import TABLES, ColumnData, TableData, Tables

_OWN = {"account_id", "debtor_id", "recorded_at"}


@dataclass(frozen=True, slots=True)
class Sight:
    """What a request showed of an account: tables it gave, tables that counted as empty, and nothing else."""

    given: frozenset[str]
    taken_as_none: frozenset[str]


def as_seen(tables: Tables, sight: Sight) -> Tables:
    """The tables as that request would have brought them, of every account.

    A table that it gave and that is not here is taken as empty, so that a request which says that nothing happened is
    understood; accounts without columns of their own keep only their identity.
    """
    columns: dict[str, TableData] = {}
    for name in TABLES:
        data = tables.columns.get(name)
        if name == "accounts" and data is not None:
            columns[name] = data if name in sight.given else _bare(data)
        elif name in sight.given:
            columns[name] = data if data is not None else _empty(name)
        elif name in sight.taken_as_none:
            columns[name] = _empty(name)
    return Tables(columns)


def alone(tables: Tables) -> Tables:
    """Every account as the only one of its debtor."""
    ids = tables.text("accounts", "account_id")
    return Tables({**tables.columns, "accounts": {**tables.columns["accounts"], "debtor_id": ids}})


def _bare(accounts: TableData) -> TableData:
    return {name: data if name in _OWN else _missing(data) for name, data in accounts.items()}


def _missing(data: ColumnData) -> ColumnData:
    if isinstance(data, Coded):
        return Coded(np.full(len(data), -1, dtype=np.int32), data.values)
    if data.dtype.kind == "f":
        return np.full(len(data), np.nan)
    return np.full(len(data), MISSING, dtype=np.int64)


def _empty(table: str) -> TableData:
    kinds = {column.name: column.kind for column in TABLES[table].columns}
    return {name: _nothing(kind) for name, kind in kinds.items()}


def _nothing(kind: str) -> ColumnData:
    if kind in ("id", "text", "code", "list"):
        return coded(())
    return np.zeros(0, dtype=np.float64) if kind in ("number", "cost") else np.zeros(0, dtype=np.int64)
