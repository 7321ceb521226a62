"""Is it one model? The same data in other files and row orders, trained again and again on one and two threads.

    OMP_WAIT_POLICY=passive python benchmarks/soak_reproduce.py [--runs 20] [--accounts 400] [--seed 3] [--configs DIR]

Each run is made on one thread and on two, from files of its own: every table is shuffled and cut into one to four
parts whose names tell no order. All must give one canonical model hash and one fingerprint of the data. Portfolio and
boosters are small, for the time that it takes; learners, features and configurations are those of ``--configs``.
Exit code 1 where there is more than one. Without the passive policy, threads that wait spin: on cores that others use
as well two of them take several times as long.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scattered import scatter

from domain.actions import ActionCatalogue, ActionsConfig
from domain.config import load_section
from features.config import FeaturesConfig
from features.tables import read_tables
from simulation.world import simulate
from training.pipeline import retrain
from training.runs.environment import lock
from training.runs.fingerprint import data_summary

THREADS = (1, 2)
ROUNDS, LEAVES, ROWS = 20, 7, 3_000
HORIZONS = (7, 30)


@dataclass(frozen=True, slots=True)
class Made:
    """One training: on how many threads, what it made, and of which data."""

    threads: int
    model_hash: str
    data: str


def small_configs(source: Path, out: Path, *, threads: int) -> Path:
    """A copy of the configurations with smaller boosters, fewer rows and two horizons."""
    shutil.copytree(source, out)
    _change(out / "training.yaml", "model", {"max_rounds": ROUNDS, "max_leaves": LEAVES, "threads": threads})
    _change(out / "training.yaml", "sampling", {"max_rows": ROWS})
    (out / "decision.yaml").write_text(f"horizon_days: {list(HORIZONS)}\n", encoding="utf-8")
    return out


def _change(path: Path, section: str, values: dict[str, Any]) -> None:
    settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    settings[section] = {**settings.get(section, {}), **values}
    path.write_text(yaml.safe_dump(settings), encoding="utf-8")


def trainings(data: Path, work: Path, *, runs: int, configs: Path, seed: int) -> Iterator[Made]:
    """Each run on each number of threads, as it ends."""
    rng = np.random.default_rng(seed)
    used = {threads: small_configs(configs, work / f"configs-{threads}", threads=threads) for threads in THREADS}
    attributes = load_section(configs / "features.yaml", FeaturesConfig).attributes
    for number in range(runs):
        for threads in THREADS:
            files = scatter(data, work / f"data-{number}-{threads}", rng=rng)
            tables = read_tables(files, attributes=attributes)
            bundle = retrain(tables, work / f"bundle-{number}-{threads}", configs=used[threads], until=None)
            yield Made(threads, bundle.model_hash, str(data_summary(tables)["sha256"]))
            shutil.rmtree(files)


def main() -> int:
    """Prints each training and how many models there were."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--accounts", type=int, default=400)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    asked = parser.parse_args()
    catalogue = ActionCatalogue(load_section(asked.configs / "actions.yaml", ActionsConfig))
    print("computed with " + ", ".join(f"{name} {version}" for name, version in lock().items()))
    print(f"{asked.accounts} accounts, seed {asked.seed}; {ROUNDS} rounds, {LEAVES} leaves, horizons {HORIZONS}")
    with tempfile.TemporaryDirectory(prefix="acerto-soak-") as folder:
        data, found = Path(folder) / "data", []
        simulate(accounts=asked.accounts, seed=asked.seed, out=data, catalogue=catalogue)
        for made in trainings(data, Path(folder), runs=asked.runs, configs=asked.configs, seed=asked.seed):
            found.append(made)
            print(f"{len(found):3d}  threads {made.threads}  model {made.model_hash[:16]}  data {made.data[:16]}")
            sys.stdout.flush()
    models, datas = {made.model_hash for made in found}, {made.data for made in found}
    print(f"{len(found)} trainings, each from shuffled files: {len(models)} model(s), {len(datas)} fingerprint(s)")
    return 0 if len(models) == len(datas) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
