"""Ledgers of a request as canonical tables: the form in which a portfolio's files also reach the features.

Every ledger stands for itself, so ids of rows are told apart by account and two ledgers may both hold a ``d1``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from pydantic import BaseModel

from domain.clock import MISSING
from domain.coded import Coded, coded
from domain.tables import TABLES, VALUE_DEFAULTS, Column, ColumnData, TableData, Tables
from serving.problems import Fault, Problem
from serving.schemas import LEDGER_TABLES, ROW_LISTS, Ledger

SEPARATOR = "\x1f"
"""Between an account's position and a row's own id; no id of a request can hold it."""

Row = dict[str, Any]
_SHARED_IDS = {"account_id", "debtor_id", "contact_point_id"}
ALWAYS = frozenset({"debts", "payments"})
"""Tables that an account cannot be without: where they are not given they are taken as empty."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Accounts that were given the same tables; ``positions`` are those in the request that are to be decided on.

    ``tables`` may hold further accounts of the same debtors, for rules on the person.
    ``whole_debtors`` says whether these are all accounts of their debtors: so it is where no ledger names a debtor but
    the account itself. ``unchecked`` are accounts whose debtor is known to have others, and whose ledger does not say
    what contacts these had. ``assumed`` are tables that were not given and had to be taken as empty; ``given`` says for
    each of these accounts which tables its own ledger brought. ``debtor_ids`` are whose these accounts are, ``through``
    the number of the latest row in the store where they came from there.
    """

    tables: Tables
    positions: tuple[int, ...]
    account_ids: tuple[str, ...]
    whole_debtors: bool
    assumed: tuple[str, ...] = ()
    given: tuple[frozenset[str], ...] = ()
    debtor_ids: tuple[str, ...] = ()
    through: int | None = None
    unchecked: frozenset[str] = frozenset()


def own_id(row_id: str) -> str:
    """The id as the request has it."""
    return row_id.rpartition(SEPARATOR)[2]


def batches(ledgers: Sequence[Ledger], columns: tuple[Column, ...]) -> Iterator[Batch]:
    """Ledgers grouped by what they give, since an absent table is unknown and an empty one is not.

    Accounts given by their id alone are left out: ``known_accounts`` has those.

    Parameters
    ----------
    columns : the columns of ``accounts``, with the declared attributes

    Raises
    ------
    Problem : 422 for a ledger without debts, an account given twice, or a row given twice with different content
    """
    _check_accounts(ledgers)
    debtors = _by_debtor(ledgers)
    unchecked = frozenset(_unchecked(ledgers, debtors))
    groups: dict[tuple[frozenset[str], bool], list[int]] = defaultdict(list)
    for position, ledger in enumerate(ledgers):
        if ledger.by_id:
            continue
        groups[_given(ledger), _debtor(ledger) == ledger.account_id].append(position)
    for (given, whole), positions in groups.items():
        members = dict.fromkeys(positions)
        for position in positions:
            members |= dict.fromkeys(debtors[_debtor(ledgers[position])])
        yield Batch(
            tables=_tables(ledgers, sorted(members), given | ALWAYS, columns),
            positions=tuple(positions),
            account_ids=tuple(ledgers[position].account_id for position in positions),
            whole_debtors=whole,
            assumed=tuple(sorted(ALWAYS - given)),
            given=tuple(_brought(ledgers[position]) for position in positions),
            debtor_ids=tuple(_debtor(ledgers[position]) for position in positions),
            unchecked=unchecked,
        )


def _check_accounts(ledgers: Sequence[Ledger]) -> None:
    seen: set[str] = set()
    for position, ledger in enumerate(ledgers):
        pointer = f"/accounts/{position}"
        if ledger.account_id in seen:
            raise _refused(f"{pointer}/account_id", "the account stands twice in this request; give it once")
        seen.add(ledger.account_id)
        if ledger.debts is None and not ledger.by_id:
            raise _refused(f"{pointer}/debts", "a ledger needs its debts; [] says that there are none")


def _refused(pointer: str, detail: str) -> Problem:
    return Problem(422, "one account refuses the request", (Fault(pointer, detail),))


def _given(ledger: Ledger) -> frozenset[str]:
    given = {table for table in LEDGER_TABLES if ledger.rows(table) is not None}
    return frozenset(given | ({"contacts"} if ledger.rows("debtor_contacts") else set()))


def _brought(ledger: Ledger) -> frozenset[str]:
    brought = {table for table in ROW_LISTS if ledger.rows(table) is not None}
    return frozenset(brought | ({"accounts"} if ledger.account else set()))


def _debtor(ledger: Ledger) -> str:
    found: str | None = ledger.account.debtor_id if ledger.account else None
    return found or ledger.account_id


def _by_debtor(ledgers: Sequence[Ledger]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for position, ledger in enumerate(ledgers):
        if not ledger.by_id:
            found[_debtor(ledger)].append(position)
    return found


def _unchecked(ledgers: Sequence[Ledger], debtors: Mapping[str, list[int]]) -> Iterator[str]:
    """Accounts whose debtor is known to have others, where it is not said what contacts these had.

    Known to have others is who is named by another id than the account's, or owes on several accounts of the request.
    """
    for ledger in ledgers:
        debtor = _debtor(ledger)
        has_others = debtor != ledger.account_id or len(debtors[debtor]) > 1
        if has_others and ledger.rows("debtor_contacts") is None:
            yield ledger.account_id


def _tables(
    ledgers: Sequence[Ledger], members: Sequence[int], given: frozenset[str], columns: tuple[Column, ...]
) -> Tables:
    rows: dict[str, list[Row]] = {table: [] for table in LEDGER_TABLES if table in given}
    accounts: list[Row] = []
    for position in members:
        ledger = ledgers[position]
        known: Row = {**(ledger.account.__dict__ if ledger.account else {}), "account_id": ledger.account_id}
        accounts.append({**known, "debtor_id": _debtor(ledger)})
        for table, list_of in rows.items():
            if ledger.rows(table):
                list_of.extend(_rows(ledger, table, position))
    if "contacts" in given and any(ledgers[position].rows("debtor_contacts") for position in members):
        elsewhere = _contacts_elsewhere(ledgers, members)
        accounts += elsewhere[0]
        rows["contacts"] += elsewhere[1]
    whose = {row["account_id"]: place for place, row in enumerate(accounts)}
    data: dict[str, TableData] = {"accounts": _Columns("accounts", accounts, columns, whose)}
    for table, found in rows.items():
        data[table] = _Columns(table, found, TABLES[table].columns, whose) if found else _without_rows(table)
    return Tables(data)


def _rows(ledger: Ledger, table: str, position: int) -> Iterator[Row]:
    """Rows of one account; a row given twice counts once, and ids that are missing are made up from positions."""
    id_column = TABLES[table].id_column
    seen: dict[tuple[str, int | None], BaseModel] = {}
    for number, model in enumerate(ledger.rows(table) or ()):
        row = _row(model, ledger.account_id)
        if table == "debts" and row["contract_id"] is None:
            row["contract_id"] = row["debt_id"]
        if row[id_column] is None:
            row[id_column] = f"#{number}"
        elif (twin := seen.setdefault((row[id_column], row["recorded_at"]), model)) is not model:
            if twin != model:
                detail = "an earlier row has the same id and recorded_at, and another content"
                raise _refused(f"/accounts/{position}/{table}/{number}", detail)
            continue
        yield row


def _row(model: BaseModel, account_id: str) -> Row:
    row: Row = {**model.__dict__, "account_id": account_id}
    if row["recorded_at"] is None:
        row["recorded_at"] = row["occurred_at"]
    return row


def _contacts_elsewhere(ledgers: Sequence[Ledger], members: Sequence[int]) -> tuple[list[Row], list[Row]]:
    """``debtor_contacts`` as contacts of a nameless further account of the same debtor, each contact counted once."""
    accounts: list[Row] = []
    contacts: list[Row] = []
    seen = {
        _contact_key(ledgers[position], row) for position in members for row in ledgers[position].rows("contacts") or ()
    }
    for position in members:
        ledger = ledgers[position]
        name = f"{ledger.account_id}{SEPARATOR}elsewhere"
        found: list[Row] = []
        for number, model in enumerate(ledger.rows("debtor_contacts") or ()):
            key = _contact_key(ledger, model)
            if key[1] is None or key not in seen:
                seen.add(key)
                found.append({**_row(model, name), "contact_id": f"#{number}"})
        if found:
            place = {key: getattr(ledger.account, key, None) for key in ("region", "timezone")}
            accounts.append({**place, "account_id": name, "debtor_id": _debtor(ledger)})
            contacts += found
    return accounts, contacts


def _contact_key(ledger: Ledger, row: BaseModel) -> tuple[str, str | None, str, int]:
    known = row.__dict__
    return _debtor(ledger), known["contact_id"], known["channel"], known["occurred_at"]


class _Columns(Mapping[str, ColumnData]):
    """The columns of a table, each read once somebody asks for it: most of a request's are never looked at.

    ``whose`` are the places of all accounts; rows name theirs by them, in all tables alike.
    """

    def __init__(
        self, table: str, rows: Sequence[Row], columns: Sequence[Column], whose: Mapping[str, int]
    ) -> None:  # fmt: skip
        self._table, self._rows = table, rows
        self._columns = {column.name: column for column in columns}
        self._read: dict[str, ColumnData] = {"account_id": _named([row["account_id"] for row in rows], whose)}

    def __getitem__(self, name: str) -> ColumnData:
        found = self._read.get(name)
        if found is None:
            found = self._read[name] = _column(self._table, self._columns[name], self._rows)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """A column, or what to take where there is none of that name."""
        found = self._read.get(name)
        if found is not None:
            return found
        return self[name] if name in self._columns else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def _named(names: Sequence[str], whose: Mapping[str, int]) -> Coded:
    return Coded(np.array([whose[name] for name in names], dtype=np.int32), tuple(whose))


@lru_cache
def _without_rows(table: str) -> TableData:
    return _Columns(table, (), TABLES[table].columns, {})


def _column(table: str, column: Column, rows: Sequence[Row]) -> ColumnData:
    name, default = column.name, VALUE_DEFAULTS.get((table, column.name))
    values = [row.get(name) for row in rows]
    # In a short ledger most columns hold nothing at all, or leave nothing out.
    missing = values.count(None)
    if column.kind in ("id", "text", "code", "list"):
        if missing == len(values) and default is None:
            return Coded(np.full(len(values), -1, dtype=np.int32), ())
        if column.kind == "id" and name not in _SHARED_IDS:
            values = _apart(values, rows)
        said = None if default is None else str(default)
        return coded(values if said is None else [said if value is None else value for value in values])
    if column.kind in ("number", "cost"):
        empty = np.nan if default is None else default
        return np.array([empty if value is None else value for value in values], dtype=np.float64)
    if missing:
        values = [MISSING if value is None else value for value in values]
    return np.array(values, dtype=np.int64)


def _apart(ids: Sequence[str | None], rows: Sequence[Row]) -> list[str | None]:
    """Ids of rows, told apart by account."""
    return [None if one is None else f"{row['account_id']}{SEPARATOR}{one}" for one, row in zip(ids, rows, strict=True)]
