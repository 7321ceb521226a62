from typing import Literal

import pytest
from pydantic import BaseModel

from domain.config import load_section, parse_section
from domain.errors import ConfigError


class Inner(BaseModel, frozen=True, extra="forbid"):
    unit_cost: float
    kind: Literal["a", "b"] = "a"


class Outer(BaseModel, frozen=True, extra="forbid"):
    horizon_days: list[int] = [30]
    channels: dict[str, Inner] = {}
    inner: Inner | None = None


def refusal(raw):
    with pytest.raises(ConfigError) as caught:
        parse_section(raw, Outer, source="x.yaml")
    return str(caught.value)


def test_an_unknown_key_is_refused_with_the_nearest_known_one():
    assert "horizons_days: unknown key; did you mean 'horizon_days'?" in refusal({"horizons_days": [7]})


def test_an_unknown_key_is_placed_and_helped_inside_a_mapping():
    message = refusal({"channels": {"sms": {"unit_cost": 1, "unit_costs": 2}}})
    assert "channels.sms.unit_costs: unknown key; did you mean 'unit_cost'?" in message


def test_an_unknown_key_is_helped_inside_an_optional_section():
    assert "did you mean 'unit_cost'?" in refusal({"inner": {"unit_cost": 1, "unitcost": 2}})


def test_a_key_like_no_other_lists_what_is_known():
    assert "known keys: channels, horizon_days, inner" in refusal({"zzzz": 1})


def test_a_wrong_value_is_named_with_its_place_and_what_was_found():
    message = refusal({"inner": {"unit_cost": 1, "kind": "c"}})
    assert "inner.kind: found 'c'" in message and "'a' or 'b'" in message


def test_all_problems_are_named_at_once():
    message = refusal({"horizon_days": "soon", "zzzz": 1})
    assert "horizon_days" in message and "zzzz" in message


def test_something_that_is_no_mapping_is_refused():
    assert "found list, needed a mapping" in refusal([1])


def test_a_missing_file_names_the_option_that_would_help(tmp_path):
    with pytest.raises(ConfigError, match="--configs"):
        load_section(tmp_path / "none.yaml", Outer)


def test_broken_yaml_and_a_key_written_twice_are_refused_with_their_file(tmp_path):
    file = tmp_path / "x.yaml"
    for text, words in (("a: [1", "not valid YAML"), ("horizon_days: [1]\nhorizon_days: [2]\n", "line 2.*twice")):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match=f"(?s)x.yaml.*{words}"):
            load_section(file, Outer)


def test_an_empty_file_is_all_defaults(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text("# nothing\n", encoding="utf-8")
    assert load_section(file, Outer) == Outer()
