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
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])
_ROOT = Path(__file__).resolve().parents[1]
_IMPORT = re.compile(rb"^[ \t]*(?:from|import) +([\w.]+)(?: +import +(\([^)]*\)|[^\n]*))?", re.MULTILINE)
_NAME = re.compile(r"\w+")


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
        stamp = stamp_of(Path(getsourcefile(function) or __file__).resolve())
        cache._cache_file = IndexDataCacheFile(cache._cache_path, f"{cache._impl.filename_base}-{stamp[:12]}", stamp)
    return cast(F, dispatcher)


def instruction(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function for compiled code that says its own instructions; called without its first argument, numba's own."""
    return cast(Callable[..., Any], intrinsic(function))


@lru_cache
def stamp_of(file: Path, *, root: Path = _ROOT) -> str:
    """Hash of a file and of the files below ``root`` that it imports, directly or not; same bytes, same hash."""
    sources: dict[Path, bytes] = {}
    waiting = [file]
    while waiting:
        path = waiting.pop()
        if path not in sources and path.is_file():
            sources[path], imported = _read(path, root)
            waiting += imported
    return sha256(b"\0".join(sources[path] for path in sorted(sources))).hexdigest()


@lru_cache
def _read(path: Path, root: Path) -> tuple[bytes, list[Path]]:
    source = path.read_bytes()
    return source, imported_by(source, root)


def imported_by(source: bytes, root: Path) -> list[Path]:
    """The files below ``root`` that a module names in its imports, packages' own files too; some may not exist.

    Takes imports to be absolute, as they are in this house; a name that is imported may be a module or not.
    """
    modules: set[str] = set()
    for line, names in _IMPORT.findall(source):
        package = line.decode()
        modules |= {package, *(f"{package}.{name}" for name in _NAME.findall(names.decode()))}
    parts = {tuple(module.split(".")) for module in modules}
    packages = {path[:end] for path in parts for end in range(1, len(path))}
    modules_and_packages = [root.joinpath(*path) for path in sorted(parts | packages)]
    return [file for place in modules_and_packages for file in (place.with_suffix(".py"), place / "__init__.py")]
