"""Trees walked once per account for all of its actions.

``Booster.predict`` on every account × action walks the nodes of the account again for each action. Here a tree carries
the whole set of actions down, as bits, and splits it only where a node asks about the action: at once where it asks
what the action is, which is the same for all accounts, and by pair of channel and part of the day where it asks how
that has fared. Sums run in the order of the trees, so that the margins are those of LightGBM to the last bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from decisioning.candidates import Grid
from decisioning.tree_text import CATEGORICAL, DEFAULT_LEFT, INT32_END, MISSING_NAN, MISSING_ZERO, ZERO
from domain.bits import ONE, Words, lowest
from domain.compiled import compiled

Floats = npt.NDArray[np.float64]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]

_BLOCK = 32
_U = numba.uint64
_NONE, _WIDE = np.uint64(0), np.uint64(64)


class Sets(NamedTuple):
    """Sets of the A actions, as words of bits.

    ``wanted`` (n, words) of each row; ``answered`` (nodes, words) those that go left at a node that asks what an action
    is, and none elsewhere; ``alike`` (P, words) those of each pair of channel and part of the day.
    """

    wanted: Words
    answered: Words
    alike: Words


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
def leftward(nodes: Nodes, static: Floats, own: int) -> npt.NDArray[np.bool_]:
    """(nodes, A) which actions go left where a node asks about one of their ``static`` (A, s) features; else false.

    ``own`` is how many features of the account stand before these.
    """
    found = np.zeros((len(nodes.feature), len(static)), dtype=np.bool_)
    for node in range(len(nodes.feature)):
        column = nodes.feature[node] - own
        if 0 <= column < static.shape[1]:
            for action in range(len(static)):
                found[node, action] = _goes_left(nodes.kind[node], nodes.threshold[node], static[action, column])
    return found


@compiled
def _descended(nodes: Nodes, values: Floats, row: int, node: int) -> int:
    """The first node from ``node`` on that does not ask about the account itself, or a leaf."""
    while node >= 0 and nodes.feature[node] < values.shape[1]:
        value = values[row, nodes.feature[node]]
        if nodes.kind[node] & CATEGORICAL:
            here = _listed(nodes.bits, nodes.bits_from[node], nodes.bits_to[node], value)
        else:
            here = _goes_left(nodes.kind[node], nodes.threshold[node], value)
        node = nodes.left[node] if here else nodes.right[node]
    return node


@compiled
def _answer(nodes: Nodes, grid: Grid, sets: Sets, at: tuple[int, int], found: tuple[Words, Words]) -> None:
    """Which actions go left for a row, ``at`` being a node and the row: of the first set of ``found``, to the second.

    The second may then have others that go left too.
    """
    (node, row), (here, goes) = at, found
    column = nodes.feature[node] - grid.values.shape[1] - grid.static.shape[1]
    for word in range(len(goes)):
        goes[word] = sets.answered[node, word]
        rest = here[word] if column >= 0 else _NONE
        while rest != _NONE:
            pair = grid.past[_U(word) * _WIDE + lowest(rest)]
            rest &= ~sets.alike[pair, word]
            if _goes_left(nodes.kind[node], nodes.threshold[node], grid.history[row, pair, column]):
                goes[word] |= sets.alike[pair, word]


@compiled
def _split(here: Words, goes: Words, other: Words) -> tuple[bool, bool]:
    """Whether some go left and whether some go right; where both, those that go left move to ``other``."""
    some, others = _NONE, _NONE
    for word in range(len(here)):
        some, others = some | here[word] & goes[word], others | here[word] & ~goes[word]
    if some and others:
        for word in range(len(here)):
            other[word], here[word] = here[word] & goes[word], here[word] & ~goes[word]
    return some != _NONE, others != _NONE


@compiled
def _add(value: float, here: Words, row: int, out: Floats) -> None:
    for word in range(len(here)):
        rest = here[word]
        while rest != _NONE:
            out[row, _U(word) * _WIDE + lowest(rest)] += value
            rest &= rest - ONE


@compiled
def walk(nodes: Nodes, grid: Grid, sets: Sets, out: Floats) -> None:
    """Adds every tree to ``out`` (n, A): a stack of nodes with sets of actions, a set being split where its node asks.

    Blocks of rows share a tree while its nodes are in cache; within a row the trees come in their order.
    """
    # Every set on the stack holds an action of its own, so it is never deeper than there are actions.
    deepest, wide = out.shape[1] + 2, sets.wanted.shape[1]
    waiting, stack = np.empty(deepest, dtype=np.int64), np.empty((deepest, wide), dtype=np.uint64)
    goes = np.empty(wide, dtype=np.uint64)
    for block in range(0, len(out), _BLOCK):
        for root in nodes.root:
            for row in range(block, min(block + _BLOCK, len(out))):
                waiting[0], depth = root, 1
                stack[0] = sets.wanted[row]
                while depth:
                    depth -= 1
                    node = _descended(nodes, grid.values, row, waiting[depth])
                    while node >= 0:
                        _answer(nodes, grid, sets, (node, row), (stack[depth], goes))
                        some, others = _split(stack[depth], goes, stack[depth + 1])
                        if some and others:
                            waiting[depth] = nodes.right[node]
                            depth += 1
                        node = _descended(nodes, grid.values, row, nodes.left[node] if some else nodes.right[node])
                    _add(nodes.leaf[-1 - node], stack[depth], row, out)
