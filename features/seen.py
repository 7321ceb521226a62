"""Canonical tables as a request showed them: without the tables it left out, and without a debtor's other accounts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from domain.clock import MISSING
from domain.tables import TABLES, Coded, ColumnData, TableData, Tables, coded
from features.columns import index_of

_OWN = {"account_id", "debtor_id", "recorded_at"}
_POOL = 10


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
    return _with_debtors(tables, lambda _, account_id: account_id)


def pooled(tables: Tables) -> Tables:
    """Accounts that have nothing to do with each other as those of one debtor, ten at a time."""
    return _with_debtors(tables, lambda position, _: f"pool {position // _POOL}")


def _with_debtors(tables: Tables, name: Callable[[int, str], str]) -> Tables:
    ids = tables.text("accounts", "account_id")
    place = index_of(tuple(sorted(ids.values)))
    of_value = coded(name(place[value], value) for value in ids.values)
    accounts = {**tables.columns["accounts"], "debtor_id": of_value.take(ids.codes.astype(np.int64))}
    return Tables({**tables.columns, "accounts": accounts})


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
