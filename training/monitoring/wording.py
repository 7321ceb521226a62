"""The words of monitoring, each in Portuguese and English; they stand in ``words/monitoring.yaml``."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import yaml

from domain.errors import ConfigError
from training.reporting.words import LOCALES, Words


def words_of(locale: str) -> Words:
    """The words of a locale.

    Raises
    ------
    ConfigError : there is no such locale
    """
    if locale not in LOCALES:
        raise ConfigError(f"found the locale {locale!r}, needed one of {', '.join(LOCALES)}")
    return Words(locale, {name: pair[LOCALES.index(locale)] for name, pair in every_text().items()})


@cache
def every_text() -> dict[str, tuple[str, str]]:
    """All texts, Portuguese and English, by name."""
    path = files("training.monitoring").joinpath("words/monitoring.yaml")
    return {name: (pair[0], pair[1]) for name, pair in yaml.safe_load(path.read_text(encoding="utf-8")).items()}


def way_out(code: str) -> dict[str, str]:
    """What to do about an alert, by locale."""
    return dict(zip(LOCALES, every_text()[f"way_out.{code}"], strict=True))
