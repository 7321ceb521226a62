"""Compiling arithmetic with numba, cached on disk, and never from a cache older than what was compiled into it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from inspect import getsourcefile
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """A function compiled at its first call, for the types of that call; callable from other compiled functions.

    Numba keeps the machine code of a function until *its* file changes, although code of other files is inlined in it.
    Here any change in ``domain/``, or beside the function, makes it compile again.
    """
    dispatcher = numba.njit(cache=True)(function)
    own_folder = Path(getsourcefile(function) or __file__).resolve().parent
    # The one place to hang a stamp on: numba compares it when it opens the index of its cache.
    dispatcher._cache._cache_file._source_stamp = (_stamp(own_folder), _stamp(Path(__file__).resolve().parent))
    return cast(F, dispatcher)


@lru_cache
def _stamp(folder: Path) -> str:
    digest = sha256()
    for file in sorted(folder.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()
