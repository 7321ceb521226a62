"""The parts of all shards as one stream of rows in the order of ids, a bounded number of them at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pa_compute

from decisioning.batch.files import ROWS_AT_ONCE


def in_order(parts: Sequence[Path]) -> Iterator[pa.Table]:
    """The rows of all parts by account id; each part is in that order itself.

    Ids of all rows are held, and of each part one batch beside the rows that are given out.
    """
    readers = [_Reader(path) for path in parts]
    names = pa.chunked_array([chunk for reader in readers for chunk in reader.names.chunks], type=pa.string())
    whose = np.repeat(np.arange(len(readers)), [len(reader.names) for reader in readers])
    order = pa_compute.sort_indices(names).to_numpy()
    for start in range(0, len(order), ROWS_AT_ONCE):
        sources = whose[order[start : start + ROWS_AT_ONCE]]
        present = np.flatnonzero(np.bincount(sources, minlength=len(readers)))
        rows = pa.concat_tables([readers[one].take(int((sources == one).sum())) for one in present.tolist()])
        # Rows stand source by source now, each in its order.
        behind = np.argsort(np.argsort(sources, kind="stable"), kind="stable")
        yield rows.take(pa.array(behind))


class _Reader:
    """One part, read batch by batch."""

    def __init__(self, path: Path) -> None:
        self._file = pa.ipc.open_file(pa.OSFile(str(path), "rb"))
        self._batch, self._left = 0, self._file.schema.empty_table()
        place = self._file.schema.get_field_index("account_id")
        with pa.OSFile(str(path), "rb") as source:
            own = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(included_fields=[place]))
            self.names = own.read_all().column("account_id")

    def take(self, rows: int) -> pa.Table:
        """The next rows."""
        while self._left.num_rows < rows:
            batch = pa.Table.from_batches([self._file.get_batch(self._batch)])
            self._left, self._batch = pa.concat_tables([self._left, batch]), self._batch + 1
        found, self._left = self._left.slice(0, rows), self._left.slice(rows)
        return found
