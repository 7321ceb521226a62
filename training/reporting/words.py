"""The report's words, each in Portuguese and English; they stand in ``words/*.yaml``, a file per group of sections."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

import yaml

from domain.errors import ConfigError
from training.reporting.formatting import number

LOCALES = ("pt-BR", "en")
_PLACE = {"pt-BR": 0, "en": 1}


@dataclass(frozen=True)
class Words:
    """The words of one locale; ``said(name, …)`` fills what is in braces, numbers as they are written there."""

    locale: str
    known: dict[str, str]

    def __call__(self, name: str, **says: Any) -> str:
        """The text of that name.

        Raises
        ------
        ConfigError : there is no such text; each one is in both languages or in none
        """
        if name not in self.known:
            raise ConfigError(f"found no words for {name!r}, needed them in training/reporting/words in both languages")
        return _Local(self.locale).format(self.known[name], **says) if says else self.known[name]

    def has(self, name: str) -> bool:
        """Whether there is such a text."""
        return name in self.known


class _Local(Formatter):
    """Numbers as the locale writes them: ``{rows}``, or ``{share:percent1}`` and ``{gap:3}`` with places."""

    def __init__(self, locale: str) -> None:
        self.locale = locale

    def format_field(self, value: Any, format_spec: str) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return super().format_field(value, format_spec)
        if format_spec.startswith("percent"):
            return number(100.0 * value, int(format_spec.removeprefix("percent") or 0), self.locale) + " %"
        places = int(format_spec) if format_spec else (0 if isinstance(value, int) else 2)
        return number(value, places, self.locale)


def words(locale: str) -> Words:
    """The words of a locale.

    Raises
    ------
    ConfigError : there is no such locale
    """
    if locale not in LOCALES:
        raise ConfigError(f"found the locale {locale!r}, needed one of {', '.join(LOCALES)}")
    return Words(locale, {name: pair[_PLACE[locale]] for name, pair in every_text().items()})


@cache
def every_text() -> dict[str, tuple[str, str]]:
    """All texts, Portuguese and English, by name.

    Raises
    ------
    ConfigError : a text is not in both languages, or a name stands in two files
    """
    found: dict[str, tuple[str, str]] = {}
    for path in sorted(files("training.reporting").joinpath("words").iterdir(), key=lambda one: one.name):
        for name, pair in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(one, str) and one for one in pair):
                raise ConfigError(f"{path.name}: found {name!r} without two texts, needed [Portuguese, English]")
            if name in found:
                raise ConfigError(f"{path.name}: found {name!r} a second time; keep one")
            found[name] = (pair[0], pair[1])
    return found
