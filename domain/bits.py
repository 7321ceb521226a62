"""Sets of small numbers as bits of 64-bit words, for compiled code: a set of actions is split with three operations.

The number ``i`` is bit ``i % 64`` of word ``i // 64``; sets of up to n numbers have ``words(n)`` words.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.core.typing.templates import signature

from domain.compiled import compiled, instruction

Words = npt.NDArray[np.uint64]
WIDTH = 64
ONE = np.uint64(1)
"""Words and numbers stay unsigned throughout: numba makes a float of a signed and an unsigned one together."""


def words(n: int) -> int:
    """How many words a set of numbers below ``n`` takes."""
    return -(-n // WIDTH)


def packed(member: npt.NDArray[np.bool_]) -> Words:
    """Sets (m, ``words(n)``) of the numbers whose place in a row of ``member`` (m, n) is true."""
    found = np.zeros((len(member), words(member.shape[1])), dtype=np.uint64)
    _pack(np.ascontiguousarray(member), found)
    return found


@compiled
def _pack(member: npt.NDArray[np.bool_], found: Words) -> None:
    for row in range(member.shape[0]):
        for number in range(member.shape[1]):
            if member[row, number]:
                found[row, number // WIDTH] |= ONE << np.uint64(number % WIDTH)


@instruction
def lowest(_: Any, word: int) -> Any:  # noqa: ARG001  (a type is named for each)
    """The lowest bit that is set in a word, by the machine's own instruction; 64 where none is."""

    def lower(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 0))

    return signature(types.uint64, types.uint64), lower
