"""Compiling arithmetic with numba, cached on disk, and never from a cache older than what was compiled into it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from inspect import getsourcefile
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile

F = TypeVar("F", bound=Callable[..., Any])
_ROOT = Path(__file__).resolve().parents[1]
_IMPORT = re.compile(rb"^from (\w+)\.(\w+) import", re.MULTILINE)


def compiled(function: F) -> F:
    """A function compiled at its first call, for the types of that call; callable from other compiled functions.

    Numba alone keeps machine code until the *own* file of a function changes, although code and constants of other
    files are inlined in it. Here a change in any of our files that it imports, directly or not, compiles it again.
    """
    # Inlined, because each call that hands an array on counts a reference atomically, which cost half the time.
    dispatcher = numba.njit(cache=True, forceinline=True)(function)
    cache = getattr(dispatcher, "_cache", None)
    if isinstance(cache, FunctionCache):
        # In the file name, because numba unpickles the index, and with it our types, before it looks at the stamp.
        stamp = _stamp(Path(getsourcefile(function) or __file__).resolve())
        cache._cache_file = IndexDataCacheFile(cache._cache_path, f"{cache._impl.filename_base}-{stamp[:12]}", stamp)
    return cast(F, dispatcher)


@lru_cache
def _stamp(file: Path) -> str:
    """Hash of a file and of our files that it imports."""
    sources: dict[Path, bytes] = {}
    waiting = [file]
    while waiting:
        path = waiting.pop()
        if path not in sources and path.is_file():
            sources[path] = path.read_bytes()
            waiting += [
                _ROOT / package.decode() / f"{name.decode()}.py" for package, name in _IMPORT.findall(sources[path])
            ]
    return sha256(b"\0".join(sources[path] for path in sorted(sources))).hexdigest()
