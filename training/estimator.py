"""The payment model in scikit-learn's terms, for notebooks, pipelines and searches over a pandas frame of features."""

from __future__ import annotations

from typing import Any, Self

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from decisioning.calibration import Calibrator
from training.boosting import Columns, Recipe, fit_rounds, fit_stopped, margins
from training.calibration import fit_calibrator
from training.config import ModelConfig

Floats = npt.NDArray[np.float64]


class PaymentClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """P(payment), grown as training grows it: stopped and calibrated on the latest rows, then grown again on all.

    Rows come **in the order of time**: the last ``valid_share`` of them finds the number of trees and calibrates. Leave
    out rows whose label window reaches into that part, or its labels are known to the earlier rows already.

    Parameters
    ----------
    max_leaves, max_depth, learning_rate, max_rounds, min_rows_per_leaf, l2, feature_share, seed, threads : as ``model``
        in ``training.yaml``
    valid_share : share of the rows, the latest, that stop and calibrate
    refit : whether the trees are grown again on all rows, as those of a shipped model; else they stay as calibrated

    Attributes
    ----------
    classes_ : (2,) labels of ``y``, sorted; the second is "paid"
    booster_, calibrator_ : what a bundle would hold
    rounds_ : number of trees
    categories_ : by name of a categorical column, its values

    Notes
    -----
    Numbers may be missing (NaN). Columns of pandas' ``category`` type are categories, of which new ones are missing.
    """

    def __init__(
        self, *, max_leaves: int = 31, max_depth: int = 6, learning_rate: float = 0.08, max_rounds: int = 250,
        min_rows_per_leaf: int = 100, l2: float = 5.0, feature_share: float = 0.7, valid_share: float = 0.2,
        refit: bool = True, seed: int = 0, threads: int = 1,
    ) -> None:  # fmt: skip
        self.max_leaves = max_leaves
        self.max_depth = max_depth
        self.learning_rate = learning_rate
        self.max_rounds = max_rounds
        self.min_rows_per_leaf = min_rows_per_leaf
        self.l2 = l2
        self.feature_share = feature_share
        self.valid_share = valid_share
        self.refit = refit
        self.seed = seed
        self.threads = threads

    def fit(self, X: Any, y: Any, *, debtor: Any = None) -> Self:
        """Learn from rows in the order of time.

        Parameters
        ----------
        X : (n, k) frame or array
        y : (n,) two labels
        debtor : (n,) whose row it is, by any kind of id; rows of one debtor are no independent evidence

        Raises
        ------
        ValueError : rows or labels cannot be used
        pydantic.ValidationError : a setting is outside its bounds
        """
        self.categories_ = _categories(X)
        values, labels = validate_data(
            self, self._numbers(X), y, dtype=np.float64, ensure_all_finite="allow-nan", ensure_min_samples=2
        )
        paid = self._paid(labels)
        whose = np.arange(len(paid)) if debtor is None else np.asarray(debtor)
        if whose.shape != paid.shape:
            raise ValueError(f"debtor: found shape {whose.shape}, needed one for each of the {len(paid)} rows")
        self._grow(values, paid, np.unique(whose, return_inverse=True)[1].astype(np.int32))
        return self

    def predict_proba(self, X: Any) -> Floats:
        """(n, 2) calibrated probabilities of both labels, in the order of ``classes_``."""
        check_is_fitted(self)
        values = validate_data(
            self, self._numbers(X), dtype=np.float64, ensure_all_finite="allow-nan", reset=False
        )  # fmt: skip
        p_pay = self.calibrator_.apply(margins(self.booster_, values, threads=self.threads))
        return np.column_stack([1.0 - p_pay, p_pay])

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """(n,) the more probable label."""
        likely = self.predict_proba(X)[:, 1] > 0.5
        return np.asarray(self.classes_[likely.astype(np.int64)])

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags

    def _paid(self, labels: npt.NDArray[Any]) -> Floats:
        if (kind := type_of_target(labels, input_name="y", raise_unknown=True)) != "binary":
            raise ValueError(f"Only binary classification is supported. The type of the target is {kind}.")
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"Classifier can't train when only one class is present: {self.classes_[0]!r}")
        return np.asarray(codes, dtype=np.float64)

    def _grow(self, values: Floats, paid: Floats, debtor: npt.NDArray[np.int32]) -> None:
        names = [str(name) for name in getattr(self, "feature_names_in_", range(values.shape[1]))]
        columns = Columns(tuple(_plain(names)), tuple(names.index(name) for name in self.categories_))
        recipe = Recipe("binary", self._config())
        cut = len(paid) - max(1, round(len(paid) * self.valid_share))
        if not 0 < cut < len(paid):
            raise ValueError(f"valid_share: found {self.valid_share} of {len(paid)} rows, needed rows on both sides")
        train, valid = (values[:cut], paid[:cut]), (values[cut:], paid[cut:])
        booster = fit_stopped(recipe, columns, train=train, valid=valid)
        margin = margins(booster, valid[0], threads=self.threads)
        self.rounds_: int = booster.current_iteration()
        self.calibrator_: Calibrator = fit_calibrator(margin, valid[1], debtor[cut:])
        again = fit_rounds(recipe, columns, data=(values, paid), rounds=self.rounds_) if self.refit else booster
        self.booster_: lgb.Booster = again

    def _config(self) -> ModelConfig:
        return ModelConfig(
            seed=self.seed, threads=self.threads, max_leaves=self.max_leaves, max_depth=self.max_depth,
            learning_rate=self.learning_rate, max_rounds=self.max_rounds, min_rows_per_leaf=self.min_rows_per_leaf,
            l2=self.l2, feature_share=self.feature_share,
        )  # fmt: skip

    def _numbers(self, frame: Any) -> Any:
        """The frame with categories as their places among those that were learned; anything else as it is."""
        if not isinstance(frame, pd.DataFrame):
            return frame
        codes: dict[str, Floats] = {}
        for name in self.categories_.keys() & set(frame.columns):
            place = pd.Index(self.categories_[name]).get_indexer(frame[name].to_numpy())
            codes[name] = np.where(place < 0, np.nan, place)
        return frame.assign(**codes)


def _categories(frame: Any) -> dict[str, tuple[Any, ...]]:
    if not isinstance(frame, pd.DataFrame):
        return {}
    kinds = {str(name): kind for name, kind in frame.dtypes.items() if isinstance(kind, pd.CategoricalDtype)}
    return {name: tuple(kind.categories) for name, kind in kinds.items()}


def _plain(names: list[str]) -> list[str]:
    """Names that LightGBM takes: where one of them has a character that it does not, all are numbered instead."""
    taken = all(name.replace("_", "").isalnum() and name.isascii() for name in names)
    return names if taken else [f"f{number}" for number in range(len(names))]
