"""Every check is worded, in both languages, with what to do about it."""

from __future__ import annotations

from string import Formatter

import pytest

from training.monitoring.config import FAMILIES, TESTED
from training.monitoring.wording import every_text, words_of


@pytest.mark.parametrize("code", FAMILIES)
def test_every_check_has_a_name_and_a_way_out(code):
    assert {f"check.{code}", f"way_out.{code}"} <= every_text().keys()


@pytest.mark.parametrize("family", [*TESTED, "counts"])
def test_every_family_has_a_section(family):
    assert f"section.{family}" in every_text()


@pytest.mark.parametrize("name", every_text())
def test_both_languages_are_filled_with_the_same(name):
    fields = [{field for _, field, _, _ in Formatter().parse(one) if field} for one in every_text()[name]]
    assert fields[0] == fields[1]


def test_no_word_is_of_a_check_that_is_not_there():
    named = {name.partition(".")[2] for name in every_text() if name.startswith(("check.", "way_out."))}
    assert named == set(FAMILIES) and words_of("en")("title") != words_of("pt-BR")("title")
