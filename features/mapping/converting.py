"""A plan carried out: canonical tables as Parquet, by DuckDB within a stated memory, and what became of every row.

Each source is read once, into a file of its rows with what is wrong with each. Only where no more of them are unusable
than the mapping allows are tables made of it, so that a refusal leaves nothing half written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from domain.errors import DataError
from domain.tables import TABLES
from features.config import Attribute
from features.mapping.fates import Converted, Fate, LeftOut, TableFate, notes_of
from features.mapping.planning import Plan, PlannedEntry, make_plan
from features.mapping.values import (
    FINE,
    REASONS,
    condition_sql,
    fault_sql,
    given_sql,
    given_type,
    reading_sql,
    shape_sql,
    value_sql,
)
from features.out_of_core import limited, parquet_sql
from features.quoting import name_sql, text_sql
from features.reading_files import unreadable

_CHOSEN = '"row chosen"'


def convert(mapping: Path, out: Path, *, folder: Path, attributes: Mapping[str, Attribute]) -> Converted:
    """Write ``OUT/<table>.parquet`` for every mapped table; the same sources give the same rows in the same order.

    Parameters
    ----------
    mapping : the mapping file
    out : a folder, made where it is not there; tables in it are written over
    folder : where the files of the sources are looked for
    attributes : declared columns of accounts

    Raises
    ------
    ConfigError : as ``make_plan``
    DataError : a source cannot be read, or more rows cannot be used than the mapping allows; then nothing is written
    """
    beside = out.parent if out.parent.is_dir() else None
    with TemporaryDirectory(prefix=".acerto-", dir=beside) as scratch, limited(Path(scratch) / "spill") as connection:
        plan = make_plan(mapping, folder=folder, attributes=attributes, connection=connection)
        landed = {
            name: [_landed(connection, one, Path(scratch) / f"{name}-{n}.parquet") for n, one in enumerate(entries)]
            for name, entries in plan.tables.items()
        }
        fates = {name: tuple(_fate(connection, one) for one in entries) for name, entries in landed.items()}
        _refuse(fates, plan)
        out.mkdir(parents=True, exist_ok=True)
        tables = tuple(_write(connection, name, landed[name], fates[name], out=out) for name in plan.tables)
    return Converted(str(mapping), tables, tuple(notes_of(plan)))


@dataclass(frozen=True, slots=True)
class _Landed:
    """An entry whose source has been read: every row with its values, their faults, and whether it is meant."""

    planned: PlannedEntry
    sql: str

    @property
    def names(self) -> list[str]:
        """The canonical columns that it fills."""
        return [target.column.name for target in self.planned.targets]

    @property
    def usable(self) -> str:
        """Which rows have no fault."""
        return " AND ".join(f"{_fault(name)} = {FINE}" for name in self.names)


def _landed(connection: Any, planned: PlannedEntry, path: Path) -> _Landed:
    """Reads a source once, into a file of its own: what is asked of it afterwards costs no reading of texts again.

    Without a file DuckDB would move every filter down to the source, each time with the whole of what it rests on.
    """
    try:
        connection.execute(f"COPY ({entry_sql(planned)}) TO {text_sql(str(path))} (FORMAT parquet)")
    except duckdb.Error as error:
        raise unreadable(planned.files, error) from error
    return _Landed(planned, parquet_sql([path]))


def entry_sql(planned: PlannedEntry) -> str:
    """Every row of the source: its values, what is wrong with them and how that looks, and whether it is meant."""
    entry, scan, targets = planned.entry, planned.scan, planned.targets
    given = {name: sql for target in targets for name, sql in given_sql(target, scan).items()}
    meant = [condition_sql(condition, entry, targets[0].mapping, scan) for condition in entry.where]
    inner = ", ".join(f"{sql} AS {name_sql(name)}" for name, sql in given.items())
    readings = {t.column.name: reading_sql(t, given_type(t, scan)) for t in targets}
    read = "".join(f", {sql[0]} AS {name_sql(f'{name} read')}" for name, sql in readings.items() if sql is not None)
    values = ", ".join(f"{value_sql(t, given_type(t, scan))} AS {name_sql(t.column.name)}" for t in targets)
    faults = ", ".join(f"CAST({fault_sql(t)} AS UTINYINT) AS {_fault(t.column.name)}" for t in targets)
    kept = ", ".join(f"{name_sql(t.column.name)}, {_fault(t.column.name)}, {shape_sql(t)}" for t in targets)
    return (
        f"SELECT {_CHOSEN}, {kept} FROM (SELECT *, {faults} FROM (SELECT *, {values} FROM (SELECT *{read} FROM "
        f"(SELECT {inner}, {' AND '.join(meant) or 'true'} AS {_CHOSEN} FROM {scan.sql}))))"
    )


def _fault(column: str) -> str:
    return name_sql(f"{column} fault")


def _kept_sql(landed: _Landed) -> str:
    """The usable rows of an entry, and of those that agree in what ``keep`` says, one."""
    names = ", ".join(map(name_sql, landed.names))
    sql = f"SELECT {names} FROM {landed.sql} WHERE {_CHOSEN} AND {landed.usable}"
    keep = landed.planned.entry.keep
    if keep is None:
        return sql
    order = f"{name_sql(keep.by)} {'DESC' if keep.take == 'last' else 'ASC'} NULLS LAST, {names}"
    groups = ", ".join(map(name_sql, keep.one_per))
    return f"SELECT * FROM ({sql}) QUALIFY row_number() OVER (PARTITION BY {groups} ORDER BY {order}) = 1"


def _fate(connection: Any, landed: _Landed) -> Fate:
    """What becomes of every row of an entry, counted."""
    asked = [(name, reason) for name in landed.names for reason in REASONS]
    counts = []
    for name, reason in asked:
        here = f"FILTER ({_CHOSEN} AND {_fault(name)} = {reason})"
        counts += [f"count(*) {here}", f"min({name_sql(f'{name} shape')}) {here}"]
    sql = (
        f"SELECT count(*), count(*) FILTER ({_CHOSEN}), count(*) FILTER ({_CHOSEN} AND NOT ({landed.usable})), "
        f"{', '.join(counts)} FROM {landed.sql}"
    )
    read, chosen, unusable, *found = connection.execute(sql).fetchall()[0]
    kept = chosen - unusable
    if landed.planned.entry.keep is not None:
        kept = connection.execute(f"SELECT count(*) FROM ({_kept_sql(landed)})").fetchall()[0][0]
    left_out = tuple(
        LeftOut(name, REASONS[reason], rows, shape)
        for (name, reason), rows, shape in zip(asked, found[::2], found[1::2], strict=True)
        if rows
    )
    return Fate(landed.planned.entry.source, read, chosen, unusable, kept, left_out)


def _refuse(fates: Mapping[str, tuple[Fate, ...]], plan: Plan) -> None:
    """Stops where more rows would be lost than the mapping allows."""
    told = []
    for table, entries in plan.tables.items():
        for planned, fate in zip(entries, fates[table], strict=True):
            allowed = planned.entry.may_leave_out
            if fate.unusable > allowed * fate.chosen:
                told.append(
                    f"{table} from {fate.source}: found {fate.unusable:,} of {fate.chosen:,} rows that cannot be used, "
                    f"needed at most {allowed:.2%}: {fate.reasons()}"
                )
    if told:
        way_out = "mend the mapping or the files, or allow for it with may_leave_out beside source"
        raise DataError("\n  ".join([*told, f"nothing was written; {way_out}"]))


def _write(connection: Any, table: str, entries: list[_Landed], fates: tuple[Fate, ...], *, out: Path) -> TableFate:
    """One table: the rows of its entries, those that are the same in everything once, in an order of their own."""
    columns = list(dict.fromkeys(name for landed in entries for name in landed.names))
    together = " UNION ALL BY NAME ".join(f"({_kept_sql(landed)})" for landed in entries)
    first = [name for name in (TABLES[table].id_column, "recorded_at", "occurred_at") if name in columns]
    order = ", ".join(map(name_sql, dict.fromkeys([*first, *columns])))
    query = f"SELECT DISTINCT {', '.join(map(name_sql, columns))} FROM ({together}) ORDER BY {order}"
    target = text_sql(str(out / f"{table}.parquet"))
    rows = connection.execute(f"COPY ({query}) TO {target} (FORMAT parquet)").fetchall()[0][0]
    return TableFate(table, rows, sum(fate.kept for fate in fates) - rows, fates)
