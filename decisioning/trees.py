"""A booster's trees as arrays, walked once per account for all of its actions.

``Booster.predict`` on every account × action walks the nodes of the account again for each action. Here a tree carries
the whole set of actions down and splits it only where a node asks about the action; sums run in the order of the trees,
so that the margins are those of LightGBM to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from decisioning.candidates import Grid
from decisioning.tree_text import (
    CATEGORICAL,
    DEFAULT_LEFT,
    INT32_END,
    MISSING_NAN,
    MISSING_ZERO,
    ZERO,
    numbers,
    read_trees,
)
from domain.compiled import compiled
from domain.errors import BundleError

Floats = npt.NDArray[np.float64]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]

_BLOCK = 32


class Nodes(NamedTuple):
    """Split nodes and leaves of all trees; a child below 0 is the leaf ``-1 - child``."""

    feature: Int32s
    threshold: Floats
    kind: npt.NDArray[np.int8]
    left: Int32s
    right: Int32s
    bits_from: Int32s
    bits_to: Int32s
    bits: npt.NDArray[np.uint32]
    leaf: Floats
    root: Int32s


@dataclass(frozen=True)
class Trees:
    """The trees of one booster, ready to be asked about accounts under many actions."""

    nodes: Nodes

    @classmethod
    def of(cls, booster: Any) -> Trees:
        """Reads the text form of a LightGBM booster; linear trees and averaged ones are refused."""
        return cls(_nodes(read_trees(booster)))

    @cached_property
    def _last_categorical(self) -> int:
        """The last column that is taken for a category, -1 where none is."""
        return int(self.nodes.feature[(self.nodes.kind & CATEGORICAL) > 0].max(initial=-1))

    def margins(self, grid: Grid, allowed: npt.NDArray[np.bool_]) -> Floats:
        """Raw scores of all accounts under their allowed actions.

        Parameters
        ----------
        grid : features of n accounts under A actions
        allowed : (n, A); elsewhere nothing is computed

        Returns
        -------
        (n, A), ``NaN`` where not allowed

        Raises
        ------
        BundleError : a booster that takes an action feature for a category
        """
        if self._last_categorical >= grid.values.shape[1]:
            raise BundleError("found a categorical action feature in a booster, needed numbers only; retrain")
        out = np.where(allowed, 0.0, np.nan)
        # One memory layout, so that the kernel is compiled once.
        plain = Grid(
            np.ascontiguousarray(grid.values),
            np.ascontiguousarray(grid.static),
            np.ascontiguousarray(grid.history),
            np.ascontiguousarray(grid.past),
        )
        _walk(self.nodes, plain, *_wanted_first(np.ascontiguousarray(allowed)), out)
        return out


def _nodes(trees: list[dict[str, str]]) -> Nodes:
    parts: dict[str, list[Any]] = {name: [] for name in Nodes._fields}
    nodes = leaves = words = 0
    for tree in trees:
        splits = int(tree["num_leaves"]) - 1
        kind = numbers(tree, "decision_type", np.int8)
        threshold = numbers(tree, "threshold", np.float64)
        category = np.where(kind & CATEGORICAL, threshold, 0).astype(np.int64)
        bounds = numbers(tree, "cat_boundaries", np.int32) + words
        categorical = (kind & CATEGORICAL) > 0
        parts["feature"].append(numbers(tree, "split_feature", np.int32))
        parts["threshold"].append(threshold)
        parts["kind"].append(kind)
        for side in ("left", "right"):
            child = numbers(tree, f"{side}_child", np.int32)
            parts[side].append(np.where(child >= 0, child + nodes, child - leaves))
        for end, offset in (("bits_from", 0), ("bits_to", 1)):
            found = bounds[category + offset] if len(bounds) else np.zeros(splits, dtype=np.int32)
            parts[end].append(np.where(categorical, found, 0))
        parts["bits"].append(numbers(tree, "cat_threshold", np.uint32))
        parts["leaf"].append(numbers(tree, "leaf_value", np.float64))
        parts["root"].append([nodes if splits else -1 - leaves])
        nodes, leaves, words = nodes + splits, leaves + splits + 1, words + len(parts["bits"][-1])
    types = dict.fromkeys(Nodes._fields, np.int32) | {"threshold": np.float64, "leaf": np.float64, "kind": np.int8}
    types["bits"] = np.uint32
    joined = {name: np.concatenate([*part, np.zeros(0)]).astype(types[name]) for name, part in parts.items()}
    return Nodes(**joined)


@compiled
def _goes_left(kind: int, threshold: float, value: float) -> bool:
    """The decision of a numerical node as LightGBM takes it (``Tree::NumericalDecision``)."""
    missing = (kind >> 2) & 3
    if np.isnan(value) and missing != MISSING_NAN:
        value = 0.0
    if np.isnan(value) or (missing == MISSING_ZERO and abs(value) <= ZERO):
        return (kind & DEFAULT_LEFT) > 0
    return value <= threshold


@compiled
def _listed(bits: npt.NDArray[np.uint32], start: int, end: int, value: float) -> bool:
    """The decision of a categorical node (``Tree::CategoricalDecision``): left where the category is listed."""
    if np.isnan(value) or value <= -1.0 or value >= INT32_END:
        return False
    category = int(value)
    word = start + category // 32
    return word < end and (bits[word] >> np.uint32(category % 32)) & np.uint32(1) == np.uint32(1)


@compiled
def _wanted_first(allowed: npt.NDArray[np.bool_]) -> tuple[Int64s, Int64s]:
    """The wanted actions of each row in the first places (n, A) of it, and how many these are (n,)."""
    order, ends = np.empty(allowed.shape, dtype=np.int64), np.zeros(len(allowed), dtype=np.int64)
    for row in range(allowed.shape[0]):
        for action in range(allowed.shape[1]):
            if allowed[row, action]:
                order[row, ends[row]] = action
                ends[row] += 1
    return order, ends


@compiled
def _walk(nodes: Nodes, grid: Grid, order: Int64s, ends: Int64s, out: Floats) -> None:
    """Adds every tree to ``out`` (n, A): a stack of (node, span of actions), a span being split where its node asks.

    ``order`` (n, A) holds the actions of each row, of which the first ``ends`` (n,) are wanted. Blocks of rows share a
    tree while its nodes are in cache; within a row the trees come in their order.
    """
    # Names of their own, because reading an array out of a tuple counts a reference each time.
    feature, threshold, kind, left, right = nodes.feature, nodes.threshold, nodes.kind, nodes.left, nodes.right
    starts, stops, bits, leaf = nodes.bits_from, nodes.bits_to, nodes.bits, nodes.leaf
    values, static, history, past = grid.values, grid.static, grid.history, grid.past
    own, fixed = values.shape[1], static.shape[1]
    # Every span on the stack holds an action of its own, so it is never deeper than there are actions.
    stack = np.empty((order.shape[1] + 1, 3), dtype=np.int64)
    for block in range(0, len(order), _BLOCK):
        for root in nodes.root:
            for row in range(block, min(block + _BLOCK, len(order))):
                stack[0, 0], stack[0, 1], stack[0, 2] = root, 0, ends[row]
                depth = 1
                while depth:
                    depth -= 1
                    node, low, high = stack[depth, 0], stack[depth, 1], stack[depth, 2]
                    while node >= 0:
                        column = feature[node]
                        if column < own:
                            here = _goes_left(kind[node], threshold[node], values[row, column])
                            if kind[node] & CATEGORICAL:
                                here = _listed(bits, starts[node], stops[node], values[row, column])
                            node = left[node] if here else right[node]
                            continue
                        middle = low
                        for place in range(low, high):
                            action, extra = order[row, place], column - own
                            value = (
                                static[action, extra] if extra < fixed else history[row, past[action], extra - fixed]
                            )
                            if _goes_left(kind[node], threshold[node], value):
                                order[row, place], order[row, middle] = order[row, middle], action
                                middle += 1
                        if low < middle < high:
                            stack[depth, 0], stack[depth, 1], stack[depth, 2] = right[node], middle, high
                            depth += 1
                        node, high = (left[node], middle) if middle > low else (right[node], high)
                    for place in range(low, high):
                        out[row, order[row, place]] += leaf[-1 - node]
