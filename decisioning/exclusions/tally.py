"""Sums over decisions page by page, which those of other decisions can be added to: what figures are made of.

Counts go by name, of segments and of rules, so that shards which know different ones add up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from decisioning.arms import POLICY
from decisioning.exclusions.causes import rules_away, smallest_cause
from decisioning.exclusions.figures import LAYERS, STAGES
from decisioning.exclusions.refused import Key, Refused
from decisioning.exclusions.segments import UNKNOWN, Segmentation
from domain.actions import ActionCatalogue

Int64s = npt.NDArray[np.int64]
BY_RULE = ("accounts", "pairs", "alone_accounts", "alone_pairs", "whole_accounts", "keeps_waiting")


def _nothing() -> Int64s:
    return np.zeros((2, len(STAGES)), dtype=np.int64)


@dataclass
class Tally:
    """Counts of decisions on the actions of a catalogue.

    ``total`` is (2, S), accounts and pairs left at each stage, as is each of ``segments`` and ``channels``. Of each
    rule there are ``rules`` (6,), by ``BY_RULE``, and ``on_channels`` (channels, 3): accounts, pairs, and pairs alone.
    ``causes`` and ``away`` count who is left with nothing but ``wait``, ``waits`` everybody who waits.
    """

    catalogue: ActionCatalogue
    accounts: int = 0
    total: Int64s = field(default_factory=_nothing)
    segments: dict[str, dict[str, Int64s]] = field(default_factory=dict)
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    channels: dict[str, Int64s] = field(default_factory=dict)
    rules: dict[Key, Int64s] = field(default_factory=dict)
    on_channels: dict[Key, Int64s] = field(default_factory=dict)
    causes: Counter[tuple[Key, ...]] = field(default_factory=Counter)
    away: Counter[int] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)

    def know(self, cuts: Mapping[str, Segmentation]) -> None:
        """Segments that are told of even where they hold nobody."""
        for name, cut in cuts.items():
            self._add_segments(name, cut.labels, np.zeros((len(cut.labels), 2, len(STAGES)), dtype=np.int64))

    def add(self, found: Refused, cuts: Mapping[str, Segmentation]) -> None:
        """Counts one page; ``cuts`` are of all decisions, the page's from its ``start`` on."""
        left = found.left
        accounts, pairs = left.any(axis=2), left.sum(axis=2)
        self.accounts += len(found.chosen)
        self.total += np.stack([accounts.sum(axis=1), pairs.sum(axis=1)])
        each = np.stack([accounts, pairs]).transpose(2, 0, 1)
        for name, cut in cuts.items():
            sums = np.zeros((len(cut.labels), 2, len(STAGES)), dtype=np.int64)
            np.add.at(sums, cut.code[found.start : found.start + len(found.chosen)], each)
            self._add_segments(name, cut.labels, sums)
        self._add_rules(found)
        self._add_channels(found, left)
        self._add_waiting(found)

    def plus(self, other: Tally) -> None:
        """Adds what was counted of other decisions."""
        self.accounts += other.accounts
        self.total += other.total
        for name, labels in other.labels.items():
            none = _nothing()
            self._add_segments(name, labels, [other.segments[name].get(label, none) for label in labels])
        for mine, theirs in (
            (self.channels, other.channels), (self.rules, other.rules), (self.on_channels, other.on_channels),
        ):  # fmt: skip
            for key, counts in theirs.items():
                _add(mine, key, counts)
        self.causes.update(other.causes)
        self.away.update(other.away)
        self.waits.update(other.waits)

    def _add_segments(self, name: str, labels: tuple[str, ...], sums: Any) -> None:
        self.labels[name] = _merged(self.labels.get(name, ()), labels)
        mine = self.segments.setdefault(name, {})
        for label, counts in zip(labels, sums, strict=True):
            if counts[0, 0]:
                _add(mine, label, counts)

    def _add_rules(self, found: Refused) -> None:
        refused, alone, stuck = found.refused, found.alone, found.only_wait
        some = np.asarray(alone.any(axis=1), dtype=np.bool_)
        counts = {
            "accounts": refused.any(axis=1).sum(axis=0),
            "pairs": refused.sum(axis=(0, 1)),
            "alone_accounts": some.sum(axis=0),
            "alone_pairs": alone.sum(axis=(0, 1)),
            "whole_accounts": refused.all(axis=1).sum(axis=0),
            "keeps_waiting": some[stuck].sum(axis=0),
        }
        for key, own in zip(found.keys, np.stack([counts[name] for name in BY_RULE], axis=1), strict=True):
            _add(self.rules, key, own)

    def _add_channels(self, found: Refused, left: npt.NDArray[np.bool_]) -> None:
        by_rule = np.zeros((len(self.catalogue.channels), 3, len(found.keys)), dtype=np.int64)
        for place, name in enumerate(self.catalogue.channels):
            own = np.array([action.channel == name for action in self.catalogue.actions[1:]], dtype=np.bool_)
            some = left[:, :, own]
            _add(self.channels, name, np.stack([some.any(axis=2).sum(axis=1), some.sum(axis=(1, 2))]))
            refused, alone = found.refused[:, own], found.alone[:, own]
            by_rule[place] = np.stack(
                [refused.any(axis=1).sum(axis=0), refused.sum(axis=(0, 1)), alone.sum(axis=(0, 1))]
            )
        for place, key in enumerate(found.keys):
            _add(self.on_channels, key, by_rule[:, :, place])

    def _add_waiting(self, found: Refused) -> None:
        """Accounts with the same refusals, and those are many, are looked at once."""
        of_policy = np.array([LAYERS[key.layer] != "budget" for key in found.keys], dtype=np.bool_)
        keys = [key for key, own in zip(found.keys, of_policy, strict=True) if own]
        alike = Counter(found.refused[row][:, of_policy].tobytes() for row in np.flatnonzero(found.only_wait).tolist())
        for packed, count in alike.items():
            cause, away = _cause(packed, len(keys))
            self.causes[tuple(keys[place] for place in cause)] += count
            self.away[away] += count
        self.waits.update(_waits(found))


@lru_cache(maxsize=65_536)
def _cause(packed: bytes, rules: int) -> tuple[tuple[int, ...], int]:
    """Of a pattern of refusals (A, R): the smallest cause, and how many rules away an action is."""
    pattern = np.frombuffer(packed, dtype=np.bool_).reshape(-1, rules)
    return smallest_cause(pattern), rules_away(pattern)


def _add(sums: dict[Any, Int64s], key: Any, counts: Int64s) -> None:
    sums[key] = sums[key] + counts if key in sums else np.array(counts, dtype=np.int64)


def _merged(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """The labels of two parts in the order of tables: bands are the same everywhere, names are alphabetical."""
    if not first or not second or first == second:
        return first or second
    return (*sorted({*first, *second} - {UNKNOWN}), UNKNOWN)


def _waits(found: Refused) -> Iterable[str]:
    """``accounts`` for every account of a page that waits, and the name of why it does."""
    for row in np.flatnonzero(found.chosen < 0).tolist():
        yield "accounts"
        if found.only_wait[row]:
            yield "no_action"
        elif found.arm[row] != POLICY:
            yield "control_arm"
        elif found.lost[row]:
            yield "lost_to_budget"
        else:
            yield "by_choice"
