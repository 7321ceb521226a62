"""Off-policy evaluation of a plain table: time from file to verdict, and how often intervals hold the truth.

    python benchmarks/bench_ope.py [--rows 1000000] [--logs 1000]

The table has four actions, five covariates and three policies, rows of debtors with four decisions each. Coverage is
over logs of which the true value is known, at two sizes.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from training.ope import estimators
from training.ope.estimators import Log, Target
from training.ope.outcome import cross_fitted, folds_of
from training.ope.table import read_log
from training.ope.verdict import evaluate

ACTIONS = np.array(["wait/none/any", "sms/none/morning", "email/none/morning", "agent_call/none/morning"])
EFFECTS = np.array([0.0, 4.0, -3.0, 1.0])


def write(path: Path, rows: int, *, covariates: int) -> None:
    """A log of a policy that mostly waits, and of three policies to evaluate."""
    rng = np.random.default_rng(0)
    chances = np.array([0.85, 0.05, 0.05, 0.05])
    action = rng.choice(4, p=chances, size=rows)
    x = rng.normal(size=(rows, covariates))
    columns = {
        "decision_id": pa.array([f"d{number:08d}" for number in range(rows)]),
        "debtor_id": pa.array([f"p{number // 4:08d}" for number in range(rows)]),
        "action": pa.array(ACTIONS[action]),
        "action_prob": pa.array(chances[action]),
        "reward": pa.array(x.sum(axis=1) + EFFECTS[action] + rng.gamma(1.0, 10.0, rows)),
        **{f"pi_{name}": pa.array((action == place) * 1.0) for place, name in ((1, "sms"), (2, "email"), (3, "call"))},
        **{f"x_{number}": pa.array(x[:, number]) for number in range(covariates)},
    }
    pq.write_table(pa.table(columns), path)


def speed(rows: int) -> None:
    """Seconds of the process for each step, and the peak of its memory."""
    for covariates in (0, 5):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "log.parquet"
            write(path, rows, covariates=covariates)
            started = time.process_time()
            plain = read_log(path)
            read = time.process_time()
            targets = plain.targets()
            fitted = time.process_time()
            found = evaluate(plain.log, targets)
            done = time.process_time()
        steps = {"read and check": read - started, "outcome model": fitted - read, "estimate": done - fitted}
        told = ", ".join(f"{name} {seconds:.2f}" for name, seconds in steps.items())
        verdicts = {name: result.verdict for name, result in found.policies.items()}
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{rows:,} rows, {covariates} covariates: {done - started:.2f} CPU-s ({told}), {peak:.1f} GiB, {verdicts}"
        )


def coverage(logs: int, debtors: int) -> None:
    """Share of logs whose 95 % interval holds the true value of a policy, and the bias and spread of each estimate."""
    estimates: dict[str, list[tuple[float, float, bool]]] = {}
    for number in range(logs):
        log, target = _simulated(np.random.default_rng([1, number]), debtors)
        weight = estimators.weights(log, target)
        alone = np.arange(len(log))
        found = {
            "IPS": estimators.ips(log, weight),
            "SNIPS": estimators.snips(log, weight),
            "DR": estimators.doubly_robust(log, target, weight),
            "DR, rows taken as independent": estimators.mean_of(estimators.dr_scores(log, target, weight), alone),
        }
        for name, estimate in found.items():
            holds = estimate.low <= TRUTH <= estimate.high
            estimates.setdefault(name, []).append((estimate.value, estimate.se, holds))
    for name, rows in estimates.items():
        value, se, holds = np.array(rows).T
        print(
            f"{debtors} debtors, {logs} logs, {name}: coverage {holds.mean():.3f}, bias {value.mean() - TRUTH:+.3f}, "
            f"sd {value.std():.3f}, mean se {se.mean():.3f}"
        )


TRUTH = 10.0 + 0.95 * EFFECTS[1] + 0.05 * float(EFFECTS[[0, 2, 3]].mean())
"""Of the policy below: an SMS in 95 of 100, else one of the others."""


def _simulated(rng: np.random.Generator, debtors: int) -> tuple[Log, Target]:
    cluster = np.repeat(np.arange(debtors), rng.integers(1, 5, size=debtors))
    trait = rng.gamma(2.0, 5.0, size=debtors)[cluster]
    x = trait + rng.normal(size=len(cluster))
    chances = np.full((len(cluster), 4), 0.05)
    chances[np.arange(len(cluster)), np.where(x > 10.0, 3, 0)] += 0.8
    action = (rng.random(len(cluster))[:, None] > chances.cumsum(axis=1)).sum(axis=1)
    reward = trait + EFFECTS[action] + rng.gamma(1.0, 8.0, size=len(cluster)) - 8.0
    rows = np.arange(len(cluster))
    pi = np.where(action == 1, 0.95, 0.05 / 3)
    q = cross_fitted(x[:, None], reward, folds_of(cluster))
    return Log(chances[rows, action], reward, cluster), Target(pi, q, q)


def main() -> None:
    """Print both measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--logs", type=int, default=1_000)
    arguments = parser.parse_args()
    speed(arguments.rows)
    for debtors in (400, 1_500):
        coverage(arguments.logs, debtors)


if __name__ == "__main__":
    main()
