from __future__ import annotations

import re
from pathlib import Path

import pytest

from domain.errors import ConfigError
from training.reporting.catalogue import SECTIONS
from training.reporting.formatting import number
from training.reporting.lights import WORSE
from training.reporting.words import every_text, words

SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in sorted(Path("training/reporting").glob("*.py")))
FILLED = re.compile(r"\{(\w+)(?::\w*)?\}")


@pytest.mark.parametrize("name", sorted(every_text()))
def test_both_languages_say_the_same_figures(name: str) -> None:
    first, second = (sorted(FILLED.findall(text)) for text in every_text()[name])
    assert first == second


@pytest.mark.parametrize("code", sorted(WORSE))
def test_every_light_has_words(code: str) -> None:
    assert words("en").has(f"light.{code}")


@pytest.mark.parametrize("kind, call", [("note", "note"), ("column", "Column"), ("table", "table")])
def test_whatever_a_section_names_has_words(kind: str, call: str) -> None:
    named = set(re.findall(rf'\b{call}\(\s*"(\w+)"', SOURCES))
    assert named and not [name for name in sorted(named) if f"{kind}.{name}" not in every_text()]


def test_every_section_has_a_title_of_its_own() -> None:
    titles = [pair for name, pair in every_text().items() if name.startswith("section.")]
    assert len(set(titles)) == len(titles) == len(SECTIONS)


def test_there_are_the_twenty_sections_and_those_on_decisions() -> None:
    assert len(SECTIONS) == 28


def test_a_text_without_words_is_refused() -> None:
    with pytest.raises(ConfigError, match="both languages"):
        words("en")("note.nothing")


def test_an_unknown_locale_is_refused() -> None:
    with pytest.raises(ConfigError, match="pt-BR, en"):
        words("fr")


@pytest.mark.parametrize("locale, text", [("pt-BR", "1.234,50"), ("en", "1,234.50")])
def test_numbers_are_written_as_the_reader_writes_them(locale: str, text: str) -> None:
    assert number(1234.5, 2, locale) == text


def test_a_number_that_is_not_there_is_a_dash() -> None:
    assert (number(None, 2, "en"), number(float("nan"), 2, "en")) == ("–", "–")
