"""What is wrong with a ledger of a request: which table, row and column, what was needed; never a value."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from domain.errors import LedgerError
from domain.tables import TABLES, Column
from features.config import Attribute
from features.ledger_values import CONVERTERS

_NEEDED = {
    "id": "text", "text": "text", "code": "text", "list": "text", "money": "a number of at most 10 digits",
    "cost": "a number", "number": "a number", "integer": "a whole number", "day": "a day such as 2026-01-10",
    "moment": "a time with offset such as 2026-03-02T12:00:00Z",
}  # fmt: skip
_READ = {"id": "text", "code": "text", "list": "text"}


def once(table: str, rows: Sequence[Mapping[str, Any]], ids: Sequence[str]) -> list[int]:
    """Places of the rows without those that are an earlier row again.

    Raises
    ------
    LedgerError : two rows have the same id and ``recorded_at``, and another content
    """
    seen: dict[str, list[int]] = defaultdict(list)
    kept = []
    for place, (row, name) in enumerate(zip(rows, ids, strict=True)):
        if any(rows[other] == row for other in seen[name]):
            continue
        if any(_recorded(rows[other]) == _recorded(row) for other in seen[name]):
            raise LedgerError(
                "found two rows with the same id and recorded_at, and another content, needed one; drop one of them, "
                "or say when the correction was recorded",
                pointer=f"/{table}/{place}",
            )
        seen[name].append(place)
        kept.append(place)
    return kept


def _recorded(row: Mapping[str, Any]) -> Any:
    found = row.get("recorded_at")
    return row.get("occurred_at") if found is None else found


def culprit(ledgers: Sequence[Mapping[str, Any]], attributes: Mapping[str, Attribute]) -> LedgerError:
    """The first place of some ledgers that cannot be read."""
    for ledger in ledgers:
        name = ledger.get("account_id")
        if not isinstance(name, str) or not name:
            return LedgerError("found no account_id, needed the text that names the account", pointer="/account_id")
        account = _account_columns(attributes)
        found = _in_row("accounts", ledger.get("account") or {}, account, "/account")
        for table, spec in TABLES.items():
            if found or table in ("accounts", "decisions"):
                continue
            columns = {column.name: column for column in spec.columns}
            rows = ledger.get(table) or ()
            if not isinstance(rows, Sequence) or isinstance(rows, str):
                return LedgerError("found no list, needed the rows of the table", pointer=f"/{table}")
            for place, row in enumerate(rows):
                found = found or _in_row(table, row, columns, f"/{table}/{place}")
        if found:
            return found
    return LedgerError("found a ledger that cannot be read, needed one as in docs/api.md")


def _account_columns(attributes: Mapping[str, Attribute]) -> dict[str, Column]:
    kinds = {name: "number" if one.kind == "numeric" else "text" for name, one in attributes.items()}
    declared = {name: Column(name, kind) for name, kind in kinds.items()}  # type: ignore[arg-type]
    return declared | {column.name: column for column in TABLES["accounts"].columns}


def _in_row(table: str, row: Any, columns: Mapping[str, Column], place: str) -> LedgerError | None:
    if not isinstance(row, Mapping):
        return LedgerError("found no object, needed one with the columns of its table", pointer=place)
    if set(row) - set(columns):
        return LedgerError(f"found a column that {table} does not have, needed its own; leave it out", pointer=place)
    for name, column in columns.items():
        if not _readable(table, column, row.get(name)):
            needed = _NEEDED[column.kind]
            return LedgerError(f"found no {name} that can be read, needed {needed}", pointer=f"{place}/{name}")
    return None


def _readable(table: str, column: Column, value: Any) -> bool:
    if value is None:
        free = column.name in ("account_id", TABLES[table].id_column) or (table, column.name) == (
            "debts",
            "occurred_at",
        )
        return free or not column.required
    try:
        CONVERTERS[_READ.get(column.kind, column.kind)]([value])
    except (ValueError, TypeError, AttributeError, OverflowError):
        return False
    return True
