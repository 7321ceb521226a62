"""One booster of the payment model grown by this process, and by workers together: CPU, time, ranking, the same bytes.

    OMP_WAIT_POLICY=passive python benchmarks/bench_workers.py [--rows 200000] [--features 200] [--workers 2]
        [--times 3]

Rows are made up, with missing values and a category; a fifth of them, of other debtors, is held out. Each side grows a
fixed number of trees on one thread a process. CPU of workers is that of their whole life, starting included.
"""

from __future__ import annotations

import argparse
import logging
import time
from dataclasses import dataclass
from hashlib import sha256
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from training.boosting import Columns, Recipe
from training.config import ModelConfig
from training.growing.growers import Workers, growing
from training.metrics import auc

Floats = npt.NDArray[np.float64]
_RECIPE = Recipe("binary", ModelConfig(threads=1))
_ROUNDS = 150


@dataclass(frozen=True)
class World:
    """Made-up rows, labels and debtors; the last fifth is held out."""

    values: Floats
    paid: Floats
    debtor: npt.NDArray[np.int32]

    @classmethod
    def of(cls, rows: int, features: int) -> World:
        """A world of so many rows; every tenth feature tells something."""
        rng = np.random.default_rng(0)
        values = rng.normal(size=(rows, features))
        values[rng.random((rows, features)) < 0.1] = np.nan
        values[:, 1] = rng.integers(0, 12, rows)
        score = np.nan_to_num(values[:, ::10]) @ rng.normal(size=len(range(0, features, 10))) / 4
        score += 0.8 * np.isin(values[:, 1], (2, 7)) - 1.0
        paid = (rng.random(rows) < 1 / (1 + np.exp(-score))).astype(np.float64)
        return cls(values, paid, (np.arange(rows) // 5).astype(np.int32))


def grown(world: World, on: Workers | None) -> lgb.Booster:
    """One booster on the first four fifths of the rows."""
    columns = Columns(tuple(f"f{number}" for number in range(world.values.shape[1])), (1,))
    rows = np.arange(len(world.paid) * 4 // 5)
    with growing(world.values, world.debtor, on=on) as grower:
        return grower.of_rounds(_RECIPE, columns, paid=world.paid, rows=rows, rounds=_ROUNDS)


def cpu() -> float:
    """CPU seconds of this process and of those that it has started and ended."""
    return sum(found.ru_utime + found.ru_stime for found in map(getrusage, (RUSAGE_SELF, RUSAGE_CHILDREN)))


def main() -> None:
    """Prints one line for each time and side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--features", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    logging.getLogger("distributed").setLevel(logging.ERROR)
    world = World.of(asked.rows, asked.features)
    test = np.arange(asked.rows * 4 // 5, asked.rows)
    print(f"{'grown by':<16}{'CPU-s':>8}{'s':>8}{'AUC':>9}  trees")
    for on in (None, Workers(1), Workers(asked.workers)):
        for _ in range(asked.times):
            started, spent = time.perf_counter(), cpu()
            booster = grown(world, on)
            spent, took = cpu() - spent, time.perf_counter() - started
            found = auc(world.paid[test], booster.predict(world.values[test]), np.ones(len(test)))
            text = booster.model_to_string().split("\nparameters:")[0]
            who = "this process" if on is None else f"{on.count} workers"
            print(f"{who:<16}{spent:8.1f}{took:8.1f}{found:9.4f}  {sha256(text.encode()).hexdigest()[:12]}")


if __name__ == "__main__":
    main()
