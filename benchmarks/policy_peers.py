"""EconML and causalml on the rows that a benchmark exported; runs where they are installed, apart from the project.

    python benchmarks/policy_peers.py NAME ROWS.npz OUT.npz

``rows.npz`` holds ``x`` (n, k), ``treatment`` (n,) with 0 for waiting, ``share`` (n,) of what was due that came back,
``chance`` (n,) the logged probability, ``judge`` (m, k), and ``arms``, the number T of them. Written are
``effect`` (m, T) on that share, and CPU seconds.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import numpy as np
from lightgbm import LGBMClassifier, LGBMRegressor

TREES: dict[str, Any] = {"n_estimators": 100, "num_leaves": 15, "min_child_samples": 20, "n_jobs": 1, "verbosity": -1}
"""More regular than the default of 31 leaves: with a few dozen rows per arm that is to the peers' advantage."""


def causalml(name: str, rows: dict[str, Any]) -> np.ndarray:
    """(m, T) effects of an S-, T- or X-learner; the last one is given the logged probabilities."""
    from causalml.inference import meta

    learner = {"S": meta.BaseSRegressor, "T": meta.BaseTRegressor, "X": meta.BaseXRegressor}[name](
        LGBMRegressor(**TREES), control_name=0
    )
    treatment, arms = rows["treatment"], np.unique(rows["treatment"])[1:]
    if name == "X":
        # Of an arm against waiting: the logged probability where the arm was taken, its mean elsewhere.
        taken = {arm: np.where(treatment == arm, rows["chance"], _mean(rows, arm)) for arm in arms}
        waited = np.where(treatment == 0, rows["chance"], _mean(rows, 0))
        against = {arm: np.clip(taken[arm] / (taken[arm] + waited), 0.01, 0.99) for arm in arms}
        learner.fit(rows["x"], treatment, rows["share"], p=against)
        judge = {arm: np.full(len(rows["judge"]), against[arm].mean()) for arm in arms}
        found = learner.predict(rows["judge"], p=judge)
    else:
        learner.fit(rows["x"], treatment, rows["share"])
        found = learner.predict(rows["judge"])
    return _all(found, arms, int(rows["arms"]))


def _mean(rows: dict[str, Any], arm: int) -> float:
    return max(float((rows["treatment"] == arm).mean()), 1e-3)


def econml(rows: dict[str, Any]) -> np.ndarray:
    """(m, T) effects of the DR-learner; it estimates propensities itself, as it takes none."""
    from econml.dr import DRLearner

    learner = DRLearner(
        model_propensity=LGBMClassifier(**{**TREES, "n_estimators": 20}),
        model_regression=LGBMRegressor(**TREES),
        model_final=LGBMRegressor(**TREES),
        min_propensity=0.01, cv=2, random_state=0,
    )  # fmt: skip
    learner.fit(rows["share"], rows["treatment"], X=rows["x"])
    arms = np.unique(rows["treatment"])[1:]
    found = np.column_stack([learner.effect(rows["judge"], T0=0, T1=arm).ravel() for arm in arms])
    return _all(found, arms, int(rows["arms"]))


def _all(found: np.ndarray, arms: np.ndarray, total: int) -> np.ndarray:
    """Effects of all arms: 0 for waiting, −∞ for arms that the log does not hold."""
    table = np.full((len(found), total), -np.inf)
    table[:, 0] = 0.0
    table[:, arms] = found
    return table


def main() -> None:
    """Fit one peer and write its effects."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["DR", "S", "T", "X"])
    parser.add_argument("rows")
    parser.add_argument("out")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    rows = dict(np.load(arguments.rows))
    started = time.process_time()
    effect = econml(rows) if arguments.name == "DR" else causalml(arguments.name, rows)
    np.savez(arguments.out, effect=effect, seconds=time.process_time() - started)


if __name__ == "__main__":
    sys.exit(main())
