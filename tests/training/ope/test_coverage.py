"""How often the interval of DR holds the true value, over many simulated logs of dependent decisions."""

from __future__ import annotations

import numpy as np
from strategies import examples

from training.ope import estimators

LOGS = examples(600)
SEED = 20
DEBTORS = 1_500
"""3,750 decisions. Smaller logs fall a little short, since weights are skewed (docs/evaluation.md)."""


def test_the_interval_of_dr_holds_the_truth_in_93_to_97_percent_of_logs(world):
    hits = 0
    for number in range(LOGS):
        made = world(np.random.default_rng([SEED, number]), debtors=DEBTORS)
        found = estimators.doubly_robust(made.log, made.target, estimators.weights(made.log, made.target))
        hits += found.low <= made.truth <= found.high
    # An interval that holds 95 % stays within two points, 2.2 standard errors of 600 logs, in 97 of 100 seeds.
    assert 0.93 <= hits / LOGS <= 0.97
