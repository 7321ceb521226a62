"""How the kernel is compiled: many small functions that only ever call each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core import types as numba_types

from domain.compiled import compiled

_F = TypeVar("_F", bound=Callable[..., Any])
_FLAGS = {"no_cfunc_wrapper": True, "error_model": "numpy", "no_rewrites": True}


def part(function: _F) -> _F:
    """A part of the kernel, compiled once for each set of types.

    Left to itself numba compiles a callee anew for every constant that it is called with, which makes a program of a
    hundred functions take minutes; and each gets wrappers for Python that nothing here uses.
    """
    dispatcher = numba.njit(no_cpython_wrapper=True, _nrt=False, **_FLAGS)(function)
    compile_for, unliteral = dispatcher.compile, getattr(numba_types, "unliteral")  # noqa: B009  (unknown to mypy)
    dispatcher.compile = lambda signature: compile_for(tuple(unliteral(kind) for kind in signature))
    return cast(_F, dispatcher)


def entry(function: _F) -> _F:
    """A function of the kernel that Python calls, kept on disk with all its parts in it.

    Its parts hand on records by their address, so that nothing is gained by inlining them whole, which would take half
    a minute more to compile.
    """
    dispatcher = compiled(function)
    cast(Any, dispatcher).targetoptions["forceinline"] = False
    return dispatcher
