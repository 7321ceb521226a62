"""A spine from a file: the accounts and moments that somebody wants rows for, in memory or parted by shard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from domain.errors import DataError, UnknownAccountError
from domain.tables import Column, TableSpec
from features.encoding import Encoded
from features.out_of_core import parquet_sql
from features.quoting import text_sql
from features.reading import TypedQuery, connect, typed_query
from features.reading_files import SUFFIXES, TableFiles
from features.refusals import refuse_unusable
from features.shard_matrix import spine_rows
from features.shard_tables import shard_folder
from features.spine import Spine

_SPEC = TableSpec("spine", "account_id", (Column("account_id", "id", True), Column("as_of", "moment", True)))


def read_spine(path: Path, *, encoded: Encoded) -> Spine:
    """The rows of a spine file in the order of a matrix: by account, then moment.

    Raises
    ------
    DataError : the file cannot be read, or lacks ``account_id`` or ``as_of``
    UnknownAccountError : it names accounts that the data do not hold
    """
    connection = connect()
    try:
        query = _checked(connection, path)
        found = connection.sql(f"SELECT account_id, as_of FROM ({query.sql})").to_arrow_table()
    finally:
        connection.close()
    names = found.column("account_id").to_pylist()
    known = encoded.account_index()
    strange = sorted({name for name in names if name not in known})
    _refuse_strange(len(strange), strange[:3])
    return spine_rows(names, found.column("as_of").to_numpy(), encoded=encoded)


def part_spine(connection: Any, path: Path, *, shard_dir: Path, n_shards: int, target: Path) -> dict[int, Path]:
    """The rows of a spine file by shard: for each shard that has any, the folder of Parquet that holds them.

    Raises
    ------
    as ``read_spine``
    """
    query = _checked(connection, path)
    owners = " UNION ALL ".join(
        f"SELECT DISTINCT account_id, {shard} AS shard "
        f"FROM {parquet_sql([shard_folder(shard_dir, shard) / 'accounts.parquet'])}"
        for shard in range(n_shards)
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE owner AS {owners}")
    strange = f"SELECT DISTINCT account_id FROM ({query.sql}) WHERE account_id NOT IN (SELECT account_id FROM owner)"
    count = connection.execute(f"SELECT count(*) FROM ({strange})").fetchall()[0][0]
    _refuse_strange(count, [row[0] for row in connection.execute(f"{strange} ORDER BY 1 LIMIT 3").fetchall()])
    connection.execute(
        f"COPY (SELECT s.account_id, s.as_of, owner.shard FROM ({query.sql}) AS s JOIN owner USING (account_id)) "
        f"TO {text_sql(str(target))} (FORMAT parquet, PARTITION_BY (shard))"
    )
    folders = {shard: target / f"shard={shard}" for shard in range(n_shards)}
    return {shard: folder for shard, folder in folders.items() if folder.is_dir()}


def _checked(connection: Any, path: Path) -> TypedQuery:
    if path.suffix not in SUFFIXES or not path.is_file():
        raise DataError(f"found no .parquet or .csv file {path}, needed one with account_id and as_of; check --spine")
    files = TableFiles("spine", "csv" if path.suffix == ".csv" else "parquet", (path,), path.name)
    query = typed_query(connection, files, spec=_SPEC, attributes={})
    if refuse_unusable(connection, query) == 0:
        raise DataError("spine: found no rows, needed at least one; list the accounts and moments that are wanted")
    return query


def _refuse_strange(count: int, examples: list[str]) -> None:
    if count:
        raise UnknownAccountError(
            f"found {count} accounts in the spine that the data do not hold, such as {examples}; "
            "needed ids from the accounts table"
        )
