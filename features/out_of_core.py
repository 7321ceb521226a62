"""DuckDB within a stated memory: what the steps on tables of any size share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import cpu_count
from pathlib import Path
from typing import Any

from features.quoting import text_sql
from features.reading import connect

MEMORY_LIMIT = "1GB"
"""What DuckDB may hold at once; beyond it, it spills to disk."""
MOST_THREADS = 4


@contextmanager
def limited(spill: Path) -> Iterator[Any]:
    """A DuckDB connection that keeps to ``MEMORY_LIMIT`` and spills into a folder of its own, removed at the end."""
    connection = connect()
    try:
        # Each thread has buffers of its own, which on a large machine would not leave room for anything else.
        connection.execute(f"SET threads = {min(cpu_count() or 1, MOST_THREADS)}")
        connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(f"SET temp_directory = {text_sql(str(spill))}")
        yield connection
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)


def parquet_sql(paths: Sequence[Path]) -> str:
    """Parquet files as a FROM clause; named one by one, because a path may hold what a glob takes for a pattern."""
    return f"read_parquet([{', '.join(text_sql(str(path)) for path in paths)}], hive_partitioning = false)"
