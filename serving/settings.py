"""Where the service finds its model and its configuration: environment variables, read once at the edge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from domain.errors import BundleError, ConfigError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 3000
DEFAULT_LOG_SHARE = 0.01
_ALIASES = ("champion", "challenger")


@dataclass(frozen=True, slots=True)
class Settings:
    """``bundle`` is the model's folder and ``notice`` says where it is not the champion; ``reports`` may be absent.

    ``threads`` requests are computed at a time, ``queue`` more may wait; the next one is told to come back.
    ``feature_log`` is the folder that takes ``feature_log_share`` of what is scored; by default nothing is kept.
    ``prices`` is a price list that ``acerto decide`` wrote, or a folder with such; without it nothing is limited.
    """

    bundle: Path
    configs: Path = Path("configs")
    reports: Path | None = None
    notice: str | None = None
    threads: int = 2
    queue: int = 64
    feature_log: Path | None = None
    feature_log_share: float = DEFAULT_LOG_SHARE
    prices: Path | None = None


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from the environment variables ``ACERTO_*`` that docs/api.md lists.

    Raises
    ------
    BundleError : there is no model to serve
    ConfigError : a variable holds what it cannot
    """
    bundle, notice = _bundle(environ)
    return Settings(
        bundle=bundle,
        configs=Path(environ.get("ACERTO_CONFIGS", "configs")),
        reports=_path(environ.get("ACERTO_REPORTS")),
        notice=notice,
        feature_log=_path(environ.get("ACERTO_FEATURE_LOG")),
        feature_log_share=_share(environ.get("ACERTO_FEATURE_LOG_SHARE")),
        prices=_path(environ.get("ACERTO_PRICES")),
    )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _share(text: str | None) -> float:
    try:
        share = float(text) if text else DEFAULT_LOG_SHARE
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ConfigError(
            f"ACERTO_FEATURE_LOG_SHARE: found {text!r}, needed a number between 0 and 1, such as {DEFAULT_LOG_SHARE}"
        )
    return share


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
