"""Windowed features of a simulated portfolio: our engine beside naive pandas, polars streaming and DuckDB.

    python benchmarks/bench_features.py [--accounts 6500] [--moments 1] [--rounds 3]

All sides read the same prepared events (Parquet of integers, sorted by account and time) and the same spine of accounts
and moments, use one thread, and give the same matrix, which is compared cell by cell. Rounds are interleaved in one
process; the figure is process CPU time, imports and compilation excluded. A last line is the way from canonical files.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from peers import by_duckdb, by_pandas, by_polars, since_another, supported

from domain.actions import ActionCatalogue, ActionsConfig
from domain.clock import US_PER_DAY
from domain.config import load_section
from features.batch import compute_many
from features.catalogue import CATALOGUE, INGREDIENTS
from features.definitions import Feature
from features.encoding import encode
from features.events import Events
from features.kernel import windowed
from features.plan import FACET_OF, KIND_OF, compile_plan
from features.schema import fit_schema
from features.spine import every_account
from features.tables import read_tables
from simulation.assumptions import END
from simulation.world import simulate

END_US = int(END.timestamp()) * 1_000_000
_COLUMNS = ("occurred", "known_from", "known_until", "code", "value", "day", "when")


def prepare(data: Path, out: Path, moments: int) -> tuple[Path, Path, int]:
    """Events and spine as Parquet; the spine has every account at ``moments`` moments, ninety days apart."""
    encoded = encode(read_tables(data, attributes={}), attributes={})
    events = encoded.events
    account = np.repeat(np.arange(len(encoded.account_ids), dtype=np.int32), np.diff(events.offsets))
    columns = dict(zip(_COLUMNS, events[1:], strict=True))
    own = {"facet": FACET_OF[events.code].astype(np.int8), "kind": KIND_OF[events.code].astype(np.int8)}
    place = np.arange(len(account), dtype=np.int64)
    pq.write_table(pa.table({"account": account, **columns, **own, "place": place}), out / "events.parquet")
    as_of = END_US - 90 * US_PER_DAY * np.arange(moments, dtype=np.int64)
    every = np.arange(len(encoded.account_ids), dtype=np.int32)
    rows = pa.table({"account": np.repeat(every, moments), "as_of": np.tile(as_of, len(every))})
    pq.write_table(rows, out / "spine.parquet")
    return out / "events.parquet", out / "spine.parquet", len(account)


def by_kernel(events: Path, spine: Path, features: list[Feature]) -> np.ndarray:
    """The engine on the same files; facets and kinds it knows from the codes."""
    table, rows = pq.read_table(events, columns=["account", *_COLUMNS]), pq.read_table(spine)
    account = table["account"].to_numpy()
    n_accounts = int(account[-1]) + 1 if len(account) else 0
    offsets = np.searchsorted(account, np.arange(n_accounts + 1)).astype(np.int64)
    columns = [np.array(table[name].to_numpy()) for name in _COLUMNS]
    out = np.empty((rows.num_rows, len(features)))
    asked = (np.array(rows["account"].to_numpy()), np.array(rows["as_of"].to_numpy()))
    windowed(compile_plan(features), Events(offsets, *columns), *asked, out)
    return out


def from_files(data: Path) -> np.ndarray:
    """Every feature of every account, from canonical files to the matrix."""
    encoded = encode(read_tables(data, attributes={}), attributes={})
    schema = fit_schema(encoded, attributes={})
    return compute_many(encoded, every_account(len(encoded.account_ids), as_of_us=END_US), schema)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Process CPU time of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def check_equal(name: str, ours: np.ndarray, theirs: np.ndarray, features: list[Feature]) -> None:
    """Integers to the bit, the others to rounding; a side that computes something else is no competitor."""
    for place, feature in enumerate(features):
        if feature.rule.aggregate in {"mean", "std", "recency", "age"}:  # type: ignore[union-attr]
            same = np.allclose(ours[:, place], theirs[:, place], rtol=1e-9, atol=1e-9, equal_nan=True)
        else:
            same = np.array_equal(ours[:, place], theirs[:, place], equal_nan=True)
        if not same:
            gap = np.nanmax(np.abs(ours[:, place] - theirs[:, place]))
            raise SystemExit(f"{name} disagrees on {feature.name}, by at most {gap:g}")


def main() -> None:
    """Simulate, prepare, compare, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--accounts", type=int, default=6_500)
    parser.add_argument("--moments", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args()
    features = [feature for feature in (*CATALOGUE, *INGREDIENTS) if supported(feature.rule)]
    rules = [feature.rule for feature in features]
    with tempfile.TemporaryDirectory() as folder:
        data = asked.data or Path(folder) / "data"
        if not asked.data:
            catalogue = ActionCatalogue(load_section(Path("configs/actions.yaml"), ActionsConfig))
            simulate(accounts=asked.accounts, seed=1, out=data, catalogue=catalogue)
        events, spine, size = prepare(data, Path(folder), asked.moments)
        sides: dict[str, Callable[[], np.ndarray]] = {
            "our kernel": lambda: by_kernel(events, spine, features),
            "polars, streaming": lambda: by_polars(events, spine, rules),
            "naive pandas": lambda: by_pandas(events, spine, rules),
            "DuckDB, range join and CASE": lambda: by_duckdb(events, spine, rules),
        }
        ours = sides["our kernel"]()
        for name, side in sides.items():
            check_equal(name, ours, side(), features)
        since = [feature for feature in (*CATALOGUE, *INGREDIENTS) if since_another(feature.rule)]
        by_hand = by_pandas(events, spine, [feature.rule for feature in since])
        check_equal("naive pandas", by_kernel(events, spine, since), by_hand, since)
        from_files(data)
        times: dict[str, list[float]] = {name: [] for name in (*sides, "files")}
        for _ in range(asked.rounds):
            for name, side in sides.items():
                times[name].append(cpu_seconds(side))
            times["files"].append(cpu_seconds(lambda: from_files(data)))
    report(times, size, len(ours), len(features))
    print(f"\n{len(since)} windows since another event: pandas finds the same, not timed")


def report(times: dict[str, list[float]], events: int, rows: int, features: int) -> None:
    """The table, with ratios of the same round."""
    load = os.getloadavg()[0]
    print(f"{events:,} events, {rows:,} rows, {features} windowed features, all cells equal; load {load:.1f}\n")
    print("| | CPU-s, median (all rounds) | ratio to ours | M events per CPU-s |\n|---|---|---|---|")
    for name, spent in times.items():
        if name != "files":
            ratio = np.median(np.array(spent) / np.array(times["our kernel"]))
            rounds = ", ".join(f"{one:.2f}" for one in spent)
            print(
                f"| {name} | {np.median(spent):.2f} ({rounds}) | {ratio:.1f} | {events / np.median(spent) / 1e6:.2f} |"
            )
    files = np.median(times["files"])
    print(f"\nfrom canonical files to the whole matrix, all {len(CATALOGUE)} features, one moment: {files:.2f} CPU-s")


if __name__ == "__main__":
    main()
