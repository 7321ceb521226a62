"""A booster's trees as one table of nodes, laid out for the kernels of ``tree_kernels``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from decisioning.tree_limits import DEEPEST, POINTS
from decisioning.tree_text import CATEGORICAL, DEFAULT_LEFT, MISSING_NAN, MISSING_ZERO, numbers, read_trees
from domain.errors import BundleError
from domain.lanes import WIDTH

Floats = npt.NDArray[np.float64]
_MOST_ANSWERS = 2**24
"""Numbers of quadrature points for which kernels are compiled; n points are exact for 2n features on one path."""
AS_IT_IS, MISSING_LOW, ZERO_LOW, ZERO_MISSING, LISTED = range(5)
"""What a node's answer is read from: the value; the same with -inf for NaN; with -inf or NaN for NaN and zero; or 0 for
a category that is listed and 1 for any other."""
_NODE = np.dtype(
    [
        ("threshold", np.float64), ("right_share", np.float64), ("answer", np.uint32), ("factor", np.uint32),
        ("feature", np.uint32), ("left", np.uint32), ("right", np.uint32), ("before", np.uint32), ("side", np.uint32),
    ],
    align=True,
)  # fmt: skip
"""A split: where its answer is, the rows of its children in its tree, the share of training rows that went right. A
repeated feature has ``before``, 1 + the row of its nearest node above, and the ``side`` on which that led here."""


class Asked(NamedTuple):
    """What the nodes ask of a row of features, each question once, in the order of the kinds.

    Those of kind k end at ``ends[k]``. The last are about categories, by feature: block b has the questions from
    ``blocks[b]`` to ``blocks[b + 1]``, all about one feature, and in ``table``, from ``rows_from[b]`` on, the answers
    to them category after category, ``categories[b]`` of them and one more row for any other.
    """

    feature: npt.NDArray[np.uint32]
    ends: npt.NDArray[np.int64]
    blocks: npt.NDArray[np.int64]
    categories: npt.NDArray[np.int64]
    rows_from: npt.NDArray[np.int64]
    table: npt.NDArray[np.uint8]


class Forest(NamedTuple):
    """Trees one after the other: the rows of a tree's ``nodes`` start at ``first``, those of its leaves at ``leaves``.

    Within a tree its n splits are rows 0 to n - 1, parents before children, and its leaves rows n to 2n. ``turned`` and
    ``kept`` are 1 - K and Λ, flat by factor and point: factor 0 is for every split on a feature that is new on its
    path. ``weights`` are those of the points; ``spread_weights`` the same, filled up with zeros to whole lanes, as are
    the points of the factors. ``widest`` is the most splits of a tree.
    """

    nodes: npt.NDArray[Any]
    first: npt.NDArray[np.int64]
    leaves: npt.NDArray[np.int64]
    value: Floats
    turned: Floats
    kept: Floats
    weights: tuple[float, ...]
    spread_weights: Floats
    widest: int


@dataclass(frozen=True)
class Shaped:
    """A forest, what it asks of a row, and ``base``: what its trees give on average over the training rows."""

    asked: Asked
    forest: Forest
    base: float


Question = tuple[int, int, tuple[int, ...]]
"""Its kind, the feature, and for categories the words of bits of those that go left."""


def _answers(listed: Sequence[tuple[int, ...]]) -> npt.NDArray[np.uint8]:
    """(categories + 1, questions) 0 where a category goes left, else 1; the last row is for categories nobody lists."""
    categories = 32 * max(map(len, listed))
    if categories * len(listed) > _MOST_ANSWERS:
        raise BundleError(
            f"found {len(listed)} splits on up to {categories} categories, needed at most {_MOST_ANSWERS} pairs"
        )
    found = np.ones((categories + 1, len(listed)), dtype=np.uint8)
    for place, words in enumerate(listed):
        bits = np.unpackbits(np.array(words, dtype="<u4").view(np.uint8), bitorder="little")
        found[: len(bits), place] = 1 - bits
    return found


@dataclass
class _Questions:
    """Questions met so far, numbered as they came."""

    places: dict[Question, int] = field(default_factory=dict)

    def place(self, feature: int, kind: int, bits: tuple[int, ...] = ()) -> int:
        return self.places.setdefault((kind, feature, bits), len(self.places))

    @staticmethod
    def _by_feature(ordered: Sequence[Question]) -> list[list[Question]]:
        listed = [question for question in ordered if question[0] == LISTED]
        return [list(some) for _, some in groupby(listed, key=itemgetter(1))]

    def asked(self) -> tuple[Asked, npt.NDArray[np.int64]]:
        """The questions in the order of their kinds, and the new place of each."""
        ordered = sorted(self.places)
        moved = np.zeros(len(ordered), dtype=np.int64)
        moved[[self.places[question] for question in ordered]] = np.arange(len(ordered))
        blocks = [(len(some), _answers([bits for _, _, bits in some])) for some in self._by_feature(ordered)]
        asked = Asked(
            np.array([feature for _, feature, _ in ordered], dtype=np.uint32),
            np.searchsorted([kind for kind, _, _ in ordered], np.arange(LISTED + 1), side="right"),
            np.array([*accumulate((count for count, _ in blocks), initial=len(ordered) - sum(c for c, _ in blocks))]),
            np.array([len(table) - 1 for _, table in blocks], dtype=np.int64),
            np.cumsum([0, *(table.size for _, table in blocks)])[:-1],
            np.concatenate([np.zeros(0, dtype=np.uint8), *(table.ravel() for _, table in blocks)]),
        )
        return asked, moved


@dataclass
class _Tree:
    """One tree as arrays; ``count`` has the training rows of each row of the tree, splits before leaves."""

    feature: npt.NDArray[np.int64]
    children: npt.NDArray[np.int64]
    count: Floats
    value: Floats
    fields: Mapping[str, str]

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> _Tree:
        splits = int(fields["num_leaves"]) - 1
        children = np.stack([numbers(fields, f"{side}_child", np.int64) for side in ("left", "right")], axis=-1)
        count = np.concatenate([numbers(fields, f"{of}_count", np.float64) for of in ("internal", "leaf")])
        children = np.where(children < 0, splits - 1 - children, children)
        tree = cls(
            numbers(fields, "split_feature", np.int64), children, count, numbers(fields, "leaf_value", float), fields
        )
        if splits:
            tree._check()
        return tree

    @property
    def splits(self) -> int:
        return len(self.feature)

    @property
    def base(self) -> float:
        if not self.splits:
            return float(self.value[0])
        return float(self.count[self.splits :] / self.count[0] @ self.value)

    def _check(self) -> None:
        """The weights of the paths are counts of training rows: every split has to be the sum of its children."""
        if (self.children <= np.arange(self.splits)[:, None]).any():
            raise BundleError("found a tree whose children come before their parents, needed LightGBM's own order")
        if (self.count <= 0).any() or (self.count[self.children].sum(axis=1) != self.count[: self.splits]).any():
            raise BundleError("found a tree whose counts of training rows do not add up, needed those of its training")

    def shares(self) -> Floats:
        """(n, 2) of the training rows of each split, how many went left and right."""
        found: Floats = self.count[self.children] / self.count[: self.splits, None]
        return found

    def question(self, node: int, questions: _Questions) -> tuple[int, float]:
        """Where the answer of a split will be, and the most that an answer may be to go left."""
        kind, feature = int(self._kinds[node]), int(self.feature[node])
        if kind & CATEGORICAL:
            start, end = self._bounds[int(self._thresholds[node]) :][:2]
            return questions.place(feature, LISTED, tuple(self._words[start:end].tolist())), 0.5
        missing, threshold = (kind >> 2) & 3, float(self._thresholds[node])
        goes_left = bool(kind & DEFAULT_LEFT)
        if missing == MISSING_ZERO:
            return questions.place(feature, ZERO_LOW if goes_left else ZERO_MISSING), threshold
        # Where nothing was missing in training, NaN is read as 0.
        low = goes_left if missing == MISSING_NAN else threshold >= 0
        return questions.place(feature, MISSING_LOW if low else AS_IT_IS), threshold

    def __post_init__(self) -> None:
        self._kinds = numbers(self.fields, "decision_type", np.int64)
        self._thresholds = numbers(self.fields, "threshold", np.float64)
        self._bounds = numbers(self.fields, "cat_boundaries", np.int64)
        self._words = numbers(self.fields, "cat_threshold", np.int64)


def shaped(trees: Sequence[Mapping[str, str]]) -> Shaped:
    """Lays trees out, as ``tree_text.read_trees`` gives them.

    Raises
    ------
    BundleError : counts of training rows that do not add up, or over 32 features on one path
    """
    read = [_Tree.of(fields) for fields in trees]
    questions, repeats = _Questions(), _Repeats()
    nodes = np.concatenate([np.zeros(0, dtype=_NODE), *(_laid_out(tree, questions, repeats) for tree in read)])
    asked, moved = questions.asked()
    nodes["answer"] = moved[nodes["answer"]]
    points = next((points for points in POINTS if 2 * points >= repeats.most_features), None)
    if points is None:
        raise BundleError(f"found {repeats.most_features} features on one path, needed at most {DEEPEST}")
    place, weight = np.polynomial.legendre.leggauss(points)
    lanes = np.zeros(-(-points // WIDTH) * WIDTH)
    lanes[:points] = weight / 2
    turned, kept = repeats.factors(np.resize((place + 1) / 2, len(lanes)))
    forest = Forest(
        nodes,
        np.cumsum([0, *(tree.splits for tree in read)]),
        np.cumsum([0, *(len(tree.value) for tree in read)]),
        np.concatenate([np.zeros(0), *(tree.value for tree in read)]),
        turned.ravel(),
        kept.ravel(),
        tuple((weight / 2).tolist()),
        lanes,
        max((tree.splits for tree in read), default=0),
    )
    return Shaped(asked, forest, sum(tree.base for tree in read))


class _Repeats:
    """Splits on a feature that was asked before on their path, by the share of it that is left there."""

    def __init__(self) -> None:
        self.left: list[float] = [1.0]
        self.most_features = 0

    def factors(self, t: Floats) -> tuple[Floats, Floats]:
        """(repeats + 1, Q) 1 - K and Λ at the points ``t`` of [0, 1], as ``tree_shap`` has them."""
        a = np.array(self.left)[:, None]
        f = t + (1 - t) * a
        return 1 - (1 - t) * a / f, a / f**2


def _laid_out(tree: _Tree, questions: _Questions, repeats: _Repeats) -> npt.NDArray[Any]:
    nodes = np.zeros(tree.splits, dtype=_NODE)
    shares = tree.shares() if tree.splits else np.zeros((0, 2))
    # Of each feature on the path to a row: its nearest split, the side on which that leads here, what is left of it.
    paths: dict[int, dict[int, tuple[int, int, float]]] = {0: {}}
    for node in range(tree.splits):
        path, feature = paths.pop(node), int(tree.feature[node])
        entry = nodes[node]
        entry["answer"], entry["threshold"] = tree.question(node, questions)
        entry["feature"], entry["right_share"] = feature, shares[node, 1]
        entry["left"], entry["right"] = tree.children[node]
        left = 1.0
        if feature in path:
            above, side, left = path[feature]
            entry["before"], entry["side"], entry["factor"] = above + 1, side, len(repeats.left)
            repeats.left.append(left)
        for side, child in enumerate(tree.children[node].tolist()):
            paths[child] = {**path, feature: (node, side, left * float(shares[node, side]))}
    repeats.most_features = max([repeats.most_features, *map(len, paths.values())])
    return nodes


def split_trees(booster: Any, columns: Sequence[int]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """A booster's trees that ask about none of the columns, and those that ask about one of them."""
    moving = set(columns)
    parts: tuple[list[dict[str, str]], list[dict[str, str]]] = ([], [])
    for tree in read_trees(booster):
        parts[not moving.isdisjoint(map(int, tree.get("split_feature", "").split()))].append(tree)
    return parts
