"""Compiled loops over a forest: what its nodes ask, contributions of one row and of four at once, and raw scores.

The arithmetic is derived in ``tree_shap``. Places in arrays are unsigned, because numba looks whether a signed one
counts from the end.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from decisioning.tree_forest import AS_IT_IS, MISSING_LOW, ZERO_LOW, ZERO_MISSING, Asked, Forest
from decisioning.tree_text import ZERO
from domain.compiled import compiled
from domain.lanes import WIDTH, load, spread, store, where_at_most, where_same

Floats = npt.NDArray[np.float64]
_U = numba.uint64
_WIDE = np.uint64(WIDTH)
_NONE, _ONE = np.uint64(0), np.uint64(1)
_FAILED = 2.0
"""State of a split whose feature sent the row another way further up; else 0 for left and 1 for right."""


class _Scratch(NamedTuple):
    """Of one tree at a time: weights on the way down by row and point, values on the way up; β and state by split."""

    answers: Floats
    down: Floats
    up: Floats
    beta: Floats
    state: Floats


@compiled
def _number(value: float) -> float:
    return 0.0 if abs(value) <= ZERO else value


@compiled
def _answer(asked: Asked, row: Floats, found: Floats, step: int, lane: int) -> None:
    """Writes what each split compares with its threshold to every ``step``-th place from ``lane`` on.

    NaN is at most no threshold, so that it goes to the right.
    """
    feature, ends = asked.feature, asked.ends
    for place in range(ends[AS_IT_IS]):
        found[_U(place * step + lane)] = _number(row[_U(feature[place])])
    for place in range(ends[AS_IT_IS], ends[MISSING_LOW]):
        value = row[_U(feature[place])]
        found[_U(place * step + lane)] = -np.inf if np.isnan(value) else _number(value)
    for place in range(ends[MISSING_LOW], ends[ZERO_MISSING]):
        value = _number(row[_U(feature[place])])
        if np.isnan(value) or value == 0.0:
            value = -np.inf if place < ends[ZERO_LOW] else np.nan
        found[_U(place * step + lane)] = value
    for block in range(len(asked.categories)):
        start, count = asked.blocks[block], asked.blocks[block + 1] - asked.blocks[block]
        value, category = row[_U(feature[start])], asked.categories[block]
        if -1.0 < value < category:
            category = int(value)
        answers = asked.rows_from[block] + category * count
        for place in range(count):
            found[_U((start + place) * step + lane)] = asked.table[_U(answers + place)]


@compiled
def _padded(forest: Forest) -> Any:
    """Points of the quadrature, filled up to whole lanes; a constant of the compiled code."""
    return _U(-(-len(forest.weights) // WIDTH) * WIDTH)


@compiled
def _down_one(forest: Forest, tree: int, scratch: _Scratch) -> None:
    nodes, block = forest.nodes, _padded(forest)
    start, splits = _U(forest.first[tree]), _U(forest.first[tree + 1] - forest.first[tree])
    scratch.state[_NONE] = 0.0
    for q in range(_NONE, block, _WIDE):
        store(scratch.down, _U(q), load(forest.spread_weights, _U(q)))
    for step in range(splits):
        at = _U(step)
        node = nodes[start + at]
        right_away = 1.0 - np.float64(scratch.answers[_U(node.answer)] <= node.threshold)
        alive = np.float64(scratch.state[_U(node.before)] == node.side)
        turn = alive * (node.right_share - right_away)
        scratch.state[at + _ONE], scratch.beta[at] = _FAILED + alive * (right_away - _FAILED), turn
        own, left, right = at * block, _U(node.left) * block, _U(node.right) * block
        factor = _U(node.factor) * block
        for step_q in range(_NONE, block, _WIDE):
            q = _U(step_q)
            whole = load(scratch.down, own + q)
            part = (node.right_share - turn * load(forest.turned, factor + q)) * whole
            store(scratch.down, right + q, part)
            store(scratch.down, left + q, whole - part)


@compiled
def _up_one(forest: Forest, tree: int, scratch: _Scratch, sums: Floats) -> None:
    nodes, block = forest.nodes, _padded(forest)
    start, splits = _U(forest.first[tree]), _U(forest.first[tree + 1] - forest.first[tree])
    leaf = _U(forest.leaves[tree])
    for step in range(splits + _ONE):
        value = spread(forest.value[leaf + _U(step)])
        for q in range(_NONE, block, _WIDE):
            store(scratch.up, (splits + _U(step)) * block + _U(q), value)
    for step in range(splits):
        at = splits - _ONE - _U(step)
        node = nodes[start + at]
        turn = scratch.beta[at]
        own, left, right = at * block, _U(node.left) * block, _U(node.right) * block
        factor, place = _U(node.factor) * block, _U(node.feature) * _WIDE
        total = load(sums, place)
        for step_q in range(_NONE, block, _WIDE):
            q = _U(step_q)
            upper = load(scratch.up, left + q)
            gap = upper - load(scratch.up, right + q)
            store(scratch.up, own + q, upper - (node.right_share - turn * load(forest.turned, factor + q)) * gap)
            total = total + turn * load(forest.kept, factor + q) * load(scratch.down, own + q) * gap
        store(sums, place, total)


@compiled
def contributions_of_one(asked: Asked, forest: Forest, row: Floats, out: Floats) -> None:
    """Adds the contributions of a row (k,) to ``out`` (k,); lanes are points of the quadrature."""
    size = forest.widest * 2 + 1
    wide = size * _padded(forest)
    scratch = _Scratch(np.empty(len(asked.feature)), np.empty(wide), np.empty(wide), np.empty(size), np.empty(size))
    sums = np.zeros(len(out) * WIDTH)
    _answer(asked, row, scratch.answers, 1, 0)
    for tree in range(len(forest.first) - 1):
        _down_one(forest, tree, scratch)
        _up_one(forest, tree, scratch, sums)
    for feature in range(len(out)):
        for lane in range(WIDTH):
            out[_U(feature)] += sums[_U(feature * WIDTH + lane)]


@compiled
def _down_block(forest: Forest, tree: int, scratch: _Scratch) -> None:
    nodes, block = forest.nodes, _U(len(forest.weights)) * _WIDE
    start, splits = _U(forest.first[tree]), _U(forest.first[tree + 1] - forest.first[tree])
    for point in range(len(forest.weights)):
        store(scratch.down, _U(point) * _WIDE, spread(forest.weights[point]))
    for step in range(splits):
        at = _U(step)
        node = nodes[start + at]
        share = spread(node.right_share)
        answer, threshold = load(scratch.answers, _U(node.answer) * _WIDE), spread(node.threshold)
        here = where_at_most(answer, threshold, spread(0.0), spread(1.0))
        turn = share - here
        if node.before:
            above, side = load(scratch.state, _U(node.before) * _WIDE), spread(np.float64(node.side))
            here = where_same(above, side, here, spread(_FAILED))
            turn = where_same(above, side, turn, spread(0.0))
        store(scratch.state, (at + _ONE) * _WIDE, here)
        store(scratch.beta, at * _WIDE, turn)
        own, left, right = at * block, _U(node.left) * block, _U(node.right) * block
        factor = _U(node.factor) * _padded(forest)
        for point in range(len(forest.weights)):
            q = _U(point) * _WIDE
            whole = load(scratch.down, own + q)
            part = (share - turn * forest.turned[factor + _U(point)]) * whole
            store(scratch.down, right + q, part)
            store(scratch.down, left + q, whole - part)


@compiled
def _up_block(forest: Forest, tree: int, scratch: _Scratch, sums: Floats) -> None:
    nodes, block = forest.nodes, _U(len(forest.weights)) * _WIDE
    start, splits = _U(forest.first[tree]), _U(forest.first[tree + 1] - forest.first[tree])
    leaf = _U(forest.leaves[tree])
    for step in range(splits + _ONE):
        own, value = (splits + _U(step)) * block, spread(forest.value[leaf + _U(step)])
        for point in range(len(forest.weights)):
            store(scratch.up, own + _U(point) * _WIDE, value)
    for step in range(splits):
        at = splits - _ONE - _U(step)
        node = nodes[start + at]
        share, turn = node.right_share, load(scratch.beta, at * _WIDE)
        own, left, right = at * block, _U(node.left) * block, _U(node.right) * block
        factor = _U(node.factor) * _padded(forest)
        place = _U(node.feature) * _WIDE
        for point in range(len(forest.weights)):
            q = _U(point) * _WIDE
            upper = load(scratch.up, left + q)
            gap = upper - load(scratch.up, right + q)
            turned, kept = forest.turned[factor + _U(point)], forest.kept[factor + _U(point)]
            store(scratch.up, own + q, upper - (share - turn * turned) * gap)
            # The sums of a point, and of those that share its lane in `_up_one`, so that the bits are the same there.
            lane = (place + _U(point % WIDTH)) * _WIDE
            store(sums, lane, load(sums, lane) + turn * kept * load(scratch.down, own + q) * gap)


@compiled
def contributions_of_many(asked: Asked, forest: Forest, rows: Floats, out: Floats) -> None:
    """Adds the contributions of rows (n, k) to ``out`` (n, k), to the bit those of each alone; lanes are rows."""
    size = (forest.widest * 2 + 1) * WIDTH
    wide = size * len(forest.weights)
    scratch = _Scratch(
        np.empty(len(asked.feature) * WIDTH), np.empty(wide), np.empty(wide), np.empty(size), np.zeros(size)
    )
    sums = np.empty(out.shape[1] * WIDTH * WIDTH)
    for begin in range(0, len(rows), WIDTH):
        for lane in range(WIDTH):
            _answer(asked, rows[min(begin + lane, len(rows) - 1)], scratch.answers, WIDTH, lane)
        sums[:] = 0.0
        for tree in range(len(forest.first) - 1):
            _down_block(forest, tree, scratch)
            _up_block(forest, tree, scratch, sums)
        for lane in range(min(WIDTH, len(rows) - begin)):
            for feature in range(out.shape[1]):
                for point in range(WIDTH):
                    out[_U(begin + lane), _U(feature)] += sums[_U((feature * WIDTH + point) * WIDTH + lane)]


@compiled
def scores(asked: Asked, forest: Forest, rows: Floats, out: Floats) -> None:
    """Adds the raw score of rows (n, k) to ``out`` (n,), trees in their order: LightGBM's to the last bit."""
    nodes, first, leaves, value = forest.nodes, forest.first, forest.leaves, forest.value
    answers = np.empty(len(asked.feature))
    for row in range(len(rows)):
        _answer(asked, rows[row], answers, 1, 0)
        total = 0.0
        for tree in range(len(first) - 1):
            start, splits = _U(first[tree]), _U(first[tree + 1] - first[tree])
            at = _NONE
            while at < splits:
                node = nodes[start + at]
                at = _U(node.left) if answers[_U(node.answer)] <= node.threshold else _U(node.right)
            total += value[_U(leaves[tree]) + at - splits]
        out[row] += total
