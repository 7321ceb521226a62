"""The numpy twin of the kernel: each feature on its own, by masks over one account's events, written a second time.

Slow and plain. It is the oracle of the tests, and computes wherever compiled code is not wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.clock import US_PER_DAY, US_PER_HOUR
from features import events as bits
from features.definitions import EMPTY_IS_ZERO, Events, Feature, Window, Windowed
from features.encoding import Encoded
from features.spine import Spine
from features.vocabulary import CODES, FACETS, KINDS

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Seen:
    """The events of one account that were visible at ``as_of``, all (m,), in order."""

    as_of_us: int
    moment: Int64s
    code: npt.NDArray[np.int32]
    value: Int64s
    day: npt.NDArray[np.int32]
    when: npt.NDArray[np.uint8]

    def where(self, keep: Bools) -> Seen:
        """Those where the mask is true."""
        return Seen(
            self.as_of_us, self.moment[keep], self.code[keep], self.value[keep], self.day[keep], self.when[keep]
        )


def windowed_by_masks(encoded: Encoded, spine: Spine, features: Sequence[Feature]) -> Floats:
    """The same (n, k) matrix as ``kernel.windowed``, for windowed features only."""
    out = np.full((len(spine), len(features)), np.nan)
    for row, (account, as_of_us) in enumerate(zip(spine.account, spine.as_of_us, strict=True)):
        seen = _seen(encoded, int(account), int(as_of_us))
        for column, feature in enumerate(features):
            assert isinstance(feature.rule, Windowed)
            out[row, column] = _one(seen, feature.rule)
    return out


def _seen(encoded: Encoded, account: int, as_of_us: int) -> Seen:
    events = encoded.events
    span = slice(events.offsets[account], events.offsets[account + 1])
    everything = Seen(
        as_of_us, events.occurred_us[span], events.code[span], events.value[span], events.day[span], events.when[span]
    )
    known = (events.known_from[span] < as_of_us) & (as_of_us <= events.known_until[span])
    return everything.where(known & (everything.moment < as_of_us))


def _one(seen: Seen, rule: Windowed) -> float:
    chosen = _in_window(seen.where(_selected(rule.events, seen)), seen, rule.window)
    if not len(chosen.moment):
        return 0.0 if rule.aggregate in EMPTY_IS_ZERO else float("nan")
    return _AGGREGATES[rule.aggregate](chosen)


def _in_window(chosen: Seen, everything: Seen, window: Window) -> Seen:
    if window.hours:
        return chosen.where(chosen.moment >= chosen.as_of_us - window.hours * US_PER_HOUR)
    if window.since is not None:
        stops = everything.moment[_selected(window.since, everything)]
        return chosen.where(chosen.moment > stops.max()) if len(stops) else chosen
    return chosen


def _selected(selection: Events, seen: Seen) -> Bools:
    taken = np.isin(seen.code, selection.codes())
    if selection.parts:
        taken &= np.isin(seen.when & 0b1111, [1 << bits.PARTS.index(name) for name in selection.parts])
    if selection.weekend:
        taken &= (seen.when >> bits.WEEKEND) & 1 == 1
    if selection.payday:
        taken &= (seen.when >> bits.PAYDAY) & 1 == 1
    return taken


def _gap_std(seen: Seen) -> float:
    hours = [int(gap) // US_PER_HOUR for gap in np.diff(seen.moment)]
    if len(hours) < 2:
        return float("nan")
    spread = len(hours) * sum(hour * hour for hour in hours) - sum(hours) ** 2
    return float(np.sqrt(float(spread)) / len(hours) / 24.0)


def _gap_mean(seen: Seen) -> float:
    if len(seen.moment) < 2:
        return float("nan")
    seconds = np.diff(seen.moment) // 1_000_000
    return float(seconds.sum()) / 86_400.0 / len(seconds)


def _std(seen: Seen) -> float:
    return float(np.std((seen.value - seen.value[-1]).astype(np.float64)))


def _facet(code: int) -> str:
    source, _, facet = CODES[code]
    return facet if source in FACETS else ""


def _kind(code: int) -> int:
    source, kind, _ = CODES[code]
    return KINDS[source].index(kind)


_AGGREGATES: dict[str, Callable[[Seen], float]] = {
    "count": lambda seen: float(len(seen.moment)),
    "sum": lambda seen: float(seen.value.sum()),
    "mean": lambda seen: float(seen.value.sum()) / len(seen.value),
    "max": lambda seen: float(seen.value.max()),
    "min": lambda seen: float(seen.value.min()),
    "std": _std,
    "recency": lambda seen: float(seen.as_of_us - seen.moment[-1]) / US_PER_DAY,
    "age": lambda seen: float(seen.as_of_us - seen.moment[0]) / US_PER_DAY,
    "last": lambda seen: float(seen.value[-1]),
    "first": lambda seen: float(seen.value[0]),
    "days": lambda seen: float(len(np.unique(seen.day))),
    "distinct": lambda seen: float(len({_facet(int(code)) for code in seen.code})),
    "last_kind": lambda seen: float(_kind(int(seen.code[-1]))),
    "gap_mean": _gap_mean,
    "gap_std": _gap_std,
}
