"""Packs as they are shipped: what they say of themselves, and that each does what its examples say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli.policy_command import read_packs
from decisioning.contact_policy.pack import Names, Pack, read_pack
from decisioning.contact_policy.rules import LAYERS
from decisioning.pack_examples import broken_examples, problems
from decisioning.policy_page import policy_page
from features.vocabulary import CHANNELS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "configs" / "contact_policy"
PACKS = {pack.file.pack: pack for pack in read_packs(ROOT / "configs")}
EXAMPLES = [
    pytest.param(pack, rule, example, id=f"{rule.id}: {example.says}")
    for pack in PACKS.values()
    for rule, example in pack.examples
]


@pytest.mark.parametrize(("pack", "rule", "example"), EXAMPLES)
def test_a_pack_does_what_its_example_says(pack: Pack, rule: Any, example: Any) -> None:
    assert list(problems(pack, rule, example)) == []


def test_every_rule_that_looks_at_one_debtor_alone_has_an_example() -> None:
    bare = [rule.id for pack in PACKS.values() for rule in pack.rules if not rule.examples]
    assert bare == ["br.one_account_a_day", "us.one_account_a_day"]


@pytest.mark.parametrize("pack", list(PACKS.values()), ids=list(PACKS))
def test_a_pack_says_that_it_is_no_legal_advice(pack: Pack) -> None:
    assert "not legal advice" in pack.file.notice.lower()


@pytest.mark.parametrize("pack", list(PACKS.values()), ids=list(PACKS))
def test_every_rule_names_its_source(pack: Pack) -> None:
    assert [rule.id for rule in pack.rules if not rule.source] == []


def test_brazilian_hours_hold_for_calls_sms_and_whatsapp_in_every_state() -> None:
    general = next(rule for rule in PACKS["br"].rules if rule.id == "br.window.general")
    assert (general.channels, general.where) == (("agent_call", "voice_bot", "sms", "whatsapp"), None)


def test_the_page_of_the_contact_policy_is_what_the_packs_say() -> None:
    assert (ROOT / "docs" / "contact_policy.md").read_text(encoding="utf-8") == policy_page(list(PACKS.values()))


def test_an_example_that_does_not_hold_is_told_with_what_was_found(tmp_path: Path) -> None:
    text = (FOLDER / "us_reg_f.yaml").read_text(encoding="utf-8")
    (tmp_path / "us_reg_f.yaml").write_text(text.replace("[8, 21]", "[9, 21]"), encoding="utf-8")
    number, broken = broken_examples(tmp_path, "us_reg_f", names=Names(CHANNELS))
    assert number > len(broken) > 0
    assert any("found it refused (OUTSIDE_CALL_WINDOW by us.window), needed allowed" in line for line in broken)


def test_the_version_of_a_rule_follows_what_it_does_and_not_how_it_is_told(tmp_path: Path) -> None:
    text = (FOLDER / "us_reg_f.yaml").read_text(encoding="utf-8")

    def versions(changed: str) -> dict[str, str]:
        (tmp_path / "us_reg_f.yaml").write_text(changed, encoding="utf-8")
        return {rule.id: rule.version for rule in read_pack(tmp_path, "us_reg_f", names=Names(CHANNELS)).rules}

    told = versions(text.replace("One a day is this pack's default, and no law", "Ours"))
    assert told == versions(text)
    stricter = versions(text.replace("max_contacts: 7", "max_contacts: 6"))
    assert {name for name in told if told[name] != stricter[name]} == {"us.cap.seven_in_seven"}


@pytest.mark.parametrize("pack", list(PACKS.values()), ids=list(PACKS))
def test_rules_stand_in_known_layers(pack: Pack) -> None:
    assert {rule.in_layer for rule in pack.rules} <= set(LAYERS)
