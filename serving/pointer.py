"""What an alias of the registry points to: a bundle's folder and the seal it had when the alias was set."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from domain.errors import BundleError

CHAMPION, CHALLENGER = "champion", "challenger"
_PLACE = re.compile(r"bundles/[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class Target:
    """The bundle to serve: ``seal`` is ``None`` where the alias is of before seals were kept."""

    folder: Path
    version: str
    seal: str | None = None


def bundle_folder(registry: Path, version: str) -> Path | None:
    """Where the registry keeps a version; ``None`` where that can be no version's name."""
    place = f"bundles/{version}"
    return registry / place if _PLACE.fullmatch(place) else None


def alias_file(registry: Path, alias: str) -> Path:
    """The small file that names what an alias points to; it is replaced in one step, never written in place."""
    return registry / "aliases" / f"{alias}.json"


def read_target(registry: Path, alias: str) -> Target | None:
    """What an alias points to, ``None`` where it was never set.

    Raises
    ------
    BundleError : the file cannot be read, or names a place that is no bundle of this registry
    """
    path = alias_file(registry, alias)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror})", code="pointer") from error
    return target_of(content, registry, path=path)


def target_of(content: bytes, registry: Path, *, path: Path) -> Target:
    """What the content of an alias file names; raises as ``read_target`` does."""
    try:
        found = json.loads(content)
        place, seal = found["bundle"], found.get("seal")
        version = str(found.get("version", str(place).rpartition("/")[2]))
        if not _PLACE.fullmatch(place) or not isinstance(seal, str | None):
            raise ValueError("names no bundle of this registry")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BundleError(
            f"{path}: cannot be read; promote a version again with `acerto promote`", code="pointer"
        ) from error
    return Target(registry / place, version, seal)
