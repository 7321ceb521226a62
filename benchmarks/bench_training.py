"""What a training run costs beside the boosters that it grows: CPU of every step over that of ``lightgbm.train`` in it.

    OMP_WAIT_POLICY=passive python benchmarks/bench_training.py [--accounts 400] [--seed 0] [--configs DIR]
        [--data DIR] [--rows N] [--per-account N] [--without TABLE …]

One run as ``acerto train`` makes it, with evaluation, other seeds, bundle and registration in a scratch folder. The
calls of ``lightgbm.train`` are timed in place, with the binning of their data, so that both sides are of one run: the
ratio is what everything else adds, and no second machine or moment enters it. ``--rows`` bounds the rows of the
payment model, at regular moments, of which an account has ``--per-account`` at most; ``--without decisions`` is for the
payment model alone, since nothing can be learned of actions then. One thread.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from typing import Any

import lightgbm as lgb
import yaml

from domain.actions import ActionCatalogue, ActionsConfig
from domain.config import load_section
from features.config import FeaturesConfig
from features.tables import read_tables
from simulation.world import simulate
from training import registry
from training.pipeline import train
from training.runs.environment import lock


class Meter:
    """CPU seconds of each step, and of the boosters grown in it."""

    def __init__(self) -> None:
        self.whole: dict[str, float] = defaultdict(float)
        self.grown: dict[str, float] = defaultdict(float)
        self.calls: dict[str, int] = defaultdict(int)
        self.rows = 0
        self._step, self._since = "", time.process_time()
        self._train = lgb.train

    def step(self, name: str, _share: float = 0.0) -> None:
        """A step starts, and the one before ends."""
        now = time.process_time()
        if self._step:
            self.whole[self._step] += now - self._since
        self._step, self._since = name, now

    def train(self, *given: Any, **named: Any) -> lgb.Booster:
        """``lightgbm.train``, timed."""
        started = time.process_time()
        booster = self._train(*given, **named)
        self.grown[self._step] += time.process_time() - started
        self.calls[self._step] += 1
        return booster


def configured(configs: Path, folder: Path, *, rows: int | None, per_account: int) -> Path:
    """A copy of the configuration on one thread, with so many rows of the payment model where they are given."""
    shutil.copytree(configs, folder)
    settings = yaml.safe_load((folder / "training.yaml").read_text(encoding="utf-8"))
    settings["model"] |= {"threads": 1}
    if rows is not None:
        settings["sampling"] |= {"as_of": "periodic", "max_rows": rows, "max_per_account": per_account}
    (folder / "training.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return folder


def measured(data: Path, configs: Path, work: Path, *, without: Sequence[str]) -> Meter:
    """One training run, looked at."""
    meter = Meter()
    lgb.train = meter.train
    meter.step("read")
    tables = read_tables(data, attributes=load_section(configs / "features.yaml", FeaturesConfig).attributes)
    tables = replace(tables, columns={name: one for name, one in tables.columns.items() if name not in without})
    tracking = registry.Tracking(root=work / "mlruns")
    done = train(tables, configs=configs, until=None, name="bench", tracking=tracking, on_step=meter.step)
    meter.rows = int(done.evaluation["sampling"]["rows"])
    meter.step("")
    return meter


def main() -> None:
    """Prints one line for each step, and the whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--per-account", type=int, default=12)
    parser.add_argument("--without", nargs="*", default=[])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="acerto-bench-") as folder:
        data = asked.data or Path(folder) / "data"
        if asked.data is None:
            catalogue = ActionCatalogue(load_section(asked.configs / "actions.yaml", ActionsConfig))
            simulate(accounts=asked.accounts, seed=asked.seed, out=data, catalogue=catalogue)
        configs = configured(asked.configs, Path(folder) / "configs", rows=asked.rows, per_account=asked.per_account)
        found = measured(data, configs, Path(folder), without=asked.without)
    print("computed with " + ", ".join(f"{name} {version}" for name, version in lock().items()))
    print(f"{'step':<26}{'CPU-s':>9}{'in lightgbm.train':>20}{'calls':>7}{'ratio':>8}")
    for step, whole in found.whole.items():
        _line(step, whole, found.grown[step], found.calls[step])
    _line("whole run", sum(found.whole.values()), sum(found.grown.values()), sum(found.calls.values()))
    print(
        f"{found.rows} rows of the payment model, largest memory {getrusage(RUSAGE_SELF).ru_maxrss / 1024**2:.1f} GiB"
    )


def _line(step: str, whole: float, grown: float, calls: int) -> None:
    ratio = f"{whole / grown:8.2f}" if grown else f"{'–':>8}"
    print(f"{step:<26}{whole:9.2f}{grown:20.2f}{calls:7d}{ratio}")


if __name__ == "__main__":
    main()
