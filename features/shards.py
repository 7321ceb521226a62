"""Canonical tables of any size as shards: directories of Parquet, each with all accounts of some debtors.

Everything a feature reads of an account lies in one shard, so shards can be computed one by one, on many processes or
machines, and memory is bounded by the largest of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.errors import DataError
from domain.tables import TABLES
from features.config import Attribute
from features.out_of_core import MEMORY_LIMIT, limited, parquet_sql
from features.reading import TypedQuery, typed_query
from features.reading_files import find_files
from features.reading_problems import missing_table
from features.refusals import refuse_unusable
from features.schema import account_rules
from features.shard_manifest import FORMAT, MANIFEST, Manifest, load, revoke, save
from features.shard_tables import Parting, create_owners, shard_folder

OnStep = Callable[[str, float], None]
ROWS_PER_SHARD = 1_000_000
"""Rows of all tables together that a shard aims at; one shard at a time is what a worker holds in memory."""
LEFT_EMPTY = ("decisions",)
"""Tables of which neither features nor decisions read a row: empty in shards, which is a quarter of the work less."""
_SPILL = "_spill"


def prepare(
    data_dir: Path,
    shard_dir: Path,
    *,
    attributes: Mapping[str, Attribute],
    fingerprint: str,
    n_shards: int | None = None,
    on_step: OnStep = lambda _step, _share: None,
) -> Manifest:
    """The shards of a data directory; those that are there already where they were made of the same input.

    Parameters
    ----------
    data_dir : canonical tables, as ``features.tables.read_tables`` takes them
    shard_dir : made where it does not exist; it must hold nothing but shards
    fingerprint : of the input (``features.shard_manifest.fingerprint_of``)
    n_shards : how many; where not given, those that are there, else as many as ``ROWS_PER_SHARD`` asks for

    Raises
    ------
    DataError : as ``read_tables`` refuses the tables, before anything is written; or ``shard_dir`` holds other things
    """
    kept = load(shard_dir)
    if kept is not None and kept.fingerprint == fingerprint and n_shards in (None, kept.n_shards):
        return kept
    with limited(shard_dir / _SPILL) as connection:
        _refuse_strangers(shard_dir)
        queries, rows = _checked(connection, data_dir, attributes)
        _clear(shard_dir)
        parted = sum(number for name, number in rows.items() if name not in LEFT_EMPTY)
        count = n_shards or max(1, -(-parted // ROWS_PER_SHARD))
        # Equal inputs make equal shards.
        connection.execute("SET preserve_insertion_order = true")
        create_owners(connection, queries["accounts"], n_shards=count)
        totals = np.zeros(count, dtype=np.int64)
        for position, query in enumerate(queries.values()):
            on_step(f"parting {query.spec.name}", position / len(queries))
            totals += _part(connection, query, shard_dir, count)
        filled, texts = _facts(connection, shard_dir, count, attributes)
        manifest = Manifest(
            format=FORMAT,
            fingerprint=fingerprint,
            rows=tuple(totals.tolist()),
            tables=tuple(queries),
            filled=filled,
            texts=texts,
        )
        save(shard_dir, manifest)
    return manifest


def _checked(
    connection: Any, data_dir: Path, attributes: Mapping[str, Attribute]
) -> tuple[dict[str, TypedQuery], dict[str, int]]:
    """The tables that are there and their numbers of rows, every check of reading passed."""
    queries: dict[str, TypedQuery] = {}
    rows: dict[str, int] = {}
    for spec in TABLES.values():
        files = find_files(data_dir, spec.name)
        if files is not None:
            queries[spec.name] = typed_query(connection, files, spec=spec, attributes=attributes)
            rows[spec.name] = refuse_unusable(connection, queries[spec.name])
        elif spec.required:
            raise DataError(f"{spec.name}: {missing_table(spec.name)}; look in {data_dir}")
    return queries, rows


def _refuse_strangers(shard_dir: Path) -> None:
    """Anything that is no shard is somebody's, and must not be lost."""
    found = shard_dir.iterdir() if shard_dir.is_dir() else ()
    strange = [path.name for path in found if not path.name.startswith(("shard=", "_")) and path.name != MANIFEST]
    if strange:
        raise DataError(
            f"{shard_dir}: found {min(strange)!r}, which is no shard, needed an empty directory or one of shards; "
            "give another --shard-dir"
        )


def _clear(shard_dir: Path) -> None:
    """Makes room for new shards."""
    revoke(shard_dir)
    shard_dir.mkdir(parents=True, exist_ok=True)
    for path in shard_dir.iterdir():
        if path.is_dir() and path.name != _SPILL:
            shutil.rmtree(path)


def _part(connection: Any, query: TypedQuery, shard_dir: Path, n_shards: int) -> npt.NDArray[np.int64]:
    parting = Parting(connection, query, shard_dir, n_shards)
    try:
        return parting.leave_empty() if query.spec.name in LEFT_EMPTY else parting.part()
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise DataError(
            f"{query.spec.name}: parting it into {n_shards} shards stopped ({type(error).__name__}), needed room on "
            f"disk in {shard_dir} and {MEMORY_LIMIT} of memory; make room, or give fewer --shards"
        ) from error


def _facts(
    connection: Any, shard_dir: Path, n_shards: int, attributes: Mapping[str, Attribute]
) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Which columns of accounts are filled anywhere, and the values of its categorical ones."""
    rules = account_rules(attributes)
    accounts = parquet_sql([shard_folder(shard_dir, shard) / "accounts.parquet" for shard in range(n_shards)])
    counts = ", ".join(f'count("{rule.column}")' for rule in rules)
    found = connection.execute(f"SELECT {counts} FROM {accounts}").fetchall()[0]
    filled = tuple(rule.column for rule, count in zip(rules, found, strict=True) if count)
    texts = {
        rule.column: tuple(
            row[0]
            for row in connection.execute(
                f'SELECT DISTINCT "{rule.column}" FROM {accounts} WHERE "{rule.column}" IS NOT NULL ORDER BY 1'
            ).fetchall()
        )
        for rule in rules
        if rule.categorical
    }
    return filled, texts
