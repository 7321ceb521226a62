"""What holding the payment model to declared directions costs: off, basic, intermediate, advanced.

    python benchmarks/bench_monotone.py --data DIR [DIR ...]

The model of a payment within 30 days, stopped on validation rows, judged on later rows; one thread.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from bench_families import difference, payments
from sklearn.metrics import roc_auc_score

from features.encoding import encode
from features.schema import fit_schema
from features.tables import read_tables
from training.boosting import Columns, Recipe, fit_stopped, margins
from training.config import TrainingConfig


def main() -> None:
    """Fit each method on each data set, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, nargs="+", required=True)
    problems = []
    for place in parser.parse_args().data:
        encoded = encode(read_tables(place, attributes={}), attributes={})
        schema = fit_schema(encoded, attributes={})
        problems.append((payments(encoded, schema), schema))
    losses: dict[str, list[np.ndarray]] = {}
    print("| monotone | log-loss | against off, in 0.0001 | AUC | trees | CPU-s |\n|---|---|---|---|---|---|")
    for method in ("off", "basic", "intermediate", "advanced"):
        model = TrainingConfig().model.model_copy(update={"threads": 1, "monotone": method})
        losses[method], areas, trees, started = [], [], 0, time.process_time()
        for problem, schema in problems:
            columns = Columns(schema.names, schema.categorical, schema.directions)
            train, valid, test = problem.parts
            learn, stop = ((problem.values[rows], problem.target[rows]) for rows in (train, valid))
            booster = fit_stopped(Recipe("binary", model), columns, train=learn, valid=stop)
            margin, target = margins(booster, problem.values[test], threads=1), problem.target[test]
            losses[method].append(np.logaddexp(0.0, np.where(target > 0, -margin, margin)))
            areas.append(roc_auc_score(target, margin))
            trees += booster.current_iteration()
        spent = time.process_time() - started
        pairs = [
            (ours - theirs, problem.debtor[problem.parts[2]])
            for ours, theirs, (problem, _) in zip(losses[method], losses["off"], problems, strict=True)
        ]
        mean, half = difference(pairs)
        loss = np.concatenate(losses[method]).mean()
        print(
            f"| {method} | {loss:.4f} | {1e4 * mean:+.1f} ± {1e4 * half:.1f} | {np.mean(areas):.4f} | "
            f"{trees // len(problems)} | {spent:.1f} |"
        )


if __name__ == "__main__":
    main()
