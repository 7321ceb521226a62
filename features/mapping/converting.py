"""A plan carried out: canonical tables as Parquet, by DuckDB within a stated memory, and what became of every row.

Two passes over each source. The first counts what cannot be used, and why; only where that is no more than the mapping
allows does the second write. So a refusal leaves nothing half written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
    reasons_of,
    value_sql,
)
from features.out_of_core import limited
from features.quoting import name_sql, text_sql
from features.reading_files import unreadable

_CHOSEN = '"row chosen"'
_LONGEST_SHAPE = 32


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
    with TemporaryDirectory(prefix="acerto-convert-") as spill, limited(Path(spill) / "spill") as connection:
        plan = make_plan(mapping, folder=folder, attributes=attributes, connection=connection)
        fates = {name: tuple(_fate(connection, entry) for entry in entries) for name, entries in plan.tables.items()}
        _refuse(fates, plan)
        out.mkdir(parents=True, exist_ok=True)
        tables = tuple(_write(connection, name, plan, fates[name], out=out) for name in plan.tables)
    return Converted(str(mapping), tables, tuple(notes_of(plan)))


def entry_sql(planned: PlannedEntry) -> str:
    """Every row of the source with each column as given, as a value, and with its fault; and whether it is meant."""
    entry, scan, targets = planned.entry, planned.scan, planned.targets
    given = {name: sql for target in targets for name, sql in given_sql(target, scan).items()}
    meant = [condition_sql(condition, entry, targets[0].mapping, scan) for condition in entry.where]
    inner = ", ".join(f"{sql} AS {name_sql(name)}" for name, sql in given.items())
    values = ", ".join(f"{value_sql(t, given_type(t, scan))} AS {name_sql(t.column.name)}" for t in targets)
    faults = ", ".join(f"{fault_sql(t)} AS {_fault(t.column.name)}" for t in targets)
    return (
        f"SELECT *, {faults} FROM (SELECT *, {values} FROM "
        f"(SELECT {inner}, {' AND '.join(meant) or 'true'} AS {_CHOSEN} FROM {scan.sql}))"
    )


def _fault(column: str) -> str:
    return name_sql(f"{column} fault")


def _usable(planned: PlannedEntry) -> str:
    return " AND ".join(f"{_fault(t.column.name)} = {FINE}" for t in planned.targets)


def _kept_sql(planned: PlannedEntry) -> str:
    """The usable rows of an entry, and of those that agree in what ``keep`` says, one."""
    names = [target.column.name for target in planned.targets]
    sql = f"SELECT {', '.join(map(name_sql, names))} FROM ({entry_sql(planned)}) WHERE {_CHOSEN} AND {_usable(planned)}"
    keep = planned.entry.keep
    if keep is None:
        return sql
    order = [f"{name_sql(keep.by)} {'DESC' if keep.take == 'last' else 'ASC'} NULLS LAST", *map(name_sql, names)]
    groups = ", ".join(map(name_sql, keep.one_per))
    return f"SELECT * FROM ({sql}) QUALIFY row_number() OVER (PARTITION BY {groups} ORDER BY {', '.join(order)}) = 1"


def _fate(connection: Any, planned: PlannedEntry) -> Fate:
    """What becomes of every row of an entry: counted, and nothing kept."""
    asked = [(target, reason) for target in planned.targets for reason in reasons_of(target).items()]
    counts = []
    for target, (reason, told) in asked:
        here = f"FILTER ({_CHOSEN} AND {_fault(target.column.name)} = {reason})"
        counts += [f"count(*) {here}", f"min({_shape(f'{target.column.name} {told}')}) {here}"]
    sql = (
        f"SELECT count(*), count(*) FILTER ({_CHOSEN}), count(*) FILTER ({_CHOSEN} AND NOT ({_usable(planned)})), "
        f"{', '.join(counts)} FROM ({entry_sql(planned)})"
    )
    with _readable(planned):
        read, chosen, unusable, *found = connection.execute(sql).fetchall()[0]
        kept = chosen - unusable
        if planned.entry.keep is not None:
            kept = connection.execute(f"SELECT count(*) FROM ({_kept_sql(planned)})").fetchall()[0][0]
    left_out = tuple(
        LeftOut(target.column.name, REASONS[reason], rows, shape)
        for (target, (reason, _)), rows, shape in zip(asked, found[::2], found[1::2], strict=True)
        if rows
    )
    return Fate(planned.entry.source, read, chosen, unusable, kept, left_out)


def _shape(column: str) -> str:
    """What a text looks like, nobody's value: every digit a 9, every letter an a."""
    text = f"left(CAST({name_sql(column)} AS VARCHAR), {_LONGEST_SHAPE})"
    return f"regexp_replace(regexp_replace({text}, '\\d', '9', 'g'), '\\p{{L}}', 'a', 'g')"


@contextmanager
def _readable(planned: PlannedEntry) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        raise unreadable(planned.files, error) from error


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


def _write(connection: Any, table: str, plan: Plan, fates: tuple[Fate, ...], *, out: Path) -> TableFate:
    """One table: the rows of its entries, those that are the same in everything once, in an order of their own."""
    entries, spec = plan.tables[table], TABLES[table]
    columns = list(dict.fromkeys(t.column.name for planned in entries for t in planned.targets))
    together = " UNION ALL BY NAME ".join(f"({_kept_sql(planned)})" for planned in entries)
    first = [name for name in (spec.id_column, "recorded_at", "occurred_at") if name in columns]
    order = ", ".join(map(name_sql, dict.fromkeys([*first, *columns])))
    names = ", ".join(map(name_sql, columns))
    query = f"SELECT DISTINCT {names} FROM ({together}) ORDER BY {order}"
    target = out / f"{table}.parquet"
    with _readable(entries[0]):
        rows = connection.execute(f"COPY ({query}) TO {text_sql(str(target))} (FORMAT parquet)").fetchall()[0][0]
    return TableFate(table, rows, sum(fate.kept for fate in fates) - rows, fates)
