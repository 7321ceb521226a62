"""What a run was computed with: versions of the packages that a model depends on, and the program's own code."""

from __future__ import annotations

import hashlib
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from decisioning.integrity import canonical_json

PACKAGES = ("duckdb", "lightgbm", "numba", "numpy", "pandas", "pyarrow", "pydantic", "scikit-learn", "scipy")
"""Those that compute on the way from files to boosters; the others show, keep or serve."""
_OWN = ("domain", "features", "decisioning", "training")


def lock() -> dict[str, str]:
    """Versions by package, with Python's and the processor's architecture."""
    found = {name: _version(name) for name in PACKAGES}
    return {**found, "python": platform.python_version(), "machine": platform.machine()}


def lock_hash(versions: dict[str, str]) -> str:
    """SHA-256 of those versions."""
    return hashlib.sha256(canonical_json(versions)).hexdigest()


@cache
def code() -> dict[str, str]:
    """SHA-256 of the source of each package of the program that training runs through."""
    return {name: _source(Path(__file__).parents[2] / name) for name in _OWN}


def _source(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
