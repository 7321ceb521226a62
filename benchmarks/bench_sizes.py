"""Memory and time of the feature matrix as data grow: the command ``acerto features`` on a portfolio repeated.

    python benchmarks/bench_sizes.py [--times 1 4 16] [--workers 1] [--accounts 6500 | --data DIR] [--scratch DIR]

A simulated portfolio of about 1 M events is repeated with renamed ids. Each size is run twice, with the shards made and
with the shards kept. Memory is the largest sum of resident memory over the process tree, CPU that of all processes.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import duckdb
from process_tree import Run, watched

from domain.actions import ActionCatalogue, ActionsConfig
from domain.config import load_section
from domain.tables import TABLES
from features.encoding import encode
from features.tables import read_tables
from simulation.judge import end_of
from simulation.world import simulate

ROOT = Path(__file__).resolve().parents[1]
COMMAND = "from cli.main import main; main()"


def repeat(base: Path, folder: Path, times: int) -> None:
    """The portfolio ``times`` over: every id, of whatever table, gets the number of the copy behind it."""
    folder.mkdir(parents=True)
    with duckdb.connect(config={"memory_limit": "1GB", "temp_directory": str(folder / ".spill")}) as connection:
        for table, spec in TABLES.items():
            source = base / f"{table}.parquet"
            if source.is_file():
                names = connection.sql(f"SELECT * FROM read_parquet('{source}') LIMIT 0").columns
                ids = [c.name for c in spec.columns if c.kind == "id" and c.name in names]
                renamed = ", ".join(f"{name} || '~' || copy AS {name}" for name in ids)
                connection.execute(
                    f"COPY (SELECT t.* REPLACE ({renamed}) FROM range({times}) AS c(copy), '{source}' AS t) "
                    f"TO '{folder / f'{table}.parquet'}' (FORMAT parquet)"
                )


def run(data: Path, shard_dir: Path, as_of: str, *, workers: int) -> Run:
    """Runs the command and watches its process tree."""
    options = ["--data", data, "--as-of", as_of, "--out", data / "matrix.parquet", "--json", "--workers", workers]
    arguments = [sys.executable, "-c", COMMAND, "features", *map(str, options), "--shard-dir", str(shard_dir)]
    return watched(arguments, cwd=ROOT)


def portfolio(accounts: int, folder: Path) -> Path:
    """A simulated portfolio on disk."""
    catalogue = ActionCatalogue(load_section(ROOT / "configs/actions.yaml", ActionsConfig))
    simulate(accounts=accounts, seed=0, out=folder, catalogue=catalogue, on_step=None)
    return folder


def main() -> None:
    """Runs every size and prints one line of a table for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, nargs="+", default=[1, 4, 16], help="copies; 52 give 50 M events")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--accounts", type=int, default=6_500)
    parser.add_argument("--data", type=Path, help="a portfolio to repeat, instead of a simulated one")
    parser.add_argument("--scratch", type=Path, help="where the repeated data go; about 25 MB per M events")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        folder = Path(scratch)
        base = options.data or portfolio(options.accounts, folder / "base")
        as_of = end_of(base).isoformat()
        events = len(encode(read_tables(base, attributes={}), attributes={}).events.code)
        print("| events | rows | shards | wall s | CPU-s | events per CPU-s | rows per CPU-s | peak GiB |")
        print("|---|---|---|---|---|---|---|---|")
        for times in options.times:
            data = folder / f"x{times}"
            repeat(base, data, times)
            for made in ("made", "kept"):
                done = run(data, folder / "shards", as_of, workers=options.workers)
                told = json.loads(done.out)
                all_events, rows, shards = events * times, told["input_rows"], told["shards"]
                per_second = f"{all_events / done.cpu_s:,.0f} | {rows / done.cpu_s:,.0f}"
                size = f"{all_events:,} | {rows:,} | {shards} {made}"
                print(
                    f"| {size} | {done.wall_s:.0f} | {done.cpu_s:.1f} | {per_second} | {done.peak / 2**30:.2f} |",
                    flush=True,
                )
            shutil.rmtree(data)


if __name__ == "__main__":
    main()
