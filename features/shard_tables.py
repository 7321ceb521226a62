"""One canonical table of any size, parted by debtor: the DuckDB statements behind ``features.shards``.

Out of core throughout: rows stream from the files of the table into those of the shards, once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.tables import Column
from features.astray import Marks
from features.hashing import Hashes
from features.known import happened_in
from features.reading import TypedQuery
from features.shard_files import ROWS_SORTED, SHARD, write_parted

Int64s = npt.NDArray[np.int64]

MOST_OPEN = 500
"""Files that are written to at once; where there are more shards, a table is gone through again for the next ones."""
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
    """One table on its way into ``n_shards`` shards, a file in the folder of each."""

    connection: Any
    query: TypedQuery
    shard_dir: Path
    n_shards: int

    def part(self) -> Int64s:
        """Writes the rows of each shard in the order of the table; (n_shards,) how many.

        Rows lie with their accounts' debtors, and those of unknown accounts by the account itself. A version of a row
        may lie with another debtor than the one it replaces. It must be seen there, so rows whose id occurs in several
        shards go to each of these; where the account is a stranger, they only end a version.
        """
        crossing = self.query.spec.name != "accounts" and self.n_shards > 1
        return self._write(f"SELECT {self._names()}, {self._home()} AS {SHARD} {self._rows()}", crossing=crossing)

    def leave_empty(self) -> Int64s:
        """Writes files without rows; (n_shards,) zeros."""
        return self._write(
            f"SELECT {self._names()}, 0 AS {SHARD} FROM ({self._typed()}) AS t WHERE false", crossing=False
        )

    def _write(self, select: str, *, crossing: bool) -> Int64s:
        schema, rows = self.connection.sql(f"{select} LIMIT 0").to_arrow_table().schema, []
        for first in range(0, self.n_shards, MOST_OPEN):
            shards = range(first, min(first + MOST_OPEN, self.n_shards))
            paths = [shard_folder(self.shard_dir, shard) / f"{self.query.spec.name}.parquet" for shard in shards]
            for path in paths:
                path.parent.mkdir(exist_ok=True)
            stream = self._and_astray(select) if crossing else self._batches(select)
            rows.append(write_parted(stream, schema, paths, first=first))
        return np.concatenate(rows)

    def _batches(self, select: str) -> Iterator[pa.RecordBatch]:
        yield from self.connection.sql(select).to_arrow_reader(ROWS_SORTED)

    def _and_astray(self, select: str) -> Iterator[pa.RecordBatch]:
        """The rows of the table and, when all have been seen, once more those that other shards must see as well."""
        own_id, marks = self.query.spec.id_column, Marks(self.n_shards)
        for batch in self._batches(select):
            marks.add(batch.column(own_id), batch.column(SHARD).to_numpy())
            yield batch
        suspects = marks.suspects()
        if len(suspects) and self._find_homes(marks, suspects):
            others = f'homes.id = t."{own_id}" AND homes.shard <> {self._home()}'
            yield from self._batches(
                f"SELECT {self._names()}, homes.shard AS {SHARD} {self._rows()} JOIN homes ON {others} ORDER BY ALL"
            )

    def _find_homes(self, marks: Marks, suspects: Hashes) -> int:
        """Makes the table ``homes`` (id, shard) of the ids that occur in several shards; how many rows it has.

        Hashes that are alike do not make ids equal, so that those suspected are compared themselves.
        """
        batches = self._batches(
            f'SELECT t."{self.query.spec.id_column}" AS id, {self._home()} AS {SHARD} {self._rows()}'
        )
        found = [batch.filter(pa.array(marks.among(batch.column("id"), suspects))) for batch in batches]
        self.connection.register("suspects", pa.Table.from_batches(found))
        self.connection.execute(
            f"CREATE OR REPLACE TEMP TABLE homes AS SELECT id, unnest(list_distinct(list({SHARD}))) AS {SHARD} "
            f"FROM suspects GROUP BY id HAVING min({SHARD}) <> max({SHARD})"
        )
        self.connection.unregister("suspects")
        return int(self.connection.execute("SELECT count(*) FROM homes").fetchall()[0][0])

    def _names(self) -> str:
        return ", ".join(f't."{column.name}"' for column in self.query.columns)

    def _typed(self) -> str:
        return f"SELECT {self._values()} FROM ({self.query.sql})"

    def _rows(self) -> str:
        return f"FROM ({self._typed()}) AS t LEFT JOIN owner ON owner.account_id = t.account_id"

    def _home(self) -> str:
        return f"coalesce(owner.shard, {bucket_sql('t.account_id')} % {self.n_shards})"

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
            return f"coalesce({quoted}, {happened_in(self.query.spec.name)})"
        return quoted
