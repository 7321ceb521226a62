"""Decisions into figures: the funnel of all and of its parts, what each rule refuses, and who is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from decisioning.arms import ARMS, POLICY
from decisioning.exclusions.causes import rules_away, smallest_cause
from decisioning.exclusions.figures import (
    LAYERS,
    STAGES,
    Cause,
    Exclusions,
    Funnel,
    OfChannel,
    OnlyWait,
    RuleExclusion,
    Stage,
    Waits,
)
from decisioning.exclusions.refused import Key, Refused, keys_of, pages
from decisioning.exclusions.segments import Segmentation, decision_segments
from domain.actions import ActionCatalogue
from domain.clock import rfc3339
from domain.decisions import Decision
from domain.errors import DataError

Bools = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
Wording = Mapping[tuple[str, str], Mapping[str, str]]
"""What a rule and its code say, by locale."""

_BY_RULE = ("accounts", "pairs", "alone_accounts", "alone_pairs", "whole_accounts", "keeps_waiting")


def exclusions(
    decisions: Sequence[Decision],
    catalogue: ActionCatalogue,
    *,
    segments: Mapping[str, Segmentation] | None = None,
    wording: Wording | None = None,
) -> Exclusions:
    """What the decisions of one run were chosen from, and what took the rest away.

    Parameters
    ----------
    catalogue : the actions that were there to choose from
    segments : by name, accounts in the order of the decisions; by default those that decisions alone tell
    wording : what rules say; a rule without is told by its code

    Raises
    ------
    DataError : a decision knows an action that the catalogue has not, or chose what it refuses, or segments are of
        other accounts

    Notes
    -----
    Every decision records all rules that refuse an action, so that *alone* is exact: without the rule the pair would
    have been open. There are two exceptions, which rules make together. Where each leaves some of the day and all
    together none, the pair counts under ``NO_TIME_LEFT``, or under the rule that takes the rest. And one contact per
    debtor looks at what is open after all other rules: what one of them sets free may be left alone for the debtor's
    other account.
    """
    cuts = decision_segments(decisions) if segments is None else segments
    for name, cut in cuts.items():
        if len(cut.code) != len(decisions):
            raise DataError(
                f"segments {name!r} are of {len(cut.code)} accounts, needed {len(decisions)}, one a decision"
            )
    keys = keys_of(decisions)
    tally = _Tally(
        keys, catalogue, {name: np.zeros((len(cut.labels), 2, len(STAGES)), np.int64) for name, cut in cuts.items()}
    )
    for found in pages(decisions, keys, catalogue):
        tally.add(found, cuts)
    first = decisions[0] if decisions else None
    return Exclusions(
        decided_at=None if first is None else rfc3339(first.decided_at_us),
        model_version=None if first is None else first.model_version,
        policy_version=None if first is None else first.policy_version,
        accounts=len(decisions),
        actions=len(catalogue.actions) - 1,
        total=_funnel("all", tally.total),
        channels=tuple(_funnel(name, tally.channels[place]) for place, name in enumerate(catalogue.channels)),
        segments={name: _parts(cut, tally.segments[name]) for name, cut in cuts.items()},
        rules=tuple(tally.rules(wording or {})),
        only_wait=tally.only_wait(),
        waits=Waits(**{name: tally.waits[name] for name in Waits.model_fields}),
    )


def _parts(cut: Segmentation, counts: Int64s) -> tuple[Funnel, ...]:
    """The funnels of the segments that hold anybody."""
    present = [place for place in range(len(cut.labels)) if counts[place, 0, 0]]
    return tuple(_funnel(cut.labels[place], counts[place]) for place in present)


def _funnel(label: str, counts: Int64s) -> Funnel:
    """From (2, S) accounts and pairs left at each stage."""
    rows = zip(STAGES, *counts.tolist(), strict=True)
    return Funnel(label=label, stages=tuple(Stage(name=name, accounts=some, pairs=all_) for name, some, all_ in rows))


@dataclass
class _Tally:
    """Sums over pages; (…, 2, S) accounts and pairs left at each stage."""

    keys: tuple[Key, ...]
    catalogue: ActionCatalogue
    segments: dict[str, Int64s]
    total: Int64s = field(init=False)
    channels: Int64s = field(init=False)
    by_rule: Int64s = field(init=False)
    by_channel: Int64s = field(init=False)
    causes: Counter[tuple[int, ...]] = field(default_factory=Counter)
    away: Counter[int] = field(default_factory=Counter)
    waits: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        channels, rules = len(self.catalogue.channels), len(self.keys)
        self.total = np.zeros((2, len(STAGES)), dtype=np.int64)
        self.channels = np.zeros((channels, 2, len(STAGES)), dtype=np.int64)
        self.by_rule = np.zeros((len(_BY_RULE), rules), dtype=np.int64)
        self.by_channel = np.zeros((channels, 3, rules), dtype=np.int64)

    def add(self, found: Refused, cuts: Mapping[str, Segmentation]) -> None:
        """Counts one page."""
        left = found.left
        accounts, pairs = left.any(axis=2), left.sum(axis=2)
        self.total += np.stack([accounts.sum(axis=1), pairs.sum(axis=1)])
        for name, cut in cuts.items():
            code = cut.code[found.start : found.start + len(found.decisions)]
            np.add.at(self.segments[name], code, np.stack([accounts, pairs]).transpose(2, 0, 1))
        self._add_rules(found)
        for place, name in enumerate(self.catalogue.channels):
            own = np.array([action.channel == name for action in self.catalogue.actions[1:]], dtype=np.bool_)
            some = left[:, :, own]
            self.channels[place] += np.stack([some.any(axis=2).sum(axis=1), some.sum(axis=(1, 2))])
            refused, alone = found.refused[:, own], found.alone[:, own]
            self.by_channel[place] += np.stack(
                [refused.any(axis=1).sum(axis=0), refused.sum(axis=(0, 1)), alone.sum(axis=(0, 1))]
            )
        self._add_waiting(found)

    def _add_rules(self, found: Refused) -> None:
        refused, alone, stuck = found.refused, found.alone, found.only_wait
        some: Bools = np.asarray(alone.any(axis=1), dtype=np.bool_)
        counts = {
            "accounts": refused.any(axis=1).sum(axis=0),
            "pairs": refused.sum(axis=(0, 1)),
            "alone_accounts": some.sum(axis=0),
            "alone_pairs": alone.sum(axis=(0, 1)),
            "whole_accounts": refused.all(axis=1).sum(axis=0),
            "keeps_waiting": some[stuck].sum(axis=0),
        }
        self.by_rule += np.stack([counts[name] for name in _BY_RULE])

    def _add_waiting(self, found: Refused) -> None:
        """Accounts with the same refusals, and those are many, are looked at once."""
        of_policy = np.array([LAYERS[key.layer] != "budget" for key in self.keys], dtype=np.bool_)
        alike = Counter(found.refused[row][:, of_policy].tobytes() for row in np.flatnonzero(found.only_wait).tolist())
        for packed, count in alike.items():
            pattern = np.frombuffer(packed, dtype=np.bool_).reshape(-1, int(of_policy.sum()))
            self.causes[smallest_cause(pattern)] += count
            self.away[rules_away(pattern)] += count
        self.waits.update(_waits(found))

    def rules(self, wording: Wording) -> Iterable[RuleExclusion]:
        """What each rule refuses, most pairs first."""
        for place in np.argsort(-self.by_rule[_BY_RULE.index("pairs")], kind="stable").tolist():
            key = self.keys[place]
            counts = dict(zip(_BY_RULE, self.by_rule[:, place].tolist(), strict=True))
            parts = zip(self.catalogue.channels, self.by_channel[:, :, place].tolist(), strict=True)
            channels = {
                name: OfChannel(accounts=some, pairs=pairs, alone_pairs=alone)
                for name, (some, pairs, alone) in parts
                if pairs
            }
            text = dict(wording.get((key.rule, key.code), {}))
            yield RuleExclusion(
                rule=key.rule, code=key.code, layer=LAYERS[key.layer], text=text, channels=channels, **counts
            )

    def only_wait(self) -> OnlyWait:
        """Who has nothing but ``wait``, the commonest cause first."""
        ordered = sorted(self.causes.items(), key=lambda one: (-one[1], one[0]))
        # Only keys of the policy were looked at, and they stand first: their positions are the same among all.
        causes = tuple(
            Cause(
                rules=tuple(self.keys[place].rule for place in cause),
                codes=tuple(self.keys[place].code for place in cause),
                accounts=count,
            )
            for cause, count in ordered
        )
        return OnlyWait(accounts=sum(self.causes.values()), causes=causes, rules_away=dict(sorted(self.away.items())))


def _waits(found: Refused) -> Iterable[str]:
    """``accounts`` for every account of a page that waits, and the name of why it does."""
    for row, decision in enumerate(found.decisions):
        if found.chosen[row] >= 0:
            continue
        yield "accounts"
        if found.only_wait[row]:
            yield "no_action"
        elif decision.arm != ARMS[POLICY]:
            yield "control_arm"
        elif decision.lost_to_budget is not None:
            yield "lost_to_budget"
        else:
            yield "by_choice"
