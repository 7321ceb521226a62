"""A ledger of a request as canonical tables: dictionaries, as JSON gives them, into columns.

Written for speed: one pass over the rows of a table for each column that they have. What does not fit is looked for
only once something has failed, and told by table, row and column, never by its value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, to_day, to_us
from domain.coded import Coded, Vocabulary, coded
from domain.errors import LedgerError
from domain.money import to_cents
from domain.tables import TABLES, Column, ColumnData, TableData, Tables
from features.config import Attribute
from features.identity import conflicting_rows, repeated_rows, without_repeats
from features.vocabulary import CHANNEL_CODES, KINDS

Ledger = Mapping[str, Any]
EVENT_TABLES = ("debts", "contacts", "promises", "debt_events", "payments", "responses", "consents", "holds")
"""In an order in which every table comes after those that its rows point to."""
_ALWAYS = ("debts", "payments")
_LINKS = {"debt_id": "debts", "contact_id": "contacts", "promise_id": "promises"}
_NEEDED = {"id": "text", "text": "text", "code": "text", "list": "text", "money": "a number of at most 10 digits",
           "cost": "a number", "number": "a number", "integer": "a whole number", "day": "a day such as 2026-01-10",
           "moment": "a time with offset such as 2026-03-02T12:00:00Z"}  # fmt: skip
_MOST_MONEY = 1e10
_NUMBERS = frozenset({int, float, type(None)})
_TEXTS = frozenset({str, type(None)})
_VOCABULARIES = {
    (table.name, column.name): Vocabulary(KINDS["response"] if column.name == "kind" else column.codes)
    if table.name == "responses"
    else Vocabulary(column.codes)
    for table in TABLES.values()
    for column in table.columns
    if column.codes
} | {(table, "channel"): Vocabulary(CHANNEL_CODES) for table in ("contacts", "responses")}


def ledger_tables(
    ledger: Ledger, *, attributes: Mapping[str, Attribute], others: Sequence[Ledger] = ()
) -> Tables:  # fmt: skip
    """The tables of one account, and of the debtor's other accounts where they are given.

    Parameters
    ----------
    ledger : as in a request: ``account_id``, ``account`` with its columns, and a list of rows for each table that is
        known; an absent table is unknown, an empty one says that nothing happened
    attributes : declared columns that ``account`` may have besides the canonical ones
    others : ledgers of the debtor's other accounts, with the same tables

    Raises
    ------
    LedgerError : a row lacks a column that it needs, has one that is not known, or holds a value of another kind
    """
    ledgers = (ledger, *others)
    names = tuple(_account_id(one) for one in ledgers)
    reading = _Reading(names, attributes)
    reading.accounts(ledgers)
    for name in EVENT_TABLES:
        if ledger.get(name) is not None or name in _ALWAYS:
            reading.table(name, [one.get(name) or () for one in ledgers])
    return Tables(reading.tables)


def _account_id(ledger: Ledger) -> str:
    name = ledger.get("account_id")
    if not isinstance(name, str) or not name:
        raise LedgerError("found no account_id, needed the text that names the account", pointer="/account_id")
    return name


class _Reading:
    """Tables as they are read; ``ids`` are the ids of each table by text, for the rows that point to them."""

    def __init__(self, names: tuple[str, ...], attributes: Mapping[str, Attribute]) -> None:
        self.names, self.attributes = names, attributes
        self.tables: dict[str, TableData] = {}
        self.ids: dict[str, tuple[dict[str | None, int], tuple[str, ...]]] = {}

    def accounts(self, ledgers: Sequence[Ledger]) -> None:
        """One row for each ledger; a debtor without a name is the account."""
        rows = [one.get("account") or {} for one in ledgers]
        data = self._columns("accounts", rows, self._known("accounts"))
        data["account_id"] = Coded(np.arange(len(rows), dtype=np.int32), self.names)
        debtor = ledgers[0].get("account") or {}
        data["debtor_id"] = coded([debtor.get("debtor_id") or self.names[0]] * len(rows))
        data.setdefault("recorded_at", np.full(len(rows), MISSING, dtype=np.int64))
        self.tables["accounts"] = data

    def table(self, name: str, given: Sequence[Sequence[Ledger]]) -> None:
        """One table of all ledgers; ids are told apart by ledger, and a row given twice counts once."""
        rows = [row for part in given for row in part]
        owner = np.repeat(np.arange(len(given), dtype=np.int32), [len(part) for part in given])
        self._identify(name, rows, owner)
        data = self._columns(name, rows, self._known(name))
        data["account_id"] = Coded(owner, self.names)
        occurred = data.setdefault("occurred_at", np.full(len(rows), MISSING, dtype=np.int64))
        recorded = data.setdefault("recorded_at", occurred)
        assert not isinstance(occurred, Coded)
        assert not isinstance(recorded, Coded)
        if recorded is not occurred:
            data["recorded_at"] = np.where(recorded == MISSING, occurred, recorded)
        self.tables[name] = data if self._distinct else _once(name, data)

    def _known(self, table: str) -> Mapping[str, Column]:
        known = {column.name: column for column in TABLES[table].columns}
        if table == "accounts":
            kinds = {name: "number" if one.kind == "numeric" else "text" for name, one in self.attributes.items()}
            known |= {name: Column(name, kind) for name, kind in kinds.items() if name not in known}  # type: ignore[arg-type]
        return known

    def _identify(self, table: str, rows: Sequence[Ledger], owner: npt.NDArray[np.int32]) -> None:
        column = TABLES[table].id_column
        texts = [row.get(column) for row in rows]
        if None in texts:
            texts = [f"#{place}" if text is None else text for place, text in enumerate(texts)]
        if len(self.names) > 1:
            texts = [f"{who}\x1f{text}" for who, text in zip(owner.tolist(), texts, strict=True)]
        index: dict[str | None, int] = {}
        for text in texts:
            index.setdefault(text, len(index))
        self._distinct = len(index) == len(texts)
        self._own = Coded(np.array([index[text] for text in texts], dtype=np.int32), tuple(index))  # type: ignore[arg-type]
        index[None] = -1
        self.ids[table] = index, self._own.values  # type: ignore[assignment]
        self._owner = owner

    def _columns(self, table: str, rows: Sequence[Ledger], known: Mapping[str, Column]) -> TableData:
        try:
            return self._read(table, rows, known)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
            raise _culprit(table, rows, known) from error

    def _read(self, table: str, rows: Sequence[Ledger], known: Mapping[str, Column]) -> TableData:
        given = set().union(*rows)
        id_column = TABLES[table].id_column
        data: TableData = {} if table == "accounts" else {id_column: self._own}
        needed = {c.name for c in known.values() if c.required and c.name not in ("account_id", id_column)}
        if table == "debts":
            needed.discard("occurred_at")
        for name in given - {id_column, "account_id", "debtor_id"}:
            column, values = known[name], [row.get(name) for row in rows]
            if name in needed and None in values:
                raise KeyError(name)
            link = _LINKS.get(name)
            if link in self.ids and name != id_column:
                data[name] = self._linked(values, link)
            else:
                data[name] = _READERS[column.kind](table, name, values)
        if rows and needed - given:
            raise KeyError(table)
        return data

    def _linked(self, values: list[Any], table: str) -> Coded:
        index, texts = self.ids[table]
        if not _TEXTS.issuperset(map(type, values)):
            raise TypeError(table)
        if len(self.names) > 1:
            pairs = zip(self._owner.tolist(), values, strict=True)
            values = [None if text is None else f"{who}\x1f{text}" for who, text in pairs]
        return Coded(np.array([index.get(text, -2) for text in values], dtype=np.int32), texts)


def _texts(table: str, name: str, values: list[Any]) -> Coded:
    if not _TEXTS.issuperset(map(type, values)):
        raise TypeError(name)
    vocabulary = _VOCABULARIES.get((table, name))
    if vocabulary is not None and vocabulary.keys() | {None} >= set(values):
        codes = [-1 if value is None else vocabulary[value] for value in values]
        return Coded(np.array(codes, dtype=np.int32), vocabulary.names)
    return coded(values)


def _numbers(_table: str, name: str, values: list[Any]) -> npt.NDArray[np.float64]:
    if not _NUMBERS.issuperset(map(type, values)):
        raise TypeError(name)
    found = np.array(values, dtype=np.float64)
    if not (np.isfinite(found) | np.array([value is None for value in values])).all():
        raise ValueError(name)
    return found


def _money(table: str, name: str, values: list[Any]) -> npt.NDArray[np.int64]:
    found = _numbers(table, name, values)
    if np.nanmax(np.abs(found), initial=0.0) > _MOST_MONEY:
        raise ValueError(name)
    return to_cents(found)


def _integers(table: str, name: str, values: list[Any]) -> npt.NDArray[np.int64]:
    found = _numbers(table, name, values)
    whole = np.where(np.isnan(found), 0.0, found)
    if (whole != np.rint(whole)).any():
        raise ValueError(name)
    return np.where(np.isnan(found), MISSING, whole.astype(np.int64))


def _moments(_table: str, _name: str, values: list[Any]) -> npt.NDArray[np.int64]:
    if {len(value) for value in values if value is not None} == {20} and None not in values:
        plain = [value[:19] for value in values]
        if {value[10::9] for value in values} == {"TZ"}:  # seconds in UTC, as nearly everybody writes them
            return np.array(plain, dtype="datetime64[us]").astype(np.int64)
    return np.array([MISSING if value is None else to_us(datetime.fromisoformat(value)) for value in values])


def _days(_table: str, _name: str, values: list[Any]) -> npt.NDArray[np.int64]:
    return np.array([MISSING if value is None else to_day(date.fromisoformat(value)) for value in values])


_READERS: Mapping[str, Callable[[str, str, list[Any]], ColumnData]] = {
    "id": _texts, "text": _texts, "code": _texts, "list": _texts, "money": _money, "cost": _numbers,
    "number": _numbers, "integer": _integers, "moment": _moments, "day": _days,
}  # fmt: skip


def _once(table: str, data: TableData) -> TableData:
    id_column = TABLES[table].id_column
    repeated = repeated_rows(data, id_column=id_column)
    conflicts = conflicting_rows(data, id_column=id_column, apart_from=repeated)
    if len(conflicts):
        raise LedgerError(
            "found two rows with the same id and recorded_at, and another content, needed one; drop one of them, or "
            "say when the correction was recorded",
            pointer=f"/{table}/{int(conflicts[-1])}",
        )
    return without_repeats(data, id_column=id_column)


def _culprit(table: str, rows: Sequence[Any], known: Mapping[str, Column]) -> LedgerError:
    """The first row and column that cannot be read."""
    place = "/account" if table == "accounts" else f"/{table}"
    for number, row in enumerate(rows):
        own = place if table == "accounts" else f"{place}/{number}"
        if not isinstance(row, Mapping):
            return LedgerError("found a row that is no object, needed one with the columns of its table", pointer=own)
        if set(row) - set(known):
            return LedgerError(f"found a column that {table} does not have, needed its own; leave it out", pointer=own)
        for name, column in known.items():
            if not _readable(table, column, row.get(name)):
                where = f"{own}/{name}"
                return LedgerError(f"found no {name} that can be read, needed {_NEEDED[column.kind]}", pointer=where)
    return LedgerError(f"found rows of {table} that cannot be read, needed those of docs/api.md", pointer=place)


def _readable(table: str, column: Column, value: Any) -> bool:
    if value is None:
        free = column.name in ("account_id", TABLES[table].id_column) or (table, column.name) == (
            "debts",
            "occurred_at",
        )
        return free or not column.required
    try:
        _READERS[column.kind](table, column.name, [value])
    except (ValueError, TypeError, AttributeError, OverflowError):
        return False
    return True
