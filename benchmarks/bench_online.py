"""One account online: from the bytes of a request to its feature vector, beside reading the same bytes as JSON.

    python benchmarks/bench_online.py [--calls 2000] [--data DIR]

Bodies are accounts of a simulated portfolio with about 200 and 2,000 events (several accounts' events joined under one,
where none has so many), all tables and columns as a platform would send them. Calls are interleaved with ``json.loads``
of the same bytes; the ratio is of medians of CPU time. The parts are timed by themselves, and so is the first call
after ``warm_up`` in a new process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from cli.ledger import ledger_json
from domain.actions import ActionCatalogue, ActionsConfig
from domain.config import load_section
from domain.tables import TABLES, Tables
from features.batch import compute_many
from features.config import Attribute
from features.encoding import encode
from features.online import compute_one, ledger_encoded, warm_up
from features.schema import FeatureSchema, fit_schema
from features.spine import Spine
from features.tables import read_tables
from simulation.assumptions import END
from simulation.world import simulate

ATTRIBUTES = {"income": Attribute(kind="numeric"), "employment": Attribute(kind="categorical")}
END_US = int(END.timestamp()) * 1_000_000


def sizes(tables: Tables) -> dict[str, int]:
    """Events of each account, over all tables that have any."""
    found: dict[str, int] = {}
    for table in TABLES:
        if table not in ("accounts", "decisions") and tables.has(table):
            ids = tables.text(table, "account_id")
            for code, count in enumerate(np.bincount(ids.codes[ids.codes >= 0], minlength=len(ids.values))):
                found[ids.values[code]] = found.get(ids.values[code], 0) + int(count)
    return found


def body_of(tables: Tables, wanted: int) -> dict[str, Any]:
    """A ledger of about so many events; where no account has them, those of the next accounts are added to it."""
    by_size = sorted(sizes(tables).items(), key=lambda pair: (abs(pair[1] - min(wanted, 200)), pair[0]))
    ledger, size = ledger_json(tables, by_size[0][0], before_us=END_US), by_size[0][1]
    for name, count in by_size[1:]:
        if size + count > wanted:
            break
        for table, rows in ledger_json(tables, name, before_us=END_US).items():
            if isinstance(rows, list):
                ledger[table] += rows
        size += count
    return ledger


def cpu_us(work: Callable[[], object]) -> float:
    """CPU time of a call in microseconds."""
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e3


def measured(body: bytes, schema: FeatureSchema, calls: int) -> dict[str, list[float]]:
    """CPU and wall times of every part, interleaved."""
    ledger = json.loads(body)
    encoded, spine = ledger_encoded(ledger, schema=schema, others=[]), Spine(np.zeros(1, np.int32), np.array([END_US]))
    works: dict[str, Callable[[], object]] = {
        "json.loads": lambda: json.loads(body),
        "ledger to arrays": lambda: ledger_encoded(ledger, schema=schema, others=[]),
        "arrays to features": lambda: compute_many(encoded, spine, schema),
        "bytes to features": lambda: compute_one(json.loads(body), as_of=END, schema=schema, others=[]),
    }
    times: dict[str, list[float]] = {name: [] for name in (*works, "wall")}
    for _ in range(calls):
        for name, work in works.items():
            wall = time.perf_counter_ns()
            times[name].append(cpu_us(work))
            if name == "bytes to features":
                times["wall"].append((time.perf_counter_ns() - wall) / 1e3)
    return times


def first_call(path: Path, schema: Path) -> float:
    """Milliseconds of the first request in a process that has only been warmed up."""
    code = (
        "import json, sys, time; from pathlib import Path; from features.schema import FeatureSchema\n"
        "from features.online import compute_one, warm_up; from simulation.assumptions import END\n"
        "schema = FeatureSchema.from_json(json.loads(Path(sys.argv[2]).read_text())); warm_up(schema, as_of=END)\n"
        "body = Path(sys.argv[1]).read_bytes(); start = time.perf_counter()\n"
        "compute_one(json.loads(body), as_of=END, schema=schema, others=[]); print(time.perf_counter() - start)"
    )
    asked = [sys.executable, "-c", code, str(path), str(schema)]
    return 1e3 * float(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Simulate, measure, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--data", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = asked.data or Path(folder) / "data"
        if not asked.data:
            catalogue = ActionCatalogue(load_section(Path("configs/actions.yaml"), ActionsConfig))
            simulate(accounts=1_000, seed=1, out=data, catalogue=catalogue)
        tables = read_tables(data, attributes=ATTRIBUTES)
        schema = fit_schema(encode(tables, attributes=ATTRIBUTES), attributes=ATTRIBUTES)
        warm_up(schema, as_of=END)
        print(f"{len(schema.names)} features; load {os.getloadavg()[0]:.1f}\n")
        print("| | p50 CPU µs | p99 CPU µs | ratio of p50 to json.loads |\n|---|---|---|---|")
        for wanted in (200, 2_000):
            ledger = body_of(tables, wanted)
            events = sum(len(rows) for rows in ledger.values() if isinstance(rows, list))
            body = json.dumps(ledger).encode()
            times = measured(body, schema, asked.calls)
            base = np.median(times["json.loads"])
            for name, spent in times.items():
                title = f"{events} events, {len(body) // 1024} KiB: {name}" + (" clock" if name == "wall" else "")
                middle, late = np.percentile(spent, [50, 99])
                print(f"| {title} | {middle:.0f} | {late:.0f} | {middle / base:.2f} |")
        path, kept = Path(folder) / "body.json", Path(folder) / "schema.json"
        path.write_bytes(body)
        kept.write_text(json.dumps(schema.to_json()))
        print(f"\nfirst call of a new process after warm_up, {events} events: {first_call(path, kept):.1f} ms")


if __name__ == "__main__":
    main()
