"""The store as a data directory: the canonical tables as they were given, ``decisions`` with what was decided here."""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pyarrow as pa
from pyarrow import parquet
from sqlalchemy import Connection, func, select

from domain.clock import parse_moment, to_us
from domain.errors import DataError
from domain.tables import TABLES, Column
from serving.store.chain import unpacked
from serving.store.decision_log import entries_of
from serving.store.ledger import given_tables
from serving.store.rows import Values
from serving.store.schema import LEDGER_ROWS

POLICY = "acerto"
"""What ``policy`` says of decisions that were taken here."""
_AT_ONCE = 20_000
_NEVER_EMPTY = ("accounts", "debts")
_TYPES: Mapping[str, pa.DataType] = {
    "money": pa.float64(),
    "cost": pa.float64(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "moment": pa.timestamp("us", tz="UTC"),
    "day": pa.date32(),
    "list": pa.list_(pa.string()),
}


def export_tables(
    connection: Connection,
    out: Path,
    *,
    tenant: str,
    accounts: Sequence[Column],
    on_share: Callable[[float], None] = lambda _: None,
) -> dict[str, int]:
    """Writes the tables that a tenant has given, one Parquet file each, and the decisions of the log beside theirs.

    Parameters
    ----------
    accounts : the columns of ``accounts``, with the declared attributes
    on_share : told which share of the rows is done, 0 to 1

    Returns
    -------
    Rows by table. A table that was given and has no rows is an empty file: nothing happened, and that is known.

    Raises
    ------
    DataError : the directory holds canonical tables already
    """
    _check_place(out)
    last = connection.execute(select(func.max(LEDGER_ROWS.c.sequence))).scalar() or 0
    with contextlib.ExitStack() as files:
        sinks = {
            table: files.enter_context(_Sink(out, table, accounts if table == "accounts" else TABLES[table].columns))
            for table in sorted(given_tables(connection, tenant=tenant))
        }
        for sequence, table, row in _rows(connection, tenant):
            sinks[table].add(row)
            if sequence % _AT_ONCE == 0:
                on_share(sequence / last)
        for row in _decisions(connection, tenant):
            if "decisions" not in sinks:
                sinks["decisions"] = files.enter_context(_Sink(out, "decisions", TABLES["decisions"].columns))
            sinks["decisions"].add(row)
        return {table: sink.rows for table, sink in sinks.items()}


def _check_place(out: Path) -> None:
    found = sorted(path.name for path in out.iterdir() if path.stem in TABLES) if out.is_dir() else []
    if found:
        raise DataError(
            f"found {', '.join(found)} in {out}, needed a directory without canonical tables, so that none is mixed "
            "with those of the store; give another --out"
        )
    out.mkdir(parents=True, exist_ok=True)


def _rows(connection: Connection, tenant: str) -> Iterator[tuple[int, str, dict[str, Any]]]:
    rows, after = LEDGER_ROWS.c, 0
    while True:
        asked = select(rows.sequence, rows.table_name, rows.content).where(rows.tenant == tenant, rows.sequence > after)
        found = connection.execute(asked.order_by(rows.sequence).limit(_AT_ONCE)).all()
        for sequence, table, content in found:
            yield sequence, table, json.loads(content)
        if len(found) < _AT_ONCE:
            return
        after = found[-1].sequence


def _decisions(connection: Connection, tenant: str) -> Iterator[dict[str, Any]]:
    """Entries of the log as rows of ``decisions``; those that were forgotten are in no table."""
    for link, payload in entries_of(connection, tenant):
        if link.kind == "decision" and payload is not None:
            content = unpacked(payload.payload)
            answer = content["answer"]
            names = [one["action"] for one in content["action_probs"]]
            copied = ("decision_id", "account_id", "channel", "offer", "moment", "action_prob", "channel_prob", "arm",
                      "policy_version")  # fmt: skip
            yield {
                **{name: answer.get(name) for name in copied},
                "decided_at": to_us(parse_moment(answer["decided_at"])),
                "eligible": "|".join(names) if names else None,
                "refusal_codes": "|".join(sorted({one["code"] for one in answer.get("refusals", ())})) or None,
                "policy": POLICY,
                "recorded_at": link.recorded_at,
            }


class _Sink:
    """A Parquet file that is written in groups of rows; it appears when it is whole, and not before."""

    def __init__(self, out: Path, table: str, columns: Sequence[Column]) -> None:
        self.rows = 0
        self._path, self._draft = out / f"{table}.parquet", out / f".{table}.parquet.part"
        self._kinds = {column.name: column.kind for column in columns}
        self._kept_empty = table not in _NEVER_EMPTY
        self._waiting: dict[str, list[Any]] = defaultdict(list)
        schema = pa.schema([(name, _TYPES.get(kind, pa.string())) for name, kind in self._kinds.items()])
        self._file = parquet.ParquetWriter(self._draft, schema)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._flush()
        self._file.close()
        if kind is None and (self.rows or self._kept_empty):
            self._draft.replace(self._path)
        self._draft.unlink(missing_ok=True)

    def add(self, row: Values) -> None:
        """One row, in the in-memory kinds."""
        self.rows += 1
        for name, kind in self._kinds.items():
            self._waiting[name].append(_outside(row.get(name), kind))
        if self.rows % _AT_ONCE == 0:
            self._flush()

    def _flush(self) -> None:
        schema = self._file.schema
        arrays = [pa.array(self._waiting[name], schema.field(name).type) for name in self._kinds]
        self._file.write_table(pa.Table.from_arrays(arrays, schema=schema))
        self._waiting.clear()


def _outside(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "money":
        return value / 100.0
    return value.split("|") if kind == "list" else value
