"""Contributions and scores of LightGBM models beside LightGBM's own, and explanations of a million accounts.

    python benchmarks/bench_shap.py [--model FILE ...] [--rows 20000] [--million 1000000] [--rounds 5]

Models of 300 trees and 140 features, ten of them categories, missing values in 29 columns; ``--model`` adds
boosters in LightGBM's text form, such as ``payment_30d.txt`` of a bundle. Process CPU time of both sides, one thread,
in turn in one process; the median of the rounds. LightGBM gets a twentieth of the calls where it takes seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import lightgbm as lgb
import numpy as np

from decisioning.tree_shap import ByBooster, CandidateShap, TreeShap, disagreement, probes

FEATURES, CATEGORICAL, ACTION = 140, 10, 4
SHAPES = {"15 leaves, depth 4": (15, 4), "31 leaves, depth 6": (31, 6), "63 leaves, depth 8": (63, 8)}
Floats = np.ndarray


def world(rows: int, seed: int) -> Floats:
    """Synthetic features; the last four vary by candidate."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, FEATURES))
    values[:, :CATEGORICAL] = rng.integers(0, [4, 6, 8, 10, 12, 20, 30, 50, 100, 150], size=(rows, CATEGORICAL))
    holes = rng.choice(np.arange(CATEGORICAL, FEATURES - ACTION), size=29, replace=False)
    values[:, holes] = np.where(rng.random((rows, len(holes))) < 0.2, np.nan, values[:, holes])
    values[:, -ACTION:] = rng.integers(0, 6, size=(rows, ACTION))
    return values


def grown(leaves: int, depth: int) -> lgb.Booster:
    """A booster of 300 trees on rows like those it will be asked about."""
    values = world(20_000, 1)
    rng = np.random.default_rng(2)
    known = np.nan_to_num(values)
    score = known[:, CATEGORICAL:] @ rng.normal(size=FEATURES - CATEGORICAL) * 0.2 + known[:, 3] * 0.1
    score += known[:, 20] * known[:, 21] + known[:, -1] * known[:, 22] * 0.2
    labels = rng.random(len(values)) < 1 / (1 + np.exp(-score))
    named = {
        "objective": "binary", "num_leaves": leaves, "max_depth": depth, "learning_rate": 0.05, "num_threads": 1,
        "verbosity": -1, "seed": 1, "deterministic": True, "force_row_wise": True,
    }  # fmt: skip
    return lgb.train(named, lgb.Dataset(values, labels, categorical_feature=list(range(CATEGORICAL))), 300)


def cpu_us(call: Callable[[], object], times: int) -> float:
    """CPU microseconds of one call."""
    start = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - start) / times * 1e6


def side_by_side(ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int) -> tuple[float, float]:
    """Median CPU microseconds of a call, both sides in turn."""
    ours(), theirs()
    once = cpu_us(theirs, 1)
    found = [(cpu_us(ours, max(1, int(4e5 / once))), cpu_us(theirs, max(1, int(2e4 / once)))) for _ in range(rounds)]
    return statistics.median(us for us, _ in found), statistics.median(us for _, us in found)


def of_rows(booster: lgb.Booster, values: Floats, *, most: int, rounds: int) -> None:
    """Prints contributions and scores by number of rows."""
    explainer = TreeShap.of(booster)
    for rows in (1, 48, 1_000, most):
        some = values[:rows]
        few = 1 if rows > 1_000 else rounds
        shap = side_by_side(
            lambda: explainer.contributions(some),  # noqa: B023  (called before the next round)
            lambda: booster.predict(some, pred_contrib=True, num_threads=1),  # noqa: B023
            rounds=few,
        )
        score = side_by_side(
            lambda: explainer.margins(some),  # noqa: B023
            lambda: booster.predict(some, raw_score=True, num_threads=1),  # noqa: B023
            rounds=rounds,
        )
        cells = [f"{one / rows:.1f} | {other / rows:.1f} | **{other / one:.1f}**" for one, other in (shap, score)]
        print(f"| {rows:,} | {' | '.join(cells)} |", flush=True)


def of_candidates(booster: lgb.Booster, values: Floats, *, rounds: int) -> None:
    """Prints 48 candidates of one account, and the difference of two."""
    columns = list(range(values.shape[1] - ACTION, values.shape[1]))
    explainer, row = CandidateShap.of(booster, columns), values[0]
    options = values[:48, columns]
    each = np.repeat(row[None], 48, axis=0)
    each[:, columns] = options
    moving = len(explainer.moving.shape.forest.first) - 1
    whole = side_by_side(
        lambda: explainer.contributions(row, options),
        lambda: booster.predict(each, pred_contrib=True, num_threads=1),
        rounds=rounds,
    )
    gap = side_by_side(
        lambda: explainer.difference(row, options[0], options[1]),
        lambda: np.subtract(*booster.predict(each[:2], pred_contrib=True, num_threads=1)),
        rounds=rounds,
    )
    for name, (one, other) in (("48 candidates", whole), ("difference of two", gap)):
        print(f"| {name} ({moving} of {booster.num_trees()} trees) | {one:.0f} | {other:.0f} | **{other / one:.0f}** |")


def report(name: str, booster: lgb.Booster, values: Floats, asked: argparse.Namespace) -> None:
    """Everything about one model."""
    start = time.process_time()
    tracemalloc.start()
    explainer = TreeShap.of(booster)
    size, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    built = time.process_time() - start
    gap = disagreement(explainer, ByBooster(booster, reason="kind"), np.concatenate([values[:200], probes(explainer)]))
    print(f"\n**{name}**, {booster.num_trees()} trees: largest difference {gap:.1e}; read in {built:.2f} CPU-s")
    print(f"(with memory traced), {size / 2**20:.2f} MiB kept, {peak / 2**20:.1f} MiB while reading\n")
    print("| rows | contributions, µs a row | LightGBM | ratio | score, µs a row | LightGBM | ratio |")
    print("|---|---|---|---|---|---|---|")
    of_rows(booster, values, most=asked.rows, rounds=asked.rounds)
    print("\n| one account | µs | LightGBM, µs | ratio |\n|---|---|---|---|")
    of_candidates(booster, values, rounds=asked.rounds)
    start = time.process_time()
    for begin in range(0, asked.million, len(values)):
        explainer.contributions(values[: asked.million - begin])
    print(f"\n{asked.million:,} accounts explained in {time.process_time() - start:.1f} CPU-s")


def resampled(booster: lgb.Booster, rows: int) -> Floats:
    """Rows for a booster whose data are not at hand, column by column from the rows it is tried on."""
    drawn = probes(TreeShap.of(booster))
    rng = np.random.default_rng(5)
    return np.column_stack([drawn[rng.integers(len(drawn), size=rows), column] for column in range(drawn.shape[1])])


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, nargs="*", default=[])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--million", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    for path in asked.model:
        booster = lgb.Booster(model_file=str(path))
        report(path.name, booster, resampled(booster, asked.rows), asked)
    for name, (leaves, depth) in SHAPES.items():
        report(name, grown(leaves, depth), world(asked.rows, 9), asked)


if __name__ == "__main__":
    main()
