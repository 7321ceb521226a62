"""One shard as ``Tables``: its columns are stored as they are in memory, so nothing is converted or checked again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet

from domain.clock import MISSING
from domain.errors import DataError
from domain.tables import TABLES, ColumnData, TableData, Tables
from features.identity import without_repeats
from features.shard_files import repeating
from features.texts import coded_from, coded_texts


def read_shard(folder: Path) -> Tables:
    """The tables of one shard, identical rows once.

    Raises
    ------
    DataError : the shard is not there, as seen from this machine, or is damaged
    """
    try:
        found = {name: folder / f"{name}.parquet" for name in TABLES if (folder / f"{name}.parquet").is_file()}
        columns = {
            name: without_repeats(_columns(path), id_column=TABLES[name].id_column) for name, path in found.items()
        }
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"found the shard {folder.name} damaged, needed whole files; prepare it again") from error
    if "accounts" not in columns:
        raise DataError(
            f"found no shard {folder}, needed one; is the directory of shards on storage that every worker sees?"
        )
    return Tables(columns)


def _columns(path: Path) -> TableData:
    schema = pa_parquet.read_schema(path)
    texts = [name for name in repeating(schema) if pa.types.is_string(schema.field(name).type)]
    table = pa_parquet.read_table(path, read_dictionary=texts, use_threads=False, partitioning=None)
    return {name: _in_memory(table.column(name)) for name in table.column_names}


def _in_memory(values: pa.ChunkedArray) -> ColumnData:
    if pa.types.is_string(values.type):
        # Large, because a column of one shard may pass 2 GiB.
        return coded_texts(values.cast(pa.large_string()).combine_chunks())
    whole = values.combine_chunks()
    if pa.types.is_dictionary(whole.type):
        return coded_from(whole)
    if pa.types.is_floating(whole.type):
        floats: np.ndarray = whole.fill_null(np.nan).to_numpy(zero_copy_only=False)
        return floats.copy()
    integers: np.ndarray = whole.fill_null(MISSING).to_numpy(zero_copy_only=False)
    return integers.copy()
