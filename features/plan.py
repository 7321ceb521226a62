"""The catalogue compiled for the kernel: groups of events, and the one number each windowed feature takes from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from domain.clock import US_PER_DAY, Int64s
from features.columns import Int32s
from features.definitions import PARTS, WINDOW_DAYS, Events, Feature, Windowed
from features.vocabulary import CODES

COUNT, SUM, MEAN, MAX, RECENCY, AGE, LAST, DAYS, GAP_MEAN, GAP_STD = range(10)
_OPERATIONS = {
    "count": COUNT, "sum": SUM, "mean": MEAN, "max": MAX, "recency": RECENCY, "age": AGE, "last": LAST, "days": DAYS,
    "gap_mean": GAP_MEAN, "gap_std": GAP_STD,
}  # fmt: skip
_ORDERED_DAYS = (*sorted(days for days in WINDOW_DAYS if days), 0)
_FOREVER_US = np.iinfo(np.int64).max


class Plan(NamedTuple):
    """Arrays that the kernel reads; groups of code ``c`` are ``groups[group_offsets[c]:group_offsets[c + 1]]``.

    ``part_mask`` has bit p set where the group takes part p of the day; ``weekend_only`` is 1 where it takes weekends
    alone. ``width_us`` are the window widths, ascending. Feature f is ``operation[f]`` over ``group[f]`` and
    ``window[f]``.
    """

    group_offsets: Int32s
    groups: Int32s
    part_mask: Int32s
    weekend_only: Int32s
    width_us: Int64s
    operation: Int32s
    group: Int32s
    window: Int32s
    n_groups: int


@dataclass(frozen=True, slots=True)
class Compiled:
    """A plan, and the features it computes in the order of its output columns."""

    plan: Plan
    features: tuple[Feature, ...]


def compile_plan(features: Sequence[Feature]) -> Compiled:
    """The plan of all windowed features among those given."""
    windowed = tuple(feature for feature in features if isinstance(feature.rule, Windowed))
    rules = [feature.rule for feature in windowed if isinstance(feature.rule, Windowed)]
    selections: dict[Events, int] = {}
    group = [selections.setdefault(rule.events, len(selections)) for rule in rules]
    members: list[list[int]] = [[] for _ in CODES]
    for selection, position in selections.items():
        for code in selection.codes():
            members[code].append(position)
    plan = Plan(
        group_offsets=np.cumsum([0, *(len(found) for found in members)]).astype(np.int32),
        groups=np.array([position for found in members for position in found], dtype=np.int32),
        part_mask=np.array([_part_mask(selection) for selection in selections], dtype=np.int32),
        weekend_only=np.array([int(selection.weekend) for selection in selections], dtype=np.int32),
        width_us=np.array([days * US_PER_DAY if days else _FOREVER_US for days in _ORDERED_DAYS], dtype=np.int64),
        operation=np.array([_OPERATIONS[rule.aggregate] for rule in rules], dtype=np.int32),
        group=np.array(group, dtype=np.int32),
        window=np.array([_ORDERED_DAYS.index(rule.days) for rule in rules], dtype=np.int32),
        n_groups=len(selections),
    )
    return Compiled(plan, windowed)


def _part_mask(selection: Events) -> int:
    parts = selection.parts or PARTS
    return sum(1 << PARTS.index(part) for part in parts)
