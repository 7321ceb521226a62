"""Canonical tables in other files: the same rows, shuffled, and cut into parts whose names tell no order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


def scatter(data: Path, out: Path, *, rng: np.random.Generator, most_parts: int = 4) -> Path:
    """Writes every table of ``data`` to ``out`` with its rows in another order, in one file or a folder of parts.

    Returns
    -------
    ``out``, which must not exist yet
    """
    out.mkdir(parents=True)
    for path in sorted(data.glob("*.parquet")):
        table = pq.read_table(path)
        shuffled = table.take(pa.array(rng.permutation(table.num_rows)))
        parts = int(rng.integers(1, most_parts + 1))
        if parts == 1 or table.num_rows < parts:
            pq.write_table(shuffled, out / path.name)
            continue
        (out / path.stem).mkdir()
        cuts = np.sort(rng.choice(np.arange(1, table.num_rows), size=parts - 1, replace=False))
        names = rng.permutation(parts)
        for number, (low, high) in enumerate(zip([0, *cuts], [*cuts, table.num_rows], strict=True)):
            part = shuffled.slice(int(low), int(high - low))
            pq.write_table(part, out / path.stem / f"part-{names[number]}.parquet")
    return out
