"""The pages' own words, in both languages (``templates/words.yaml``); a decision's are in ``decisioning.audiences``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

_FILE = Path(__file__).parents[1] / "templates" / "words.yaml"


@cache
def words(locale: str) -> Mapping[str, Any]:
    """Every text of the pages in a language, and those of codes by their kind."""
    place = 1 if locale == "en" else 0
    read = yaml.safe_load(_FILE.read_text(encoding="utf-8"))
    by_kind = {kind: {name: both[place] for name, both in some.items()} for kind, some in read.items()}
    return {**by_kind.pop("texts"), **by_kind}
