"""Contact-policy packs: dated rules about when a debtor may be contacted at all, each with the law it rests on.

A pack is operations' and compliance's file, and no legal advice. A new kind of rule is a model here, one function in
``limits.py``, and an entry in its registry.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, PositiveInt, model_validator

from domain.config import load_section, parse_section
from domain.errors import ConfigError

HoldKind = Literal[
    "dispute", "hardship", "vulnerable", "over_indebted", "bankruptcy", "deceased", "attorney", "legal", "fraud"
]
_HISTORY_DAYS = 59
"""Contacts are held for 60 days (``features.state``), which bounds how far back a cap can look."""


class Wording(BaseModel, frozen=True, extra="forbid", populate_by_name=True):
    """What a refusal says to people."""

    pt: str = Field(alias="pt-BR", min_length=1)
    en: str = Field(min_length=1)

    def text(self, locale: str) -> str:
        """The wording in ``pt-BR`` or ``en``."""
        return self.en if locale == "en" else self.pt


class Rule(BaseModel, frozen=True, extra="forbid"):
    """What all rules have: identity, legal basis, the local days on which it is in force, channels, and wording.

    ``channels`` limits a rule to some channels, ``except_channels`` spares some; ``effective_to`` is the first day on
    which it no longer holds.
    """

    id: str = Field(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")
    kind: str
    code: str = Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")
    legal_basis: str = Field(min_length=1)
    effective_from: date | None = None
    effective_to: date | None = None
    channels: tuple[str, ...] | None = None
    except_channels: tuple[str, ...] = ()
    wording: Wording

    @model_validator(mode="after")
    def _days_run_forward(self) -> Self:
        if self.effective_from and self.effective_to and self.effective_from >= self.effective_to:
            raise ValueError(f"effective_from {self.effective_from} must be before effective_to {self.effective_to}")
        return self

    def covers(self, channel: str) -> bool:
        """Whether the rule is about this channel."""
        return channel not in self.except_channels and (self.channels is None or channel in self.channels)


class HoldStop(Rule, frozen=True, extra="forbid"):
    """No contact while a hold of this kind is in force."""

    kind: Literal["hold_stop"]
    hold: HoldKind


class ActivePromise(Rule, frozen=True, extra="forbid"):
    """No contact while a promise to pay is running: the debtor has been reached, and has answered."""

    kind: Literal["active_promise"]
    code: str = Field(default="ACTIVE_PROMISE", pattern=r"^[A-Z][A-Z0-9_]{0,63}$")


class FrequencyCap(Rule, frozen=True, extra="forbid"):
    """At most ``max_contacts`` to a debtor, over all accounts, within ``days``.

    ``rolling``: a contact counts until exactly ``days`` × 24 hours after it; ``local_days``: it counts on its own local
    calendar day and the ``days`` − 1 that follow.
    """

    kind: Literal["frequency_cap"]
    code: str = Field(default="FREQUENCY_CAP", pattern=r"^[A-Z][A-Z0-9_]{0,63}$")
    max_contacts: PositiveInt
    days: int = Field(ge=1, le=_HISTORY_DAYS)
    window: Literal["rolling", "local_days"] = "rolling"


RULE_KINDS: Mapping[str, type[Rule]] = {
    "hold_stop": HoldStop,
    "active_promise": ActivePromise,
    "frequency_cap": FrequencyCap,
}


class Pack(BaseModel, frozen=True, extra="forbid"):
    """One file of rules; ``notice`` says what it is and is not."""

    pack: str
    notice: str = ""
    rules: list[dict[str, Any]] = []


@dataclass(frozen=True)
class ContactPolicy:
    """The rules of all packs in force, in order; a pack without rules allows everything."""

    packs: tuple[str, ...]
    rules: tuple[Rule, ...]

    def to_json(self) -> dict[str, Any]:
        """The parsed rules, for the policy version."""
        return {"packs": list(self.packs), "rules": [rule.model_dump(mode="json") for rule in self.rules]}


def load_contact_policy(folder: Path, packs: Sequence[str], *, channels: Sequence[str]) -> ContactPolicy:
    """Reads packs from ``folder``.

    Parameters
    ----------
    channels : the configured channels; a rule that names another one is refused, as it would silently never apply

    Raises
    ------
    ConfigError : a pack that does not exist, an unknown key or kind, a wrong value, or two rules with one id
    """
    rules: list[Rule] = []
    for name in packs:
        path = folder / f"{name}.yaml"
        if not path.is_file():
            known = sorted(found.stem for found in folder.glob("*.yaml"))
            raise ConfigError(f"contact_policy: found the pack {name!r}, needed one of {known} in {folder}")
        pack = load_section(path, Pack)
        if pack.pack != name:
            raise ConfigError(f"{path}: found pack: {pack.pack!r}, needed {name!r}, the name of the file")
        rules += [_rule(raw, source=f"{path}, rule {place}") for place, raw in enumerate(pack.rules, start=1)]
    _check(rules, channels)
    return ContactPolicy(packs=tuple(packs), rules=tuple(rules))


def _rule(raw: dict[str, Any], *, source: str) -> Rule:
    kind = str(raw.get("kind"))
    if kind not in RULE_KINDS:
        near = get_close_matches(kind, RULE_KINDS, n=1, cutoff=0.5)
        way_out = f"did you mean {near[0]!r}?" if near else f"known kinds: {', '.join(RULE_KINDS)}"
        raise ConfigError(f"{source}: kind: found {raw.get('kind')!r}; {way_out}")
    if kind == "hold_stop":
        raw = {"code": f"HOLD_{str(raw.get('hold')).upper()}", **raw}
    return parse_section(raw, RULE_KINDS[kind], source=source)


def _check(rules: Sequence[Rule], channels: Sequence[str]) -> None:
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise ConfigError(f"contact policy: two rules have the id {rule.id!r}; an id names one rule")
        seen.add(rule.id)
        for channel in (*(rule.channels or ()), *rule.except_channels):
            if channel not in channels:
                near = get_close_matches(channel, channels, n=1, cutoff=0.5)
                way_out = f"did you mean {near[0]!r}?" if near else f"configured channels: {', '.join(channels)}"
                raise ConfigError(f"contact policy, rule {rule.id}: found the channel {channel!r}; {way_out}")
