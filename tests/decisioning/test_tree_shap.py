from __future__ import annotations

from itertools import combinations
from math import factorial
from typing import Any

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisioning.tree_forest import shaped
from decisioning.tree_shap import TOLERANCE, ByBooster, CandidateShap, TreeShap, disagreement, explainer_of, probes
from decisioning.tree_text import read_trees
from domain.errors import BundleError

PLAIN: dict[str, Any] = {
    "objective": "binary", "num_leaves": 31, "max_depth": 6, "min_data_in_leaf": 3, "verbosity": -1, "seed": 1,
    "num_threads": 1, "deterministic": True, "force_row_wise": True,
}  # fmt: skip
CATEGORIES = (0, 1)


def rows(seed: int, n: int = 1_500) -> np.ndarray:
    """Eight columns: two of categories, two with missing values, one with many zeros, one that is all but constant."""
    rng = np.random.default_rng(seed)
    found = rng.normal(size=(n, 8))
    found[:, 0], found[:, 1] = rng.integers(0, 6, n), rng.integers(0, 70, n)
    found[rng.random(n) < 0.3, 2] = np.nan
    found[rng.random(n) < 0.6, 3] = np.nan
    found[rng.random(n) < 0.7, 4] = 0.0
    found[:, 5] = np.where(rng.random(n) < 0.02, np.inf, 1.0)
    return found


def answers(values: np.ndarray, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    raw = np.nan_to_num(values[:, 2], nan=1.0) * values[:, 6] + (values[:, 1] % 3) + np.isnan(values[:, 3])
    return (raw + rng.normal(size=len(values)) > 1).astype(float)


def grown(*, trees: int = 25, categories: bool = True, values: np.ndarray | None = None, **changed: Any) -> lgb.Booster:
    values = rows(7) if values is None else values
    named = list(CATEGORIES) if categories else "auto"
    return lgb.train({**PLAIN, **changed}, lgb.Dataset(values, answers(values), categorical_feature=named), trees)


def odd(seed: int = 3, n: int = 300) -> np.ndarray:
    """Rows as those of training, with what no training row had: infinite, tiny, negative, unseen, missing anywhere."""
    rng = np.random.default_rng(seed)
    found = rows(seed, n)
    strange = rng.choice(
        [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-36, -1e-36, -0.5, -3.0, 71.0, 1e9, 3e9, 2.7], size=found.shape
    )
    return np.where(rng.random(found.shape) < 0.2, strange, found)


KINDS: dict[str, dict[str, Any]] = {
    "numbers": {"categories": False},
    "categories": {},
    "many categories, one against the rest": {"max_cat_to_onehot": 100},
    "no depth limit": {"max_depth": -1, "num_leaves": 120, "trees": 8},
    "stumps": {"num_leaves": 2},
    "dart": {"boosting": "dart", "drop_rate": 0.5},
    "goss": {"data_sample_strategy": "goss"},
    "bagging": {"bagging_fraction": 0.5, "bagging_freq": 1},
    "zeros count as missing": {"zero_as_missing": True},
    "nothing counts as missing": {"use_missing": False},
    "regression": {"objective": "regression"},
    "poisson": {"objective": "poisson"},
    "monotone": {"monotone_constraints": [0, 0, 1, 0, 0, 0, -1, 0]},
}


@pytest.fixture(scope="module")
def boosters() -> dict[str, lgb.Booster]:
    return {name: grown(**changed) for name, changed in KINDS.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_contributions_are_those_of_lightgbm_and_add_up_to_its_score(kind: str, boosters: Any) -> None:
    booster, values = boosters[kind], np.concatenate([odd(), rows(8, 200)])
    found = TreeShap.of(booster).contributions(values)
    assert np.abs(found - booster.predict(values, pred_contrib=True)).max() <= TOLERANCE
    assert np.abs(found.sum(axis=1) - booster.predict(values, raw_score=True)).max() <= TOLERANCE


@pytest.mark.parametrize("kind", KINDS)
def test_scores_are_those_of_lightgbm_to_the_last_bit(kind: str, boosters: Any) -> None:
    booster, values = boosters[kind], np.concatenate([odd(4), rows(9, 200)])
    assert (TreeShap.of(booster).margins(values) == booster.predict(values, raw_score=True)).all()


@pytest.mark.parametrize("kind", ["numbers", "dart", "no depth limit"])
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore:LightGBM binary")
def test_contributions_are_those_of_the_shap_package(kind: str, boosters: Any) -> None:
    shap = pytest.importorskip("shap")
    booster, values = boosters[kind], rows(10, 60)
    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    found = TreeShap.of(booster).contributions(values)
    told = explainer.shap_values(values)
    assert np.abs(found[:, :-1] - told).max() <= TOLERANCE


@pytest.mark.parametrize("kind", KINDS)
def test_one_row_alone_is_explained_as_among_many_to_the_last_bit(kind: str, boosters: Any) -> None:
    explainer, values = TreeShap.of(boosters[kind]), odd(5, 39)
    alone = np.concatenate([explainer.contributions(values[row : row + 1]) for row in range(len(values))])
    assert (alone == explainer.contributions(values)).all()
    assert (alone[5:] == explainer.contributions(values[5:])).all()


def _by_definition(booster: lgb.Booster, row: np.ndarray) -> np.ndarray:
    """Shapley values from their definition: the expected score of every set of known features, one by one."""
    trees = read_trees(booster)

    def expected(fields: dict[str, str], node: int, known: frozenset[int]) -> float:
        def numbers(name: str) -> list[float]:
            return [float(one) for one in fields[name].split()]

        if node < 0:
            return numbers("leaf_value")[-1 - node]
        left, right = int(numbers("left_child")[node]), int(numbers("right_child")[node])
        feature, threshold = int(numbers("split_feature")[node]), numbers("threshold")[node]
        if feature in known:
            return expected(fields, left if row[feature] <= threshold else right, known)
        count = [
            numbers("internal_count")[child] if child >= 0 else numbers("leaf_count")[-1 - child]
            for child in (left, right)
        ]
        parts = [expected(fields, child, known) for child in (left, right)]
        return (count[0] * parts[0] + count[1] * parts[1]) / sum(count)

    features = range(len(row))
    found = np.zeros(len(row) + 1)
    of_set = {
        frozenset(known): sum(expected(tree, 0, frozenset(known)) for tree in trees)
        for size in range(len(row) + 1)
        for known in combinations(features, size)
    }
    for known, value in of_set.items():
        for feature in set(features) - known:
            size, k = len(known), len(row)
            weight = factorial(size) * factorial(k - size - 1) / factorial(k)
            found[feature] += weight * (of_set[known | {feature}] - value)
    found[-1] = of_set[frozenset()]
    return found


@given(seed=st.integers(0, 2**16), depth=st.integers(1, 7))
@settings(max_examples=12)
def test_contributions_are_the_shapley_values_of_their_definition(seed: int, depth: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(200, 4))
    target = np.sign(values[:, 0] * values[:, 1] + values[:, 2])
    named = {**PLAIN, "objective": "regression", "max_depth": depth, "num_leaves": 12, "seed": seed}
    booster = lgb.train(named, lgb.Dataset(values, target), 3)
    found = TreeShap.of(booster).contributions(values[:3])
    for row, own in zip(values[:3], found, strict=True):
        assert np.abs(own - _by_definition(booster, row)).max() <= 1e-12


def test_a_path_of_many_features_needs_more_points_and_stays_exact() -> None:
    rng = np.random.default_rng(2)
    values = rng.uniform(size=(6_000, 30))
    target = np.cumprod(values > 0.1, axis=1).sum(axis=1)  # how many hold before the first that does not
    named = {**PLAIN, "objective": "regression", "max_depth": -1, "num_leaves": 60, "min_data_in_leaf": 1}
    booster = lgb.train(named, lgb.Dataset(values, target), 3)
    explainer = TreeShap.of(booster)
    assert len(explainer.shape.forest.weights) >= 12
    found = explainer.contributions(values[:50])
    assert np.abs(found - booster.predict(values[:50], pred_contrib=True)).max() <= TOLERANCE


def test_trees_of_one_leaf_count_in_the_base_alone() -> None:
    values = np.ones((300, 3))
    booster = lgb.train({**PLAIN, "objective": "regression"}, lgb.Dataset(values, np.full(300, 4.5)), 3)
    found = TreeShap.of(booster).contributions(values[:2])
    assert np.abs(found - booster.predict(values[:2], pred_contrib=True)).max() <= TOLERANCE
    assert found[:, -1] == pytest.approx(booster.predict(values[:2]))


def test_a_continued_booster_is_explained_whole() -> None:
    values = rows(7)
    data = lgb.Dataset(values, answers(values), categorical_feature=list(CATEGORIES), free_raw_data=False)
    booster = lgb.train(PLAIN, data, 10, init_model=lgb.train(PLAIN, data, 10))
    found = TreeShap.of(booster).contributions(odd())
    assert np.abs(found - booster.predict(odd(), pred_contrib=True)).max() <= TOLERANCE


def test_no_rows_are_explained_by_none(boosters: Any) -> None:
    for explainer in (TreeShap.of(boosters["numbers"]), ByBooster(boosters["numbers"], reason="kind")):
        assert explainer.contributions(np.zeros((0, 8))).shape == (0, 9)
        assert explainer.margins(np.zeros((0, 8))).shape == (0,)


def test_rows_of_another_layout_in_memory_are_read_right(boosters: Any) -> None:
    explainer, values = TreeShap.of(boosters["numbers"]), rows(11, 30)
    assert (explainer.contributions(np.asfortranarray(values)) == explainer.contributions(values)).all()
    assert (explainer.margins(values[::2]) == explainer.margins(values)[::2]).all()


@pytest.fixture(scope="module")
def candidates(boosters: Any) -> CandidateShap:
    return CandidateShap.of(boosters["no depth limit"], [4, 6])


def test_candidates_of_one_account_are_explained_as_rows_of_their_own(candidates: CandidateShap, boosters: Any) -> None:
    row, options = odd(6, 1)[0], np.random.default_rng(1).normal(size=(48, 2))
    each = np.repeat(row[None], 48, axis=0)
    each[:, [4, 6]] = options
    whole = boosters["no depth limit"].predict(each, pred_contrib=True)
    assert np.abs(candidates.contributions(row, options) - whole).max() <= TOLERANCE


def test_a_difference_of_two_candidates_is_that_of_their_contributions(candidates: CandidateShap) -> None:
    row, options = odd(6, 1)[0], np.random.default_rng(2).normal(size=(2, 2))
    whole = candidates.contributions(row, options)
    assert np.abs(candidates.difference(row, *options) - (whole[0] - whole[1])[:-1]).max() <= TOLERANCE


REFUSED: dict[str, dict[str, Any]] = {
    "several classes": {"objective": "multiclass", "num_class": 2},
    "linear trees": {"linear_tree": True, "categories": False, "objective": "regression"},
    "averaged trees": {"boosting": "rf", "bagging_fraction": 0.5, "bagging_freq": 1},
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_would_not_be_exact_is_refused(kind: str) -> None:
    values = np.nan_to_num(rows(7), posinf=1.0)
    with pytest.raises(BundleError, match="found a booster"):
        TreeShap.of(grown(trees=3, values=values, **REFUSED[kind]))


class Recounted:
    """A booster whose text has other counts of training rows."""

    def __init__(self, booster: lgb.Booster) -> None:
        self._booster = booster

    def __getattr__(self, name: str) -> Any:
        return getattr(self._booster, name)

    def model_to_string(self) -> str:
        return str(self._booster.model_to_string()).replace("leaf_count=", "leaf_count=1")


def test_a_booster_whose_counts_do_not_add_up_is_left_to_lightgbm() -> None:
    booster = grown(categories=False, trees=5)
    with pytest.raises(BundleError, match="do not add up"):
        TreeShap.of(Recounted(booster))
    explainer = explainer_of(Recounted(booster))
    assert isinstance(explainer, ByBooster)
    assert explainer.reason == "kind"
    assert (explainer.contributions(rows(3, 20)) == booster.predict(rows(3, 20), pred_contrib=True)).all()


def test_a_refitted_booster_is_explained_exactly_by_whichever_way() -> None:
    booster = grown(categories=False).refit(rows(12), answers(rows(12)))
    found = explainer_of(booster).contributions(rows(13, 50))
    assert np.abs(found - booster.predict(rows(13, 50), pred_contrib=True)).max() <= TOLERANCE


def test_categories_in_the_millions_are_refused() -> None:
    words = 2**20
    split = {
        "num_leaves": "2", "split_feature": "0", "threshold": "0", "decision_type": "1", "left_child": "-1",
        "right_child": "-2", "leaf_value": "1 2", "leaf_count": "3 4", "internal_count": "7",
        "cat_boundaries": f"0 {words}", "cat_threshold": " ".join(["1"] * words),
    }  # fmt: skip
    with pytest.raises(BundleError, match="33554432 categories"):
        shaped([split])


def test_more_features_on_a_path_than_there_are_points_for_are_refused() -> None:
    splits = 33
    ladder = {
        "num_leaves": str(splits + 1),
        "split_feature": " ".join(map(str, range(splits))),
        "threshold": " ".join(["0"] * splits),
        "decision_type": " ".join(["2"] * splits),
        "left_child": " ".join(str(-1 - node) for node in range(splits)),
        "right_child": " ".join([*(str(node + 1) for node in range(splits - 1)), str(-1 - splits)]),
        "leaf_value": " ".join(["1"] * (splits + 1)),
        "leaf_count": " ".join(["1"] * (splits + 1)),
        "internal_count": " ".join(str(splits + 1 - node) for node in range(splits)),
    }
    with pytest.raises(BundleError, match="33 features on one path"):
        shaped([ladder])


DAMAGES: list[tuple[str, Any]] = [
    ("threshold", lambda nodes: nodes["threshold"].__iadd__(0.5)),
    ("right_share", lambda nodes: nodes["right_share"].__imul__(0.9)),
    ("feature", lambda nodes: nodes["feature"].__setitem__(0, nodes["feature"][0] ^ 1)),
]


@pytest.mark.parametrize(("name", "damage"), DAMAGES)
def test_the_trial_at_loading_sees_a_damaged_table(name: str, damage: Any, boosters: Any) -> None:
    explainer = TreeShap.of(boosters["categories"])
    plain = ByBooster(boosters["categories"], reason="kind")
    assert disagreement(explainer, plain, probes(explainer)) <= TOLERANCE
    damage(explainer.shape.forest.nodes)
    assert disagreement(explainer, plain, probes(explainer)) > TOLERANCE, name


def test_an_explainer_that_fails_its_trial_is_left_to_lightgbm(boosters: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("decisioning.tree_shap.disagreement", lambda *_: float("nan"))
    explainer = explainer_of(boosters["numbers"])
    assert isinstance(explainer, ByBooster)
    assert explainer.reason == "self_check"
