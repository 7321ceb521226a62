"""Decisions into figures: the funnel of all and of its parts, what each rule refuses, and who is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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
from decisioning.exclusions.refused import keys_of, pages
from decisioning.exclusions.segments import UNKNOWN, Segmentation, decision_segments
from decisioning.exclusions.tally import BY_RULE, Tally
from domain.actions import ActionCatalogue
from domain.clock import rfc3339
from domain.decisions import Decision
from domain.errors import DataError

Int64s = npt.NDArray[np.int64]
Wording = Mapping[tuple[str, str], Mapping[str, str]]
"""What a rule and its code say, by locale."""


class Run(NamedTuple):
    """Whose figures they are."""

    decided_at_us: int
    model_version: str
    policy_version: str

    @classmethod
    def of(cls, decision: Decision) -> Run:
        """That of any of its decisions."""
        return cls(decision.decided_at_us, decision.model_version, decision.policy_version)


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
    tally = tallied(decisions, catalogue, cuts)
    return figures_of(tally, Run.of(decisions[0]) if decisions else None, wording=wording)


def tallied(decisions: Sequence[Decision], catalogue: ActionCatalogue, cuts: Mapping[str, Segmentation]) -> Tally:
    """The counts of some decisions, in segments of the same accounts; parameters and errors as of ``exclusions``."""
    tally = Tally(catalogue)
    tally.know(cuts)
    for found in pages(decisions, keys_of(decisions), catalogue):
        tally.add(found, cuts)
    return tally


def figures_of(tally: Tally, run: Run | None, *, wording: Wording | None = None) -> Exclusions:
    """The figures of all that was counted, which are those of a ``run``; ``None`` where nothing was decided."""
    channels = tally.catalogue.channels
    none = np.zeros((2, len(STAGES)), dtype=np.int64)
    return Exclusions(
        decided_at=None if run is None else rfc3339(run.decided_at_us),
        model_version=None if run is None else run.model_version,
        policy_version=None if run is None else run.policy_version,
        accounts=tally.accounts,
        actions=len(tally.catalogue.actions) - 1,
        total=_funnel("all", tally.total),
        channels=tuple(_funnel(name, tally.channels.get(name, none)) for name in channels),
        # What is known of nobody tells nothing apart.
        segments={name: _parts(tally, name) for name, labels in tally.labels.items() if labels != (UNKNOWN,)},
        rules=tuple(_rules(tally, wording or {})),
        only_wait=_only_wait(tally),
        waits=Waits(**{name: tally.waits[name] for name in Waits.model_fields}),
    )


def _parts(tally: Tally, name: str) -> tuple[Funnel, ...]:
    """The funnels of the segments that hold anybody."""
    counts = tally.segments[name]
    return tuple(_funnel(label, counts[label]) for label in dict.fromkeys(tally.labels[name]) if label in counts)


def _funnel(label: str, counts: Int64s) -> Funnel:
    """From (2, S) accounts and pairs left at each stage."""
    rows = zip(STAGES, *counts.tolist(), strict=True)
    return Funnel(label=label, stages=tuple(Stage(name=name, accounts=some, pairs=all_) for name, some, all_ in rows))


def _rules(tally: Tally, wording: Wording) -> Iterable[RuleExclusion]:
    """What each rule refuses, most pairs first."""
    pairs = BY_RULE.index("pairs")
    for key in sorted(tally.rules, key=lambda one: (-int(tally.rules[one][pairs]), one)):
        counts = dict(zip(BY_RULE, tally.rules[key].tolist(), strict=True))
        parts = zip(tally.catalogue.channels, tally.on_channels[key].tolist(), strict=True)
        channels = {
            name: OfChannel(accounts=some, pairs=pairs, alone_pairs=alone)
            for name, (some, pairs, alone) in parts
            if pairs
        }
        text = dict(wording.get((key.rule, key.code), {}))
        yield RuleExclusion(
            rule=key.rule, code=key.code, layer=LAYERS[key.layer], text=text, channels=channels, **counts
        )


def _only_wait(tally: Tally) -> OnlyWait:
    """Who has nothing but ``wait``, the commonest cause first."""
    ordered = sorted(tally.causes.items(), key=lambda one: (-one[1], one[0]))
    causes = tuple(
        Cause(rules=tuple(key.rule for key in cause), codes=tuple(key.code for key in cause), accounts=count)
        for cause, count in ordered
    )
    return OnlyWait(accounts=sum(tally.causes.values()), causes=causes, rules_away=dict(sorted(tally.away.items())))
