"""The catalogue compiled for the kernel: groups of events, and the one number each windowed feature takes from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from domain.balance_entries import Int32s
from domain.clock import US_PER_HOUR, Int64s
from features.definitions import Aggregate, Events, Feature, Windowed
from features.events import NO_PAYDAY, PARTS, PAYDAY, WEEKEND, WORKDAY
from features.vocabulary import CODES, FACETS, KINDS

(
    COUNT, SUM, MEAN, MAX, MIN, STD, RECENCY, AGE, LAST, FIRST, DAYS, DISTINCT, LAST_KIND, GAP_MEAN, GAP_STD
) = range(15)  # fmt: skip
_FOREVER_US = np.iinfo(np.int64).max
FACET_OF = np.array(
    [FACETS[source].index(facet) if source in FACETS else 0 for source, _, facet in CODES], dtype=np.int64
)
"""Position of each code's facet, for distinct ones."""
KIND_OF = np.array([KINDS[source].index(kind) for source, kind, _ in CODES], dtype=np.int64)
"""Position of each code's kind among those of its source."""


class Plan(NamedTuple):
    """Arrays that the kernel reads; groups of code ``c`` are ``groups[group_offsets[c]:group_offsets[c + 1]]``.

    ``allowed`` are the bits of ``Events.when`` that a group takes; ``width_us`` the window widths, ascending, the last
    without end. Feature f is ``operation[f]`` over ``group[f]`` and ``window[f]``, or since the latest event of the
    group ``since[f]`` where that is not -1; it goes to the column ``column[f]``.
    """

    group_offsets: Int32s
    groups: Int32s
    allowed: npt.NDArray[np.uint8]
    width_us: Int64s
    operation: Int32s
    group: Int32s
    window: Int32s
    since: Int32s
    column: Int32s


def compile_plan(features: Sequence[Feature]) -> Plan:
    """The plan of all windowed features among those given; their columns are their positions."""
    windowed = [(place, one.rule) for place, one in enumerate(features) if isinstance(one.rule, Windowed)]
    rules = [rule for _, rule in windowed]
    selections: dict[Events, int] = {}
    group = [selections.setdefault(rule.events, len(selections)) for rule in rules]
    since = [
        -1 if rule.window.since is None else selections.setdefault(rule.window.since, len(selections)) for rule in rules
    ]
    members: list[list[int]] = [[] for _ in CODES]
    for selection, position in selections.items():
        for code in selection.codes():
            members[code].append(position)
    widths = sorted({rule.window.hours for rule in rules if rule.window.hours})
    return Plan(
        group_offsets=np.cumsum([0, *(len(found) for found in members)]).astype(np.int32),
        groups=np.array([position for found in members for position in found], dtype=np.int32),
        allowed=np.array([_allowed(selection) for selection in selections], dtype=np.uint8),
        width_us=np.array([*(width * US_PER_HOUR for width in widths), _FOREVER_US], dtype=np.int64),
        operation=np.array([get_args(Aggregate).index(rule.aggregate) for rule in rules], dtype=np.int32),
        group=np.array(group, dtype=np.int32),
        window=np.array(
            [widths.index(rule.window.hours) if rule.window.hours else len(widths) for rule in rules], dtype=np.int32
        ),
        since=np.array(since, dtype=np.int32),
        column=np.array([place for place, _ in windowed], dtype=np.int32),
    )


def _allowed(selection: Events) -> int:
    parts = sum(1 << PARTS.index(part) for part in selection.parts or PARTS)
    week = (1 << WEEKEND) | (0 if selection.weekend else 1 << WORKDAY)
    pay = (1 << PAYDAY) | (0 if selection.payday else 1 << NO_PAYDAY)
    return parts | week | pay
