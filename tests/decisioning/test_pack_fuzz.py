"""A pack that is wrong in any way is refused when it is read, with file, line and reason."""

from __future__ import annotations

import copy
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from decisioning.contact_policy import RULE_KINDS, ContactPolicy, load_contact_policy
from decisioning.contact_policy.pack import Names, read_pack
from domain.errors import ConfigError
from features.config import Attribute
from features.vocabulary import CHANNELS

FOLDER = Path(__file__).parents[2] / "configs" / "contact_policy"
ATTRIBUTES = {"income": Attribute(kind="numeric"), "religion": Attribute(kind="categorical", protected=True)}
CAP = """pack: x
notice: none
rules:
  - id: x.cap
    kind: frequency_cap
    max_contacts: 3
    days: 7
    legal_basis: a law
    wording: {pt-BR: não, en: "no"}
"""
WINDOW = """pack: x
rules:
  - id: x.window
    kind: call_window
    hours: {mon: [8, 20]}
    country: BR
    legal_basis: a law
    wording: {pt-BR: não, en: "no"}
"""
DATES = CAP.replace("days: 7", "days: 7\n    effective_from: 2026-02-01\n    effective_to: 2026-01-01")
VOLUME = CAP.replace("frequency_cap", "daily_volume").replace("days: 7", "timezone: Mars/Olympus")


def _load(folder: Path, text: str) -> ContactPolicy:
    (folder / "x.yaml").write_text(text, encoding="utf-8")
    return load_contact_policy(folder, ["x"], channels=("sms", "email"), attributes=ATTRIBUTES)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (CAP.replace("frequency_cap", "frequency_caps"), 5, "did you mean 'frequency_cap'"),
        (CAP.replace("kind: frequency_cap", "kind: [frequency_cap]"), 5, "kind: found"),
        (CAP.replace("max_contacts", "max_contact"), 6, "did you mean 'max_contacts'"),
        (CAP.replace("max_contacts: 3", "max_contacts: three"), 6, "valid integer"),
        (CAP.replace("max_contacts: 3", "max_contacts: '3'"), 6, "valid integer"),
        (CAP.replace("max_contacts: 3", "max_contacts: true"), 6, "valid integer"),
        (CAP.replace("max_contacts: 3", "max_contacts: 0"), 6, "greater than or equal to 1"),
        (CAP.replace("max_contacts: 3", "max_contacts: .nan"), 6, "max_contacts"),
        (CAP.replace("days: 7", "days: 90"), 7, "days"),
        (CAP.replace("    days: 7\n", ""), 4, "days: .*Field required"),
        (CAP.replace("days: 7", "days: 7\n    days: 8"), 8, "written twice"),
        (CAP.replace("days: 7", "days: 7\n    channels: [smss]"), 4, "did you mean 'sms'"),
        (CAP.replace("days: 7", "days: 7\n    channels: []"), 8, "channels"),
        (CAP.replace("days: 7", "days: 7\n    scope: planet"), 8, "scope"),
        (CAP.replace("days: 7", "days: 7\n    where: {regions: [BR-ZZ]}"), 8, "ISO 3166-2"),
        (CAP.replace("days: 7", "days: 7\n    where: {}"), 8, "at least one of"),
        (CAP.replace("days: 7", "days: 7\n    where: {attributes: {incom: {at_least: 1}}}"), 4, "mean 'income'"),
        (CAP.replace("days: 7", "days: 7\n    where: {age: {at_least: 2, at_most: 1}}"), 8, "above"),
        (CAP.replace("days: 7", "days: 7\n    except_where: {age: {at_least: 60}}"), 4, "protected"),
        (CAP.replace("days: 7", "days: 7\n    except_where: {attributes: {religion: {one_of: [a]}}}"), 4, "religion"),
        (CAP.replace("days: 7", "days: 7\n    effective_from: 2026-02-30"), None, "not valid YAML"),
        (CAP.replace("days: 7", "days: 7\n    effective_from: 20260101"), 8, "needed a day"),
        (CAP.replace("days: 7", "days: 7\n    effective_from: 2026-01-01 10:00:00"), 8, "needed a day"),
        (DATES, 4, "must be before"),
        (CAP.replace("days: 7", "days: 7\n    unsettled: true"), 4, "needs a note"),
        (CAP.replace("days: 7", "days: 7\n    not_counted: [vanished]"), 8, "not_counted"),
        (CAP.replace("days: 7", "days: 7\n    layer: optional"), 8, "layer"),
        (CAP.replace("pt-BR: não, ", ""), 9, "pt-BR"),
        (CAP.replace("en: \"no\"", "en: ''"), 9, "at least 1 character"),
        (CAP.replace("x.cap", "X Cap"), 4, "id"),
        (CAP.replace("    legal_basis: a law\n", ""), 4, "legal_basis"),
        (CAP + CAP.partition("rules:\n")[2], 10, "two rules"),
        (CAP.replace("pack: x", "pack: y"), 1, "the name of the file"),
        (CAP.replace("notice: none", "notices: none"), 2, "did you mean 'notice'"),
        (CAP.replace("rules:", "rules: 7\nx:"), 3, "rules"),
        (CAP + "  - nothing\n", 10, "dictionary"),
        (CAP.replace("id: x.cap", "[a]: x.cap"), 4, "needed a name"),
        (CAP + "  }\n", None, "not valid YAML"),
        (WINDOW.replace("[8, 20]", "[20, 8]"), 5, "from < to"),
        (WINDOW.replace("[8, 20]", "[8, 25]"), 5, "less than or equal to 24"),
        (WINDOW.replace("[8, 20]", "[8.5, 20]"), 5, "valid integer"),
        (WINDOW.replace("[8, 20]", "8-20"), 5, "hours"),
        (WINDOW.replace("mon:", "monday:"), 5, "'mon'"),
        (WINDOW.replace("    country: BR\n", ""), 3, "country says whose"),
        (WINDOW.replace("country: BR", "country: Brazil"), 6, "country"),
        (VOLUME, 4, "IANA"),
    ],
)  # fmt: skip
def test_a_wrong_pack_is_refused_with_line_and_reason(tmp_path: Path, text: str, line: int | None, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as refused:
        _load(tmp_path, text)
    assert str(tmp_path / "x.yaml") in str(refused.value)
    assert line is None or f"line {line}" in str(refused.value)


EXAMPLE = (
    CAP
    + """    examples:
      - says: so it is
        at: 2026-03-02T12:00:00-03:00
        channel: sms
        given: {contacts: [{channel: sms, occurred_at: 2026-03-01T12:00:00-03:00}]}
        then: allowed
"""
)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("12:00:00-03:00\n        channel", "12:00:00\n        channel", "timezone"),
        ("{contacts:", "{contact:", "found the table"),
        ("occurred_at", "occured_at", "found the columns"),
        ("then: allowed", "then: fine", "then"),
        ("then: allowed", "then: {refused: X}", "until"),
    ],
)
def test_a_wrong_example_is_refused_too(tmp_path: Path, old: str, new: str, reason: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(ConfigError, match=reason):
        _load(tmp_path, EXAMPLE.replace(old, new))


def test_a_list_that_is_missing_closes_the_door(tmp_path: Path) -> None:
    text = CAP.replace("frequency_cap", "do_not_call").replace(
        "    max_contacts: 3\n    days: 7\n", "    list_file: a.txt\n"
    )
    with pytest.raises(ConfigError, match=r"line 4, rule x\.cap: the list .*a\.txt cannot be read"):
        _load(tmp_path, text)


def test_a_list_of_plain_ids_is_refused_without_repeating_them(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("# ours\n+55 11 99999-0000\n", encoding="utf-8")
    text = CAP.replace("frequency_cap", "do_not_call").replace(
        "    max_contacts: 3\n    days: 7\n", "    list_file: a.txt\n"
    )
    with pytest.raises(ConfigError, match=r"line 2 of .* is no SHA-256") as refused:
        _load(tmp_path, text)
    assert "99999" not in str(refused.value)


def test_another_list_is_another_version(tmp_path: Path) -> None:
    text = CAP.replace("frequency_cap", "do_not_call").replace(
        "    max_contacts: 3\n    days: 7\n", "    list_file: a.txt\n"
    )
    versions = []
    for content in ("", "0" * 64, "0" * 64 + "  # again\n"):
        (tmp_path / "a.txt").write_text(content, encoding="utf-8")
        versions.append(_load(tmp_path, text).rules[0].version)
    assert versions[0] != versions[1] == versions[2]


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 2**70), st.floats(), st.text(max_size=8), st.dates(), st.datetimes(),
    st.lists(st.integers(0, 30), max_size=3), st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)  # fmt: skip


@pytest.fixture(scope="module")
def shipped() -> list[dict[str, Any]]:
    texts = [(FOLDER / f"{name}.yaml").read_text(encoding="utf-8") for name in ("br", "us_reg_f")]
    return [rule for text in texts for rule in yaml.safe_load(text)["rules"]]


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_rule_with_any_value_is_a_rule_or_is_refused_with_its_line(
    tmp_path: Path, shipped: list[dict[str, Any]], data: Any
) -> None:
    rule = copy.deepcopy(data.draw(st.sampled_from(shipped)))
    rule.pop("examples", None)
    rule.pop("list_file", None)
    model = RULE_KINDS[rule["kind"]]
    keys = st.sampled_from(sorted({*rule, *model.model_fields} - {"examples"})) | st.text("abcdefgh", min_size=3)
    for key in data.draw(st.lists(keys, min_size=1, max_size=2)):
        rule[key] = data.draw(VALUES)
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump({"pack": "x", "rules": [rule]}, allow_unicode=True), encoding="utf-8")
    try:
        found = read_pack(tmp_path, "x", names=Names(CHANNELS, ATTRIBUTES)).rules[0]
    except ConfigError as refused:
        assert str(path) in str(refused)
        assert "line" in str(refused)
        return
    # What was read is what stands there: no key was left out, and none was bent to fit.
    said = found.model_dump(by_alias=True)
    for key, value in rule.items():
        assert key in said
        if isinstance(value, bool | int | float | date) and not isinstance(value, datetime):
            assert said[key] == value
            assert isinstance(said[key], bool) == isinstance(value, bool)


@given(cut=st.integers(0, 20_000), patch=st.text("ab:-[]{}#'\"\n &*!|>%@`0", max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_to_a_file_is_read_or_refused_and_never_an_accident(tmp_path: Path, cut: int, patch: str) -> None:
    text = (FOLDER / "us_reg_f.yaml").read_text(encoding="utf-8")[:12_000]
    place = cut % len(text)
    (tmp_path / "us_reg_f.yaml").write_text(text[:place] + patch + text[place + 3 :], encoding="utf-8")
    try:
        read_pack(tmp_path, "us_reg_f", names=Names(CHANNELS, ATTRIBUTES))
    except ConfigError as refused:
        assert "us_reg_f.yaml" in str(refused)
