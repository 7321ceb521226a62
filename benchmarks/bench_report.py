"""How long the report of 100,000 held-out rows takes, and how large it is.

    python benchmarks/bench_report.py --bundle mlruns/bundles/1 [--rows 100000]

The rows of a trained bundle are drawn again, by whole rows, until there are so many; each draw has a debtor of its own.
Features are those of the bundle, SHAP is of its sample. Wall and CPU seconds of the process, and bytes of each file.
"""

from __future__ import annotations

import argparse
import io
import os
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "2")

import numpy as np

from decisioning.desk import load_desk
from decisioning.integrity import read_files, write_files
from training.reporting.held_out_files import ROWS
from training.reporting.policy import load_owner, load_policy
from training.reporting.report import write_report

_LIMIT_SECONDS, _LIMIT_BYTES = 120, 5_000_000


def enlarged(bundle: Path, folder: Path, *, rows: int) -> Path:
    """A copy of a bundle with so many held-out rows."""
    manifest, contents = read_files(bundle)
    name = f"evaluation/{ROWS}"
    if name not in contents:
        raise SystemExit(f"{bundle} keeps no rows for the report; train it again with this version")
    with np.load(io.BytesIO(contents[name]), allow_pickle=False) as found:
        arrays = {key: found[key] for key in found.files}
    drawn = np.sort(np.random.default_rng(0).integers(0, len(arrays["paid"]), size=rows))
    arrays = {key: values[drawn] for key, values in arrays.items()}
    arrays["debtor"] = np.arange(rows, dtype=np.int32)
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    identity = {key: manifest[key] for key in ("version", "trained_at", "model_hash")}
    write_files(folder / "bundle", {**contents, name: file.getvalue()}, identity=identity)
    return folder / "bundle"


def main() -> None:
    """Measure once, and say whether the limits are kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        bundle = enlarged(given.bundle, Path(scratch), rows=given.rows)
        wall, cpu = time.perf_counter(), time.process_time()
        write_report(
            bundle, Path(scratch) / "report", policy=load_policy(given.configs), owner=load_owner(given.configs),
            desk=load_desk(given.configs),
        )  # fmt: skip
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(f"{given.rows:,} rows: {wall:.1f} s, {cpu:.1f} CPU-s (limit {_LIMIT_SECONDS} s)")
        for kind in ("html", "pdf", "json"):
            size = (Path(scratch) / "report" / f"report.{kind}").stat().st_size
            print(
                f"report.{kind}: {size / 1e6:.2f} MB" + (f" (limit {_LIMIT_BYTES / 1e6:.0f})" if kind == "html" else "")
            )


if __name__ == "__main__":
    main()
