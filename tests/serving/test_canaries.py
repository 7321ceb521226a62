"""The short form of benchmarks/soak_canaries.py: made-up personal data through every path of a real service."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import soak_canaries
from canaries import Canary, Ground, Nest
from hypothesis import given
from hypothesis import strategies as st

CONFIGS = Path(__file__).parents[2] / "configs"
SPELLINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "in percent": lambda text: quote(text, safe=""),
    "in base64, at the start": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64, one further": lambda text: base64.b64encode(b"a" + text.encode()).decode(),
    "in base64, two further": lambda text: base64.b64encode(b"ab" + text.encode()).decode(),
    "in base64 of addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "in hexadecimal": lambda text: text.encode().hex(),
    "in a JSON text": json.dumps,
    "in a Python repr of bytes": lambda text: repr(text.encode()),
    "as twelve of its characters": lambda text: text[-12:],
}
places = st.binary(max_size=40)


@pytest.fixture(scope="module")
def found(bundle: Path, next_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("canaries")
    return soak_canaries.soak(folder, bundles=(bundle, next_bundle), configs=CONFIGS)


def test_no_made_up_personal_data_is_anywhere_but_in_the_store(found: dict[str, Any]) -> None:
    assert found["leaks"] == {}


def test_at_least_500_were_planted_in_requests_of_every_status(found: dict[str, Any]) -> None:
    assert found["planted"] >= 500
    assert soak_canaries.STATUSES - set(found["statuses"]) == set()


def test_what_is_logged_on_purpose_is_found_there_and_nowhere_else(found: dict[str, Any]) -> None:
    assert found["leaked"] == ["stdout"]


def test_every_line_of_the_service_is_a_json_object_with_moment_event_and_level(found: dict[str, Any]) -> None:
    assert found["unstructured"] == []


@pytest.mark.parametrize("spelling", SPELLINGS)
@given(number=st.integers(0, 19), before=places, after=places)
def test_a_canary_is_found_however_it_is_written(spelling: str, number: int, before: bytes, after: bytes) -> None:
    canary = laid()[number]
    content = before + SPELLINGS[spelling](canary.text).encode() + after
    assert canary in Ground(content).seen(laid())


@given(number=st.integers(0, 19))
def test_what_holds_another_canary_holds_none_of_these(number: int) -> None:
    assert Ground(laid(seed=2)[number].text.encode()).seen(laid()) == set()


def laid(seed: int = 1) -> list[Canary]:
    nest = Nest(seed)
    for _ in range(20):
        nest.lay()
    return nest.made
