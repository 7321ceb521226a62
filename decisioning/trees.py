"""A booster's trees as arrays, walked once per account for all of its actions.

``Booster.predict`` on every account × action walks the nodes of the account again for each action. Here a tree carries
the whole set of actions down and splits it only where a node asks about the action; sums run in the order of the trees,
so that the margins are those of LightGBM to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from decisioning.candidates import Grid
from domain.errors import BundleError

Floats = npt.NDArray[np.float64]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
_F = TypeVar("_F", bound=Callable[..., Any])

_CATEGORICAL, _DEFAULT_LEFT = 1, 2
_MISSING_ZERO, _MISSING_NAN = 1, 2
_INT32_END = 2147483648.0
_ZERO = 1e-35


def _compiled(function: _F) -> _F:
    return cast(_F, numba.njit(cache=True)(function))


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
        text = booster.model_to_string()
        if "\nis_linear=1" in text or "\naverage_output" in text:
            raise BundleError("found a booster with linear or averaged trees, needed plain gradient boosting")
        blocks = text.split("\nend of trees")[0].split("\nTree=")[1:]
        return cls(_nodes([dict(line.split("=", 1) for line in block.split("\n") if "=" in line) for block in blocks]))

    def margins(self, grid: Grid, allowed: npt.NDArray[np.bool_]) -> Floats:
        """Raw scores of all accounts under their allowed actions.

        Parameters
        ----------
        grid : features of n accounts under A actions
        allowed : (n, A); elsewhere nothing is computed

        Returns
        -------
        (n, A), ``NaN`` where not allowed
        """
        out = np.where(allowed, 0.0, np.nan)
        # One memory layout, so that the kernel is compiled once.
        plain = Grid(
            np.ascontiguousarray(grid.values),
            np.ascontiguousarray(grid.static),
            np.ascontiguousarray(grid.history),
            np.ascontiguousarray(grid.channel),
        )
        _walk(self.nodes, plain, np.ascontiguousarray(allowed), out)
        return out


def _nodes(trees: list[dict[str, str]]) -> Nodes:
    parts: dict[str, list[Any]] = {name: [] for name in Nodes._fields}
    nodes = leaves = words = 0
    for tree in trees:
        splits = int(tree["num_leaves"]) - 1
        kind = _numbers(tree, "decision_type", np.int8)
        threshold = _numbers(tree, "threshold", np.float64)
        category = np.where(kind & _CATEGORICAL, threshold, 0).astype(np.int64)
        bounds = _numbers(tree, "cat_boundaries", np.int32) + words
        categorical = (kind & _CATEGORICAL) > 0
        parts["feature"].append(_numbers(tree, "split_feature", np.int32))
        parts["threshold"].append(threshold)
        parts["kind"].append(kind)
        for side in ("left", "right"):
            child = _numbers(tree, f"{side}_child", np.int32)
            parts[side].append(np.where(child >= 0, child + nodes, child - leaves))
        for end, offset in (("bits_from", 0), ("bits_to", 1)):
            found = bounds[category + offset] if len(bounds) else np.zeros(splits, dtype=np.int32)
            parts[end].append(np.where(categorical, found, 0))
        parts["bits"].append(_numbers(tree, "cat_threshold", np.uint32))
        parts["leaf"].append(_numbers(tree, "leaf_value", np.float64))
        parts["root"].append([nodes if splits else -1 - leaves])
        nodes, leaves, words = nodes + splits, leaves + splits + 1, words + len(parts["bits"][-1])
    types = dict.fromkeys(Nodes._fields, np.int32) | {"threshold": np.float64, "leaf": np.float64, "kind": np.int8}
    types["bits"] = np.uint32
    joined = {name: np.concatenate([*part, np.zeros(0)]).astype(types[name]) for name, part in parts.items()}
    return Nodes(**joined)


def _numbers(tree: dict[str, str], name: str, dtype: Any) -> npt.NDArray[Any]:
    return np.array(tree.get(name, "").split(), dtype=dtype)


@_compiled
def _goes_left(nodes: Nodes, node: int, value: float) -> bool:
    """The decision of one node as LightGBM takes it (``Tree::NumericalDecision``, ``Tree::CategoricalDecision``)."""
    kind = nodes.kind[node]
    if kind & _CATEGORICAL:
        if np.isnan(value) or value <= -1.0 or value >= _INT32_END:
            return False
        category = int(value)
        word = nodes.bits_from[node] + category // 32
        return bool(word < nodes.bits_to[node] and (nodes.bits[word] >> np.uint32(category % 32)) & np.uint32(1))
    missing = (kind >> 2) & 3
    if np.isnan(value) and missing != _MISSING_NAN:
        value = 0.0
    if np.isnan(value) or (missing == _MISSING_ZERO and abs(value) <= _ZERO):
        return bool(kind & _DEFAULT_LEFT)
    return bool(value <= nodes.threshold[node])


@_compiled
def _split(nodes: Nodes, node: int, grid: Grid, row: int, actions: Int64s) -> int:
    """Moves the actions that go left to the front, and says how many they are."""
    own, fixed = grid.values.shape[1], grid.static.shape[1]
    feature = nodes.feature[node] - own
    if feature < 0:
        return len(actions) if _goes_left(nodes, node, grid.values[row, feature + own]) else 0
    count = 0
    for place in range(len(actions)):
        action = actions[place]
        if feature < fixed:
            value = grid.static[action, feature]
        else:
            value = grid.history[row, grid.channel[action], feature - fixed]
        if _goes_left(nodes, node, value):
            actions[place], actions[count] = actions[count], action
            count += 1
    return count


@_compiled
def _walk(nodes: Nodes, grid: Grid, allowed: npt.NDArray[np.bool_], out: Floats) -> None:
    """Adds every tree to ``out``: a stack of (node, span of actions), a span being split where its node asks for it."""
    # Every span on the stack holds an action of its own, so it is never deeper than there are actions.
    stack = np.empty((allowed.shape[1] + 1, 3), dtype=np.int64)
    for row in range(allowed.shape[0]):
        actions = np.flatnonzero(allowed[row])
        for root in nodes.root:
            stack[0, 0], stack[0, 1], stack[0, 2] = root, 0, len(actions)
            depth = min(1, len(actions))
            while depth:
                depth -= 1
                node, low, high = stack[depth, 0], stack[depth, 1], stack[depth, 2]
                while node >= 0:
                    middle = low + _split(nodes, node, grid, row, actions[low:high])
                    if low < middle < high:
                        stack[depth, 0], stack[depth, 1], stack[depth, 2] = nodes.right[node], middle, high
                        depth += 1
                    node, high = (nodes.left[node], middle) if middle > low else (nodes.right[node], high)
                for action in actions[low:high]:
                    out[row, action] += nodes.leaf[-1 - node]
