from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from decisioning.contact_policy import RULE_KINDS, load_contact_policy
from decisioning.restrictions.registry import HANDLED
from domain.errors import ConfigError
from domain.tables import HOLD_KINDS

PACKS = Path(__file__).parents[2] / "configs" / "contact_policy"
CAP = {
    "id": "x.cap", "kind": "frequency_cap", "max_contacts": 3, "days": 7, "legal_basis": "a law",
    "wording": {"pt-BR": "não", "en": "no"},
}  # fmt: skip


def _load(folder: Path, *rules: dict[str, Any]) -> Any:
    (folder / "x.yaml").write_text(yaml.safe_dump({"pack": "x", "rules": list(rules)}))
    return load_contact_policy(folder, ["x"], channels=("sms", "email"))


def test_the_brazilian_pack_covers_every_hold_cites_a_basis_and_says_it_is_no_advice() -> None:
    policy = load_contact_policy(PACKS, ["br"], channels=("portal",))
    assert {rule.hold for rule in policy.rules if rule.kind == "hold_stop"} == set(HOLD_KINDS)
    assert all(rule.legal_basis and rule.wording.pt and rule.wording.en for rule in policy.rules)
    assert "legal advice" in (PACKS / "br.yaml").read_text()


def test_the_open_pack_has_no_rules() -> None:
    assert load_contact_policy(PACKS, ["open"], channels=()).rules == ()


def test_every_kind_of_rule_can_be_applied() -> None:
    assert set(RULE_KINDS) == HANDLED


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"max_contact": 3}, "did you mean 'max_contacts'"),
        ({"kind": "frequency_caps"}, "did you mean 'frequency_cap'"),
        ({"days": 90}, "days"),
        ({"channels": ["smss"]}, "did you mean 'sms'"),
        ({"wording": {"en": "no"}}, "pt-BR"),
        ({"effective_from": "2026-01-02", "effective_to": "2026-01-01"}, "must be before"),
    ],
)
def test_a_wrong_rule_is_refused_with_the_way_out(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        _load(tmp_path, {**CAP, **change})


def test_two_rules_cannot_share_an_id(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="two rules"):
        _load(tmp_path, CAP, CAP)


def test_an_unknown_pack_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    _load(tmp_path, CAP)
    with pytest.raises(ConfigError, match=r"\['x'\]"):
        load_contact_policy(tmp_path, ["brasil"], channels=())
