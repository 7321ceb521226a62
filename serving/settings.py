"""Where the service finds its model and its configuration: environment variables, read once at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import limits

from domain.errors import BundleError, ConfigError
from serving.pointer import CHALLENGER, CHAMPION, read_target

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 3000
DEFAULT_LOG_SHARE = 0.01
DEFAULT_DRAIN_S = 5.0
DEFAULT_DEADLINE_S = 10.0
DEFAULT_RATE = "6000/minute"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is taken at a time.

    ``threads`` requests are computed at once and ``large_threads`` of those about many accounts beside them, which
    nobody who asks about few has to wait for. ``queue`` more may wait, or ``short_queue`` while more come than can be
    answered (``admission``), none of them longer than ``deadline_s`` for its turn; a body has ``body_s`` to arrive.
    ``rate`` is how often one client may come, such as ``50/second``.
    """

    threads: int = 1
    large_threads: int = 1
    queue: int = 32
    short_queue: int = 0
    deadline_s: float = DEFAULT_DEADLINE_S
    body_s: float = 30.0
    rate: str = DEFAULT_RATE

    @property
    def computed(self) -> int:
        """How many are computed at once at most."""
        return self.threads + self.large_threads


@dataclass(frozen=True, slots=True)
class Settings:
    """``bundle`` is the model's folder and ``notice`` says where it is not the champion; ``reports`` may be absent.

    ``feature_log`` is the folder that takes ``feature_log_share`` of what is scored; by default nothing is kept.
    ``prices`` is a price list that ``acerto decide`` wrote, or a folder with such; without it nothing is limited.
    ``seal`` is the one that the bundle had when its alias was set, where that is known.
    """

    bundle: Path
    configs: Path = Path("configs")
    reports: Path | None = None
    notice: str | None = None
    feature_log: Path | None = None
    feature_log_share: float = DEFAULT_LOG_SHARE
    prices: Path | None = None
    seal: str | None = None


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from the environment variables ``ACERTO_*`` that docs/api.md lists.

    Raises
    ------
    BundleError : there is no model to serve
    ConfigError : a variable holds what it cannot
    """
    found = _found(environ)
    # Used elsewhere; read here too, so that what is wrong is told before anything is started.
    read_shadow(environ)
    read_drain_s(environ)
    read_limits(environ)
    is_insecure(environ)
    return replace(
        found,
        configs=Path(environ.get("ACERTO_CONFIGS", "configs")),
        reports=_path(environ.get("ACERTO_REPORTS")),
        feature_log=_path(environ.get("ACERTO_FEATURE_LOG")),
        feature_log_share=_number(
            environ, "ACERTO_FEATURE_LOG_SHARE", DEFAULT_LOG_SHARE, most=1.0, needed="a number between 0 and 1"
        ),
        prices=_path(environ.get("ACERTO_PRICES")),
    )


def registry_of(environ: Mapping[str, str]) -> Path:
    """The folder with aliases and bundles."""
    return Path(environ.get("ACERTO_MLRUNS", "mlruns"))


def read_shadow(environ: Mapping[str, str]) -> tuple[bool, Path | None]:
    """``ACERTO_SHADOW`` and ``ACERTO_SHADOW_LOG``: whether the challenger is asked too, and what takes the comparison.

    Raises
    ------
    ConfigError : another model than the challenger is asked for
    """
    named = environ.get("ACERTO_SHADOW") or None
    if named not in (None, CHALLENGER):
        raise ConfigError(f"ACERTO_SHADOW: found {named!r}, needed {CHALLENGER!r}, or nothing")
    return named is not None, _path(environ.get("ACERTO_SHADOW_LOG"))


def read_drain_s(environ: Mapping[str, str]) -> float:
    """``ACERTO_DRAIN_S`` alone: how long connections are still taken after the service was told to end."""
    return _seconds(environ, "ACERTO_DRAIN_S", DEFAULT_DRAIN_S)


def is_insecure(environ: Mapping[str, str]) -> bool:
    """``ACERTO_INSECURE`` alone: whether requests need no key, and only those of this machine are answered.

    Raises
    ------
    ConfigError : it is neither 1 nor 0
    """
    named = environ.get("ACERTO_INSECURE") or "0"
    if named not in ("0", "1"):
        raise ConfigError(f"ACERTO_INSECURE: found {named!r}, needed 1 to serve without keys, or nothing")
    return named == "1"


def read_limits(environ: Mapping[str, str]) -> Limits:
    """``ACERTO_RATE_LIMIT`` and ``ACERTO_DEADLINE_S``: how often a client may come, how long a request waits.

    Raises
    ------
    ConfigError : one of them cannot be read
    """
    rate = environ.get("ACERTO_RATE_LIMIT") or DEFAULT_RATE
    try:
        most = limits.parse(rate).amount
    except ValueError:
        most = 0
    if most < 1:
        raise ConfigError(f"ACERTO_RATE_LIMIT: found {rate!r}, needed such as {DEFAULT_RATE} or 50/second")
    deadline_s = _seconds(environ, "ACERTO_DEADLINE_S", DEFAULT_DEADLINE_S)
    return Limits(rate=rate, deadline_s=deadline_s)


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    return _number(environ, name, default, most=3600.0, needed="seconds from 0 to 3600")


def _number(environ: Mapping[str, str], name: str, default: float, *, most: float, needed: str) -> float:
    text = environ.get(name)
    try:
        found = float(text) if text else default
    except ValueError:
        found = -1.0
    if not 0 <= found <= most:
        raise ConfigError(f"{name}: found {text!r}, needed {needed}, such as {default:g}")
    return found


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _found(environ: Mapping[str, str]) -> Settings:
    named = environ.get("ACERTO_BUNDLE")
    if named:
        return Settings(bundle=Path(named))
    registry = registry_of(environ)
    for alias in (CHAMPION, CHALLENGER):
        target = read_target(registry, alias)
        if target is not None:
            notice = None if alias == CHAMPION else "no version was promoted yet: this is the challenger"
            return Settings(bundle=target.folder, seal=target.seal, notice=notice)
    raise BundleError(
        f"found no model in {registry}; train one with `acerto train` and promote it with `acerto promote`, "
        "or name a bundle's folder in ACERTO_BUNDLE"
    )
