"""Probabilities of logged actions estimated from the log itself: only where somebody asks for it, and then marked.

In simulated logs with known truth they biased IPS by several times the uplift, and DR a little; a policy that knew more
than the covariates given here makes every figure wrong, and nothing in the log shows it (docs/adr/0004).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.ope.estimators import Floats, Int64s, Log
from training.ope.outcome import folds_of
from training.ope.table import PlainLog


def with_estimated_action_prob(plain: PlainLog) -> PlainLog:
    """The same table with ``action_prob`` estimated by a multinomial logistic regression on the covariates.

    Without covariates it is the share of rows with the action. Cross-fitted by debtor; an action that other folds lack
    has the share of half a row.
    """
    fold = folds_of(plain.log.cluster)
    estimated = np.ones(len(plain.log))
    for held_out in np.unique(fold):
        inside = fold == held_out
        # With one debtor alone there is no other fold to learn from.
        others = inside if inside.all() else ~inside
        known, asked = plain.covariates[others], plain.covariates[inside]
        estimated[inside] = _probability(known, plain.action[others], asked, plain.action[inside])
    log = Log(estimated, plain.log.reward, plain.log.cluster)
    return replace(plain, log=log)


def _probability(known: Floats, action: Int64s, asked: Floats, wanted: Int64s) -> Floats:
    floor = 0.5 / (len(action) + 1.0)
    classes, counts = np.unique(action, return_counts=True)
    place = np.minimum(np.searchsorted(classes, wanted), len(classes) - 1)
    there = classes[place] == wanted
    if not known.shape[1] or len(classes) < 2:
        return np.where(there, np.maximum(counts[place] / len(action), floor), floor)
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    model = make_pipeline(imputer, StandardScaler(), LogisticRegression(max_iter=1_000))
    probability = model.fit(known, action).predict_proba(asked)
    return np.where(there, np.maximum(probability[np.arange(len(wanted)), place], floor), floor)
