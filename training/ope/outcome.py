"""What a row brings, predicted by a model that has not seen its debtor: the q of the doubly robust estimates.

DR stays unbiased whatever q is, as long as q of a row does not depend on the rewards of its cluster; a good q makes the
interval narrow. For plain tables it is a ridge regression on the given covariates, blind to the action: a table tells
the policy's probability of the logged action alone, and for a q that does not look at the action Σ_a π(a | x)·q(x) is
q(x) itself. Ridge, since the covariates are few and chosen by hand, and logs of a few hundred rows are common: it is in
closed form, has one penalty, picked by generalised cross-validation, and cannot memorise a heavy tail.
"""

from __future__ import annotations

import numpy as np

from training.ope.estimators import Floats, Int64s
from training.splits import debtor_folds

FOLDS = 5
_PENALTIES = tuple(float(10.0**power) for power in range(-1, 6))


def folds_of(cluster: Int64s, *, seed: int = 0) -> Int64s:
    """(n,) fold of each row; all rows of a cluster stand in one."""
    return debtor_folds(cluster.astype(np.int32), folds=FOLDS, seed=seed)


def cross_fitted(covariates: Floats, reward: Floats, fold: Int64s) -> Floats:
    """Expected reward of each row, whatever is done, from the rows of other folds.

    Parameters
    ----------
    covariates : (n, k), ``NaN`` where missing; with k = 0 the prediction is the mean of the other folds
    reward, fold : (n,)

    Returns
    -------
    (n,), 0 where there are no other folds: then DR is IPS
    """
    predicted = np.zeros(len(reward))
    for held_out in np.unique(fold):
        inside = fold == held_out
        if inside.all():
            break
        predicted[inside] = _fit_predict(covariates[~inside], reward[~inside], covariates[inside])
    return predicted


def _fit_predict(known: Floats, reward: Floats, asked: Floats) -> Floats:
    if not known.shape[1]:
        return np.full(len(asked), reward.mean())
    # scikit-learn takes a second to import, which a command without covariates need not pay.
    from sklearn.impute import SimpleImputer  # noqa: PLC0415
    from sklearn.linear_model import RidgeCV  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    imputer = SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True)
    model = make_pipeline(imputer, StandardScaler(), RidgeCV(alphas=_PENALTIES))
    return np.asarray(model.fit(known, reward).predict(asked), dtype=np.float64)
