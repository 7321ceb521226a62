"""A booster's trees as arrays, asked about accounts under many actions at once (``tree_walk`` is the walk itself)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.candidates import Grid
from decisioning.tree_text import CATEGORICAL, numbers, read_trees
from decisioning.tree_walk import Floats, Nodes, Sets, leftward, walk
from domain.bits import Words, packed
from domain.errors import BundleError

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Trees:
    """The trees of one booster, ready to be asked about accounts under many actions."""

    nodes: Nodes
    _of_catalogue: list[tuple[Floats, Words, Words]] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def of(cls, booster: Any) -> Trees:
        """Reads the text form of a LightGBM booster; linear trees and averaged ones are refused."""
        return cls(_nodes(read_trees(booster)))

    @cached_property
    def _last_categorical(self) -> int:
        """The last column that is taken for a category, -1 where none is."""
        return int(self.nodes.feature[(self.nodes.kind & CATEGORICAL) > 0].max(initial=-1))

    def margins(self, grid: Grid, allowed: Bools) -> Floats:
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
        walk(self.nodes, plain, Sets(packed(allowed), *self._sets(grid)), out)
        return out

    def _sets(self, grid: Grid) -> tuple[Words, Words]:
        """The sets of actions that no account changes: by node that asks what an action is, and by pair."""
        # The tables of a catalogue are one and the same array from page to page, and nobody can change them.
        for known, *found in self._of_catalogue:
            if known is grid.static:
                return found[0], found[1]
        answered = packed(leftward(self.nodes, np.ascontiguousarray(grid.static), grid.values.shape[1]))
        alike = packed(grid.past == np.arange(grid.history.shape[1])[:, None])
        if not grid.static.flags.writeable:
            self._of_catalogue[:] = [(grid.static, answered, alike)]
        return answered, alike


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
