"""Reading packs: each rule checked with its line, against the channels, attributes and lists that there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from decisioning.contact_policy.example import Example
from decisioning.contact_policy.kinds import (
    RULE_KINDS,
    Affordability,
    CoolDown,
    DailyVolume,
    DoNotCall,
    MinimumNotice,
)
from decisioning.contact_policy.rules import Rule, Where
from domain.clock import zone_of
from domain.config import Document, Place, load_document, parse_section
from domain.errors import ConfigError
from features.config import ALWAYS_PROTECTED, Attribute
from features.vocabulary import CHANNELS


class PackFile(BaseModel, frozen=True, extra="forbid"):
    """One file: ``notice`` says what it is and is not, ``region`` where the accounts of its examples are."""

    pack: str
    notice: str = ""
    region: str = "BR-SP"
    rules: list[dict[str, Any]] = []


@dataclass(frozen=True)
class ContactPolicy:
    """The rules of all packs in force, in order; a pack without rules allows everything."""

    packs: tuple[str, ...]
    rules: tuple[Rule, ...]

    def to_json(self) -> dict[str, Any]:
        """The parsed rules, for the policy version; examples change nothing."""
        rules = [{**rule.content, "wording": rule.wording.model_dump(mode="json")} for rule in self.rules]
        return {"packs": list(self.packs), "rules": rules}


@dataclass(frozen=True)
class Pack:
    """One pack as read: its rules, and the examples that each of them brings."""

    file: PackFile
    path: Path
    rules: tuple[Rule, ...]
    examples: tuple[tuple[Rule, Example], ...]


@dataclass(frozen=True)
class Names:
    """What rules may name: the configured channels, and the declared attributes, where it is known which those are."""

    channels: tuple[str, ...]
    attributes: dict[str, Attribute] | None = None

    def known_channels(self) -> tuple[str, ...]:
        """Channels that are configured, or that Acerto knows: a pack may hold rules for one that is not in use."""
        return tuple(dict.fromkeys((*self.channels, *CHANNELS)))


def load_contact_policy(
    folder: Path, packs: Sequence[str], *, channels: Sequence[str], attributes: dict[str, Attribute] | None = None
) -> ContactPolicy:
    """Reads packs from ``folder``.

    Parameters
    ----------
    channels : the configured channels; a rule that names another one is refused, as it would silently never apply
    attributes : declared in ``features.yaml``; a rule that reads another one is refused, where this is given

    Raises
    ------
    ConfigError : a pack that does not exist, an unknown key, kind, channel, region or attribute, a wrong value, a list
        that is missing, or two rules with one id; with file, line and reason
    """
    names = Names(tuple(channels), attributes)
    found = [read_pack(folder, name, names=names) for name in packs]
    rules = tuple(rule for pack in found for rule in pack.rules)
    for rule in _repeated(rules):
        raise ConfigError(f"contact policy: two rules of {list(packs)} have the id {rule.id!r}; an id names one rule")
    return ContactPolicy(packs=tuple(packs), rules=rules)


def read_pack(folder: Path, name: str, *, names: Names) -> Pack:
    """One pack with its examples; raises as :func:`load_contact_policy` does."""
    path = folder / f"{name}.yaml"
    if not path.is_file():
        known = sorted(found.stem for found in folder.glob("*.yaml"))
        raise ConfigError(f"contact_policy: found the pack {name!r}, needed one of {known} in {folder}")
    document = load_document(path)
    file = parse_section({} if document.raw is None else document.raw, PackFile, source=str(path), line=document.line)
    if file.pack != name:
        line = document.line(("pack",))
        raise ConfigError(f"{path}, line {line}: found pack: {file.pack!r}, needed {name!r}, the name of the file")
    rules: list[Rule] = []
    examples: list[tuple[Rule, Example]] = []
    for place, raw in enumerate(file.rules):
        rule = _rule(raw, document, place)
        rules.append(rule)
        for problem in (*_problems(rule, names), *_list_of(rule, folder)):
            raise _refused(document, place, rule, problem)
        for repeated in _repeated(rules):
            raise _refused(document, place, repeated, "two rules have this id; an id names one rule")
        examples += [(rule, _example(one, document, place, number)) for number, one in enumerate(rule.examples)]
    return Pack(file, path, tuple(rules), tuple(examples))


def _refused(document: Document, place: int, rule: Rule, problem: str) -> ConfigError:
    return ConfigError(f"{document.path}, line {document.line(('rules', place))}, rule {rule.id}: {problem}")


def _rule(raw: dict[str, Any], document: Document, place: int) -> Rule:
    kind = raw.get("kind")
    source = f"{document.path}, rule {place + 1}"
    if not isinstance(kind, str) or kind not in RULE_KINDS:
        near = get_close_matches(str(kind), RULE_KINDS, n=1, cutoff=0.5)
        way_out = f"did you mean {near[0]!r}?" if near else f"known kinds: {', '.join(RULE_KINDS)}"
        line = document.line(("rules", place, "kind"))
        raise ConfigError(f"{source}: line {line}: kind: found {kind!r}; {way_out}")
    return parse_section(raw, RULE_KINDS[kind], source=source, line=_line(document, "rules", place))


def _example(raw: dict[str, Any], document: Document, place: int, number: int) -> Example:
    source = f"{document.path}, rule {place + 1}, example {number + 1}"
    line = _line(document, "rules", place, "examples", number)
    return parse_section(raw, Example, source=source, line=line)


def _line(document: Document, *above: Any) -> Callable[[Place], int]:
    return partial(_below, document, above)


def _below(document: Document, above: Place, place: Place) -> int:
    return document.line((*above, *place))


def _repeated(rules: Iterable[Rule]) -> Iterator[Rule]:
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            yield rule
        seen.add(rule.id)


def _problems(rule: Rule, names: Names) -> Iterator[str]:
    contact_channels = rule.contact_channels if isinstance(rule, MinimumNotice) else ()
    after_channels = (rule.after_channels or ()) if isinstance(rule, CoolDown) else ()
    for channel in (*(rule.channels or ()), *rule.except_channels, *contact_channels, *after_channels):
        if channel not in names.known_channels():
            yield f"found the channel {channel!r}; {_way_out(channel, names.known_channels(), 'known channels')}"
    if isinstance(rule, DailyVolume) and zone_of(None, rule.timezone) is None:
        yield f"found the timezone {rule.timezone!r}, needed an IANA name such as America/Sao_Paulo"
    if names.attributes is not None:
        declared = {**ALWAYS_PROTECTED, **names.attributes}
        yield from _attribute_problems(rule, declared)


def _attribute_problems(rule: Rule, declared: dict[str, Attribute]) -> Iterator[str]:
    read = {name: "where" for where in (rule.where, rule.except_where) for name in _attributes(where)}
    read |= {rule.income: "income"} if isinstance(rule, Affordability) else {}
    for name in read:
        if name not in declared:
            yield f"found the attribute {name!r}; {_way_out(name, tuple(declared), 'declared in features.yaml')}"
    for name in _attributes(rule.except_where):
        # The contract: what is protected may refuse or soften, and never open a door.
        if name in declared and declared[name].protected:
            yield f"except_where would allow more because of the protected attribute {name!r}; use where"


def _attributes(where: Where | None) -> Iterable[str]:
    return where.attributes if where is not None else ()


def _way_out(found: str, known: Sequence[str], what: str) -> str:
    near = get_close_matches(found, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"{what}: {', '.join(known)}"


def _list_of(rule: Rule, folder: Path) -> Iterator[str]:
    """Reads the list that a rule names, and yields what is wrong with it."""
    if not isinstance(rule, DoNotCall):
        return
    path = folder / rule.list_file
    try:
        lines = [line.partition("#")[0].strip().lower() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError):
        yield (
            f"the list {path} cannot be read, so nobody could be contacted safely; put a text file there, one SHA-256 "
            f"of a {rule.of} per line, or take the rule out"
        )
        return
    for number, line in enumerate(lines, start=1):
        if line and (len(line) != 64 or not set(line) <= set("0123456789abcdef")):
            yield f"line {number} of {path} is no SHA-256 in hexadecimal; ids do not stand on a list as they are"
            return
    rule.put(frozenset(line for line in lines if line))
