"""Four numbers at once in compiled code: a vector type for numba, computed by the machine's vector instructions.

loops over four numbers are not made into vector instructions by themselves: numba's SLP vectoriser is off, and the one
for loops gives up where it cannot show that arrays are apart. Here a ``Lanes`` is one value of LLVM type
``<4 x double>``; ``+``, ``-`` and ``*`` work on two of them, or on one and a number. Nothing is fused, so that every
machine computes the same bits.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import lower_builtin, models, register_model

from domain.compiled import instruction

WIDTH = 4
_DOUBLES = ir.VectorType(ir.DoubleType(), WIDTH)
_FIRST = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
_BYTES = 8


class Lanes(types.Type):
    """The type of four doubles, within compiled code only."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes{WIDTH}")


_LANES = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _DOUBLES)


def _address(context: Any, builder: Any, kind: Any, array: Any, place: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [place]), _DOUBLES.as_pointer())


def _spread(builder: Any, number: Any) -> Any:
    undefined = ir.Constant(_DOUBLES, ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, _FIRST)


@instruction
def load(_: Any, array: npt.NDArray[np.float64], place: int) -> Any:  # noqa: ARG001  (a type is named for each)
    """The four numbers of a flat array from an unsigned place on, which is not checked."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        found = builder.load(_address(context, builder, sig.args[0], *args))
        found.align = _BYTES
        return found

    return signature(_LANES, array, types.uint64), lower


@instruction
def store(_: Any, array: npt.NDArray[np.float64], place: int, lanes: Any) -> Any:  # noqa: ARG001
    """Writes four numbers into a flat array from an unsigned place on, which is not checked."""

    def lower(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        builder.store(args[2], _address(context, builder, sig.args[0], *args[:2])).align = _BYTES
        return context.get_dummy_value()

    return signature(types.void, array, types.uint64, lanes), lower


@instruction
def spread(_: Any, number: float) -> Any:  # noqa: ARG001
    """Four times the same number."""

    def lower(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return _spread(builder, args[0])

    return signature(_LANES, types.float64), lower


@instruction
def where_at_most(_: Any, left: Any, right: Any, then: Any, otherwise: Any) -> Any:
    """``then`` where ``left <= right``, else ``otherwise``; NaN is at most nothing."""

    def lower(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<=", args[0], args[1]), args[2], args[3])

    return signature(_LANES, left, right, then, otherwise), lower


@instruction
def where_same(_: Any, left: Any, right: Any, then: Any, otherwise: Any) -> Any:
    """``then`` where ``left == right``, else ``otherwise``."""

    def lower(_context: Any, builder: Any, _sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("==", args[0], args[1]), args[2], args[3])

    return signature(_LANES, left, right, then, otherwise), lower


def _arithmetic(symbol: Any, instruction: str) -> None:
    @infer_global(symbol)
    class _Template(AbstractTemplate):  # type: ignore[misc]
        def generic(self, args: Any, _keywords: Any) -> Any:
            ours = all(isinstance(kind, Lanes | types.Float) for kind in args) and Lanes in map(type, args)
            return signature(_LANES, *args) if ours and len(args) == 2 else None

    def lower(_context: Any, builder: Any, sig: Any, args: Any) -> Any:
        pairs = zip(args, sig.args, strict=True)
        wide = [one if isinstance(kind, Lanes) else _spread(builder, one) for one, kind in pairs]
        return getattr(builder, instruction)(*wide)

    for kinds in ((Lanes, Lanes), (Lanes, types.Float), (types.Float, Lanes)):
        lower_builtin(symbol, *kinds)(lower)


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")
