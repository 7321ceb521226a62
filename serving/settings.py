"""Where the service finds its model and its configuration: environment variables, read once at the edge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.errors import BundleError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 3000
_ALIASES = ("champion", "challenger")


@dataclass(frozen=True, slots=True)
class Settings:
    """``bundle`` is the model's folder and ``notice`` says where it is not the champion; ``reports`` may be absent.

    ``threads`` requests are computed at a time, ``queue`` more may wait; the next one is told to come back.
    """

    bundle: Path
    configs: Path = Path("configs")
    reports: Path | None = None
    notice: str | None = None
    threads: int = 2
    queue: int = 64


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from ``ACERTO_BUNDLE``, ``ACERTO_MLRUNS``, ``ACERTO_CONFIGS`` and ``ACERTO_REPORTS``.

    Raises
    ------
    BundleError : there is no model to serve
    """
    bundle, notice = _bundle(environ)
    reports = environ.get("ACERTO_REPORTS")
    return Settings(
        bundle=bundle,
        configs=Path(environ.get("ACERTO_CONFIGS", "configs")),
        reports=Path(reports) if reports else None,
        notice=notice,
    )


def _bundle(environ: Mapping[str, str]) -> tuple[Path, str | None]:
    named = environ.get("ACERTO_BUNDLE")
    if named:
        return Path(named), None
    registry = Path(environ.get("ACERTO_MLRUNS", "mlruns"))
    for alias in _ALIASES:
        pointer = registry / "aliases" / f"{alias}.json"
        if pointer.is_file():
            notice = None if alias == "champion" else "no version was promoted yet: this is the challenger"
            return _followed(pointer, registry), notice
    raise BundleError(
        f"found no model in {registry}; train one with `acerto train` and promote it with `acerto promote`, "
        "or name a bundle's folder in ACERTO_BUNDLE"
    )


def _followed(pointer: Path, registry: Path) -> Path:
    try:
        place = json.loads(pointer.read_text(encoding="utf-8"))["bundle"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BundleError(f"{pointer}: cannot be read; promote a version again with `acerto promote`") from error
    return registry / str(place)
