"""Exact contributions of features to the raw score of a booster (path-dependent TreeSHAP), and the score itself.

The Shapley value (Lundberg et al., *Consistent individualized feature attribution for tree ensembles*, 2018) of feature
j of a leaf of value v, whose path asks about the features 1..d, is an integral, computed by Gauss–Legendre quadrature
(as in Wettenstein, Mitchell and Yu, *Quadrature-TreeSHAP*, arXiv 2605.04497, 2026)::

    φ_j = v (o_j − z_j) ∫₀¹ Π_{k≠j} (t·o_k + (1−t)·z_k) dt

with o_k = 1 where the row meets all conditions of feature k on the path, else 0, and z_k the share of training rows
that the nodes of feature k send down it. The integrand is a polynomial of degree d − 1, for which ⌈d/2⌉ points are
exact.

The leaves of a tree share their products. Of a split on j let z be the share that goes right, and a what is left of
j's share by earlier splits on j (1 where there is none). At a point t, with F = t + (1−t)·a, let K = (1−t)·a/F and
Λ = a/F². With β = z where the row goes left, z − 1 where it goes right, and 0 where an earlier split on j sent it
elsewhere, the share of the path's weight that goes right is ρ = z − β·(1 − K). Then, at every point of weight w::

    down:  P_root = w;   P_right = ρ·P;    P_left = P − P_right
    up:    H_leaf = v;   D = H_left − H_right;   H = H_left − ρ·D;   φ_j += β·Λ·P·D   summed over the points

Eight operations a split and point, no division, no loop over leaves; all weights are positive, so that nothing cancels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.tree_forest import ZERO_MISSING, Shaped, shaped, split_trees
from decisioning.tree_kernels import contributions_of_many, contributions_of_one, scores
from decisioning.tree_text import read_trees
from domain.errors import BundleError

Floats = npt.NDArray[np.float64]
TOLERANCE = 1e-10
_PROBES = 64


@dataclass(frozen=True)
class TreeShap:
    """The trees of a booster over ``width`` features, ready to be asked about rows of float64.

    Missing values are NaN; categories are their codes. Nothing is checked at a call: rows have the booster's columns.
    """

    shape: Shaped
    width: int
    reason: None = None

    @classmethod
    def of(cls, booster: Any) -> TreeShap:
        """Reads a LightGBM booster of one score.

        Raises
        ------
        BundleError : what is computed here would not be exact: several scores a row, linear or averaged trees, counts
            of training rows that do not add up (a refitted booster), over 32 features on one path
        """
        if booster.num_model_per_iteration() != 1:
            raise BundleError("found a booster of several classes, needed one score a row")
        return cls(shaped(read_trees(booster)), booster.num_feature())

    def margins(self, values: Floats) -> Floats:
        """(n,) raw scores of rows (n, k), to the last bit those of ``Booster.predict(raw_score=True)``."""
        out = np.zeros(len(values))
        scores(self.shape.asked, self.shape.forest, np.ascontiguousarray(values, dtype=np.float64), out)
        return out

    def contributions(self, values: Floats) -> Floats:
        """(n, k + 1) contributions of rows (n, k) to the raw score; the last column is the base, the same for all."""
        out = np.zeros((len(values), self.width + 1))
        rows, shape = np.ascontiguousarray(values, dtype=np.float64), self.shape
        if len(rows) > 1:
            contributions_of_many(shape.asked, shape.forest, rows, out)
        else:
            for row, own in zip(rows, out, strict=True):
                contributions_of_one(shape.asked, shape.forest, row, own)
        out[:, -1] = shape.base
        return out


@dataclass(frozen=True)
class CandidateShap:
    """A booster about one account under several candidates, which differ in the ``columns`` alone.

    The trees that ask about none of these columns (``still``) are computed once an account, the others (``moving``)
    once a candidate.
    """

    still: TreeShap
    moving: TreeShap
    columns: tuple[int, ...]

    @classmethod
    def of(cls, booster: Any, columns: Sequence[int]) -> CandidateShap:
        """Reads a booster; refuses what ``TreeShap.of`` does."""
        if booster.num_model_per_iteration() != 1:
            raise BundleError("found a booster of several classes, needed one score a row")
        still, moving = (TreeShap(shaped(trees), booster.num_feature()) for trees in split_trees(booster, columns))
        return cls(still, moving, tuple(columns))

    def contributions(self, row: Floats, candidates: Floats) -> Floats:
        """(m, k + 1) contributions under candidates (m, columns) of an account's row (k,)."""
        found = self.moving.contributions(self._rows(row, candidates))
        found += self.still.contributions(row[None])
        return found

    def difference(self, row: Floats, one: Floats, other: Floats) -> Floats:
        """(k,) what each feature adds to the raw score of candidate ``one`` (columns,) over that of ``other``."""
        of_one, of_other = self.moving.contributions(self._rows(row, np.stack([one, other])))
        found: Floats = of_one[:-1] - of_other[:-1]
        return found

    def _rows(self, row: Floats, candidates: Floats) -> Floats:
        rows = np.repeat(row[None], len(candidates), axis=0)
        rows[:, self.columns] = candidates
        return rows


class ByBooster:
    """What ``TreeShap`` computes, by the booster itself: for those that it refuses, and at a hundred times the cost.

    ``reason`` says in a word why this booster's trees are not read here.
    """

    def __init__(self, booster: Any, *, reason: str) -> None:
        self._booster, self.reason = booster, reason

    def margins(self, values: Floats) -> Floats:
        """(n,) raw scores of rows (n, k)."""
        if not len(values):
            return np.zeros(0)  # LightGBM refuses an empty matrix
        return np.asarray(self._booster.predict(values, raw_score=True, num_threads=1), dtype=np.float64)

    def contributions(self, values: Floats) -> Floats:
        """(n, k + 1) contributions of rows (n, k) to the raw score; the last column is the base."""
        if not len(values):
            return np.zeros((0, values.shape[1] + 1))
        found = self._booster.predict(values, pred_contrib=True, num_threads=1)
        return np.asarray(found, dtype=np.float64).reshape(len(values), -1)


def explainer_of(booster: Any) -> TreeShap | ByBooster:
    """What explains a booster exactly: its trees read here, once they were seen to give what LightGBM gives.

    Kernels work with places that nothing checks, so that a damaged table gives silent nonsense. They are tried on rows
    that meet every threshold of the booster, with missing and infinite values and categories of all kinds.
    """
    plain = ByBooster(booster, reason="kind")
    try:
        found = TreeShap.of(booster)
    except BundleError:
        return plain
    return found if disagreement(found, plain, probes(found)) <= TOLERANCE else ByBooster(booster, reason="self_check")


def scorer_of(booster: Any) -> TreeShap | None:
    """What scores many rows sooner than the booster does, to the last bit; ``None`` where its trees are not read here.

    Its scores are tried on the rows of ``explainer_of``, its contributions are not.
    """
    try:
        found = TreeShap.of(booster)
    except BundleError:
        return None
    rows = probes(found)
    same = np.array_equal(found.margins(rows), ByBooster(booster, reason="kind").margins(rows))
    return found if same else None


def disagreement(found: TreeShap, plain: ByBooster, values: Floats) -> float:
    """The largest difference to LightGBM over rows (n, k): of contributions, of their sum with the score, and of it."""
    ours, raw = found.contributions(values), plain.margins(values)
    gaps = (ours - plain.contributions(values), ours.sum(axis=1) - raw, found.margins(values) - raw)
    return float(max(np.abs(gap).max() for gap in gaps))


def probes(found: TreeShap) -> Floats:
    """(64, k) rows on and around the thresholds of a booster, the same at each call."""
    rng, asked, nodes = np.random.default_rng(0), found.shape.asked, found.shape.forest.nodes
    odd = np.array([np.nan, np.inf, -np.inf, 0.0, -0.5, 1e-36, 1e9, 3e9])
    rows = rng.choice(odd, size=(_PROBES, found.width))
    for feature in np.unique(nodes["feature"]).tolist():
        here = nodes[nodes["feature"] == feature]
        categorical = (here["answer"] >= asked.ends[ZERO_MISSING]).any()
        met = np.arange(-1.0, 40.0) if categorical else here["threshold"]
        drawn = rng.choice(met, size=_PROBES) + rng.choice([0.0, 1e-9, -1.0, 1.0], size=_PROBES)
        rows[:, feature] = np.where(rng.random(_PROBES) < 0.8, drawn, rows[:, feature])
    return rows
