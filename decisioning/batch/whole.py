"""What only all shards together tell: counts for rules that ask for more than their own accounts, and who is there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from decisioning.contact_policy.kinds import DailyVolume
from decisioning.desk import Desk
from decisioning.restrictions.contacts import day_of, volume_key
from features.out_of_core import limited, parquet_sql
from features.quoting import text_sql
from features.shard_tables import shard_folder


def totals(shard_dir: Path, n_shards: int, desk: Desk, as_of_us: int) -> tuple[tuple[tuple[str, ...], int], ...]:
    """Counts of the contacts of the day, for each rule on daily volumes (``restrictions.contacts``)."""
    rules = [rule for rule in desk.contact_policy.rules if isinstance(rule, DailyVolume)]
    files = _files(shard_dir, n_shards, "contacts")
    if not rules or not files:
        return tuple((volume_key(rule, as_of_us), 0) for rule in rules)
    with limited(shard_dir / "_spill") as connection:
        # All versions of what any version says was made on one of the days; of these rows there are few.
        since_us = min(day_of(rule, as_of_us)[0] for rule in rules)
        of_days = f"SELECT contact_id FROM {parquet_sql(files)} WHERE occurred_at >= {since_us}"
        # Rows that lie in several shards are the same row.
        rows = (
            f"SELECT DISTINCT contact_id, recorded_at, occurred_at, channel FROM {parquet_sql(files)} "
            f"WHERE contact_id IN ({of_days})"
        )
        until = "lead(recorded_at) OVER (PARTITION BY contact_id ORDER BY recorded_at)"
        connection.execute(
            f"CREATE TEMP TABLE made AS SELECT occurred_at, channel FROM (SELECT *, {until} AS until FROM ({rows})) "
            f"WHERE occurred_at < {as_of_us} AND recorded_at < {as_of_us} AND coalesce(until >= {as_of_us}, true)"
        )
        return tuple((volume_key(rule, as_of_us), _made(connection, rule, as_of_us)) for rule in rules)


def _made(connection: Any, rule: DailyVolume, as_of_us: int) -> int:
    since_us, _ = day_of(rule, as_of_us)
    named = connection.execute(f"SELECT DISTINCT channel FROM made WHERE occurred_at >= {since_us}").fetchall()
    covered = [text_sql(name) for (name,) in named if name is not None and rule.covers(name)]
    some = [f"channel IN ({', '.join(covered)})"] if covered else []
    some += ["channel IS NULL"] if rule.channels is None else []
    if not some:
        return 0
    count = f"SELECT count(*) FROM made WHERE occurred_at >= {since_us} AND ({' OR '.join(some)})"
    return int(connection.execute(count).fetchall()[0][0])


def first_recorded_us(shard_dir: Path, n_shards: int) -> npt.NDArray[np.int64]:
    """When the first debt was recorded, in an array that is empty where there are none."""
    with limited(shard_dir / "_spill") as connection:
        debts = parquet_sql(_files(shard_dir, n_shards, "debts"))
        found = connection.execute(f"SELECT min(recorded_at) FROM {debts}").fetchall()[0][0]
    return np.array([] if found is None else [found], dtype=np.int64)


def unknown_accounts(shard_dir: Path, n_shards: int, names: Sequence[str]) -> list[str]:
    """Those of some ids that are no accounts, in their order."""
    with limited(shard_dir / "_spill") as connection:
        connection.register("listed", pa.table({"account_id": pa.array(names, type=pa.string())}))
        accounts = parquet_sql(_files(shard_dir, n_shards, "accounts"))
        strange = f"SELECT DISTINCT account_id FROM listed ANTI JOIN {accounts} AS known USING (account_id)"
        found = {row[0] for row in connection.execute(strange).fetchall()}
    return [name for name in names if name in found]


def _files(shard_dir: Path, n_shards: int, table: str) -> list[Path]:
    paths = [shard_folder(shard_dir, shard) / f"{table}.parquet" for shard in range(n_shards)]
    return [path for path in paths if path.is_file()]
