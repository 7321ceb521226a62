"""A nightly batch, from tables to written decisions under capacities and budgets: CPU and peak memory by step.

    python benchmarks/bench_nightly.py --accounts 1000000 [--workers 2] [--data DIR] [--model DIR] [--scratch DIR]

A portfolio is simulated unless one is given, and so is a model, trained on 5,000 accounts. ``acerto decide`` then runs
shard by shard in one process, every step timed in place; and once more with ``--workers`` processes, and on a Dask
cluster of ``--dask`` workers of this machine, on the shards that are there: the file has to be the same. ``--validate``
has ``acerto validate`` before it, by parts whatever the size, and ``--validate-alone`` nothing else. Memory is
resident, of the whole process tree.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from hashlib import file_digest
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from shutil import copytree
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import psutil
import yaml
from process_tree import Run, watched

from domain.actions import ActionCatalogue, ActionsConfig
from domain.clock import parse_moment
from domain.config import load_section
from simulation.portfolio import draw_portfolio
from simulation.world import play, simulate

ROOT = Path(__file__).resolve().parents[1]
COMMAND = (sys.executable, "-c", "from cli.main import main; main()")
AS_OF = "2026-03-02T12:00:00Z"
"""When simulated portfolios end."""
SHARES = {"agent_call": 0.004, "letter": 0.01, "sms": 0.1}
"""Contacts a day that there are of these channels, of all accounts."""


def portfolio(accounts: int, out: Path) -> Path:
    """A simulated portfolio without its truth, which no batch asks for."""
    catalogue = ActionCatalogue(load_section(ROOT / "configs/actions.yaml", ActionsConfig))
    out.mkdir(parents=True)
    folk = draw_portfolio(accounts, catalogue=catalogue, rng=np.random.default_rng(0))
    play(folk, out=out, catalogue=catalogue, tell=lambda _what, _share: None)
    return out


def model_of(scratch: Path) -> Path:
    """A model trained on 5,000 accounts."""
    catalogue = ActionCatalogue(load_section(ROOT / "configs/actions.yaml", ActionsConfig))
    simulate(accounts=5_000, seed=1, out=scratch / "learned-from", catalogue=catalogue)
    options = ("train", "--data", str(scratch / "learned-from"), "--configs", str(ROOT / "configs"), "--json")
    told = subprocess.run([*COMMAND, *options], cwd=scratch, env=_environment(), capture_output=True, check=True)
    return scratch / str(json.loads(told.stdout)["bundle"])


def limited(accounts: int, out: Path) -> Path:
    """The configuration with capacities and budgets in proportion to the accounts."""
    copytree(ROOT / "configs", out)
    path = out / "decision.yaml"
    decision = yaml.safe_load(path.read_text(encoding="utf-8"))
    decision["capacities"] = {name: {"per_day": max(1, round(share * accounts))} for name, share in SHARES.items()}
    decision["budgets"] = {"contact_cost": {"per_day": 0.045 * accounts}, "discount": {"per_day": 1.0 * accounts}}
    path.write_text(yaml.safe_dump(decision, sort_keys=False), encoding="utf-8")
    return out


def stepwise(arguments: list[str]) -> None:
    """In a process of its own: the command with its steps timed, which are told as JSON."""
    from nightly_steps import Steps

    from cli.main import app

    with Steps() as steps:
        app(arguments, standalone_mode=False)
    sys.stderr.write(json.dumps({"cpu_s": dict(steps.cpu_s), "peak": dict(steps.peak)}) + "\n")


def decide(
    data: Path, model: Path, configs: Path, out: Path, *more: str, steps: bool = False, beside: Sequence[int] = ()
) -> tuple[Run, Any]:
    """One run of ``acerto decide``, and its steps where they are asked for; ``beside`` are its workers."""
    options = ["decide", "--data", str(data), "--as-of", AS_OF, "--out", str(out), "--model", str(model),
               "--configs", str(configs), "--json", *more]  # fmt: skip
    command = [sys.executable, __file__, "--steps-of", *options] if steps else [*COMMAND, *options]
    run = watched(command, cwd=ROOT, env=_environment(), beside=beside)
    return run, json.loads(run.err.splitlines()[-1]) if steps else None


def on_dask(workers: int, data: Path, model: Path, configs: Path, out: Path, *more: str) -> tuple[float, int]:
    """The same on a Dask cluster of this machine: CPU seconds of all, and the memory of all but its scheduler."""
    from distributed import LocalCluster

    before = _spent()
    with LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as cluster:
        there = [process.pid for process in psutil.Process().children()]
        run, _ = decide(data, model, configs, out, *more, "--cluster", cluster.scheduler_address, beside=there)
    return _spent() - before, run.peak


def _spent() -> float:
    """CPU seconds of this process and those that it has seen end."""
    return sum(found.ru_utime + found.ru_stime for found in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "benchmarks")))}


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def show(name: str, cpu_s: float, peak: float) -> None:
    """One line of the table."""
    print(f"| {name} | {cpu_s:.1f} | {peak / 2**30:.2f} |", flush=True)


def main() -> None:
    """Runs the batch and prints a line for each step."""
    if sys.argv[1:2] == ["--steps-of"]:
        stepwise(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--workers", type=int, default=2, help="processes of the second run; 0 for none")
    parser.add_argument("--dask", type=int, default=0, help="workers of a run on Dask; 0 for none")
    parser.add_argument("--shards", type=int, help="else about a million rows each")
    parser.add_argument("--data", type=Path, help="canonical tables instead of simulated ones")
    parser.add_argument("--model", type=Path, help="a bundle instead of one trained for this")
    parser.add_argument("--scratch", type=Path, help="where data and results go")
    parser.add_argument("--validate", action="store_true", help="have the tables validated first")
    parser.add_argument("--validate-alone", action="store_true", help="have the tables validated, and stop")
    asked = parser.parse_args()
    parse_moment(AS_OF)
    with tempfile.TemporaryDirectory(dir=asked.scratch) as folder:
        scratch = Path(folder)
        data = (asked.data or portfolio(asked.accounts, scratch / "data")).resolve()
        if asked.validate or asked.validate_alone:
            _measure_validation(data, scratch)
        if asked.validate_alone:
            return
        model = asked.model or model_of(scratch)
        _measure(asked, data, model.resolve(), scratch)


def _measure_validation(data: Path, scratch: Path) -> None:
    """Validation by parts, whatever the size of the data."""
    from features.reading_files import estimated_rows
    from features.streaming.scattered import ROWS_PER_PART

    parts = -(-estimated_rows(data) // ROWS_PER_PART)
    command = [*COMMAND, "validate", "--data", str(data), "--against", "none", "--shards", str(parts)]
    run = watched(command, cwd=ROOT, env={**_environment(), "TMPDIR": str(scratch)})
    print(f"validation of {estimated_rows(data):,} rows in {parts} parts\n| step | CPU-s | peak GiB |\n|---|---|---|")
    show("validate", run.cpu_s, run.peak)


def _measure(asked: argparse.Namespace, data: Path, model: Path, scratch: Path) -> None:
    configs, more = limited(asked.accounts, scratch / "configs"), ["--shards", str(asked.shards or _shards(data))]
    more += ["--shard-dir", str(scratch / "shards")]
    print(f"{asked.accounts:,} accounts, {more[1]} shards")
    print("| step | CPU-s | peak GiB |\n|---|---|---|")
    run, steps = decide(data, model, configs, scratch / "one.parquet", *more, steps=True)
    for name, cpu_s in sorted(steps["cpu_s"].items(), key=lambda one: -one[1]):
        show(name, cpu_s, steps["peak"].get(name, 0))
    show("decide in one process", run.cpu_s, run.peak)
    told = json.loads(run.out)
    print(f"{told['accounts']:,} decisions, {(scratch / 'one.parquet').stat().st_size / 2**20:,.0f} MiB", flush=True)
    others = {}
    if asked.workers:
        again, _ = decide(data, model, configs, scratch / "two.parquet", *more, "--workers", str(asked.workers))
        show(f"decide in {asked.workers} processes", again.cpu_s, again.peak)
        others[f"in {asked.workers} processes"] = _sha256(scratch / "two.parquet")
    if asked.dask:
        cpu_s, peak = on_dask(asked.dask, data, model, configs, scratch / "dask.parquet", *more)
        show(f"decide on Dask, {asked.dask} workers", cpu_s, peak)
        others[f"on Dask, {asked.dask} workers"] = _sha256(scratch / "dask.parquet")
    own = _sha256(scratch / "one.parquet")
    print(f"sha256 of the decisions {own}")
    for how, found in others.items():
        print(f"{how}: {'the same' if found == own else f'DIFFERENT, {found}'}")
    sys.exit(0 if {*others.values()} <= {own} else 1)


def _shards(data: Path) -> int:
    from features.reading_files import estimated_rows
    from features.shards import ROWS_PER_SHARD

    return max(1, estimated_rows(data) // ROWS_PER_SHARD)


if __name__ == "__main__":
    main()
