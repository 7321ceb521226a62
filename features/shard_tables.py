"""One canonical table of any size, parted by debtor: the DuckDB statements behind ``features.shards``.

Out of core throughout: rows stream from the files into one folder per shard, and each shard is then sorted by itself.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.tables import Column
from features.known import happened_in
from features.out_of_core import parquet_sql
from features.quoting import text_sql
from features.reading import TypedQuery

_TEXTS = ("id", "text", "code", "list")
_FOLDERS = "shard={:05d}"


def shard_folder(shard_dir: Path, shard: int) -> Path:
    """Where a shard lies; the name is one that other engines read as a partition."""
    return shard_dir / _FOLDERS.format(shard)


def bucket_sql(text: str) -> str:
    """A shard-independent number of a text, 60 bits of its MD5: the same on every machine and version.

    The shard is its remainder, as in ``int(md5(debtor_id).hexdigest()[:15], 16) % n_shards``.
    """
    return f"CAST('0x' || left(md5({text}), 15) AS BIGINT)"


def create_owners(connection: Any, accounts: TypedQuery, *, n_shards: int) -> None:
    """The table ``owner`` (account_id, shard): the first version of an account says whose it is, as in ``encode``."""
    first = "min({'at': coalesce(recorded_at, -9223372036854775807), 'debtor': debtor_id}).debtor"
    connection.execute(
        f"CREATE TEMP TABLE owner AS SELECT account_id, {bucket_sql(first)} % {n_shards} AS shard "
        f"FROM ({accounts.sql}) GROUP BY account_id"
    )


@dataclass(frozen=True, slots=True)
class Parting:
    """One table on its way into ``n_shards`` shards; ``staging`` is a folder of its own, emptied as it goes."""

    connection: Any
    query: TypedQuery
    staging: Path
    shard_dir: Path
    n_shards: int

    def scatter(self) -> None:
        """Rows to the shards of their accounts' debtors; rows of unknown accounts by the account itself.

        A version of a row may lie with another debtor than the one it replaces. It must be seen there, so rows whose
        id occurs in several shards go to each of these; where the account is a stranger, they only end a version.
        """
        names = ", ".join(f't."{column.name}"' for column in self.query.columns)
        shard = f"coalesce(owner.shard, {bucket_sql('t.account_id')} % {self.n_shards})"
        self._stage(
            f"SELECT {names}, {shard} AS shard FROM (SELECT {self._values()} FROM ({self.query.sql})) AS t "
            "LEFT JOIN owner ON owner.account_id = t.account_id"
        )
        if self.query.spec.name != "accounts" and self.n_shards > 1:
            self._share_versions(names)

    def gather(self, shard: int) -> int:
        """Sorts the rows of one shard into its file, by account, time and id; the number of rows."""
        found = self.staging / f"shard={shard}"
        names = ", ".join(f'"{column.name}"' for column in self.query.columns)
        target = shard_folder(self.shard_dir, shard) / f"{self.query.spec.name}.parquet"
        target.parent.mkdir(exist_ok=True)
        if found.is_dir():
            source = f"SELECT {names} FROM {parquet_sql(sorted(found.iterdir()))}"
        else:
            source = f"SELECT {self._values()} FROM ({self.query.sql}) LIMIT 0"
        rows = self.connection.execute(
            f"COPY (SELECT * FROM ({source}) ORDER BY {self._order()}) TO {text_sql(str(target))} "
            "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 1048576)"
        ).fetchall()[0][0]
        shutil.rmtree(found, ignore_errors=True)
        return int(rows)

    def _stage(self, select: str) -> None:
        self.connection.execute(
            f"COPY ({select}) TO {text_sql(str(self.staging))} (FORMAT parquet, PARTITION_BY (shard), "
            "COMPRESSION lz4_raw, FILENAME_PATTERN 'part_{uuid}', APPEND)"
        )

    def _share_versions(self, names: str) -> None:
        files = sorted(self.staging.glob("*/*.parquet"))
        if not files:
            return
        staged = parquet_sql(files).replace("hive_partitioning = false", "hive_partitioning = true")
        # By the id itself: DuckDB's hash of texts collides for ids that differ in a few places.
        name = f'"{self.query.spec.id_column}"'
        astray = f"SELECT {name} FROM {staged} GROUP BY {name} HAVING min(shard) <> max(shard)"
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE homes AS SELECT DISTINCT {name} AS id, shard FROM {staged} "
            f"WHERE {name} IN ({astray})"
        )
        if self.connection.execute("SELECT count(*) FROM homes").fetchall()[0][0]:
            self._stage(
                f"SELECT {names}, homes.shard FROM {staged} AS t "
                f"JOIN homes ON homes.id = t.{name} AND homes.shard <> t.shard"
            )

    def _values(self) -> str:
        return ", ".join(f'{self._stored(column)} AS "{column.name}"' for column in self.query.columns)

    def _stored(self, column: Column) -> str:
        """A column as it is in memory: cents and moments int64, numbers without NaN and -0, ``recorded_at`` filled."""
        quoted = f'"{column.name}"'
        if column.kind in ("money", "cost", "number"):
            value = quoted + " + 0.0"
            if column.kind == "money":
                # The same steps as domain.money.to_cents, so the same cents.
                value = f"CAST(round_even(round_even({quoted} * 100.0 * 1e6, 0) / 1e6, 0) AS BIGINT)"
            return f"CASE WHEN NOT isnan({quoted}) THEN {value} END"
        if column.name == "recorded_at" and self.query.spec.name != "accounts":
            return f"coalesce({quoted}, {self._moment()})"
        return quoted

    def _moment(self) -> str:
        return happened_in(self.query.spec.name)

    def _order(self) -> str:
        """All columns, so that nothing is left to the order in which rows came."""
        names = [column.name for column in self.query.columns]
        first = ["account_id", self._moment(), "recorded_at", self.query.spec.id_column]
        return ", ".join(f'"{name}"' for name in dict.fromkeys([n for n in first if n in names] + names))
