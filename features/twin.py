"""The numpy twin of the kernel: each feature on its own, by masks over one account's events, written a second time.

Slow and plain. It is the oracle of the tests, and computes wherever compiled code is not wanted.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from domain.clock import US_PER_DAY
from features.definitions import PARTS, Events, Feature, Windowed
from features.encoding import Encoded
from features.spine import Spine

Floats = npt.NDArray[np.float64]


def windowed_by_masks(encoded: Encoded, spine: Spine, features: tuple[Feature, ...]) -> Floats:
    """The same (n, k) matrix as ``kernel.windowed``, for windowed features only."""
    out = np.full((len(spine), len(features)), np.nan)
    for row, (account, as_of_us) in enumerate(zip(spine.account, spine.as_of_us, strict=True)):
        for column, feature in enumerate(features):
            assert isinstance(feature.rule, Windowed)
            out[row, column] = _one(encoded, int(account), int(as_of_us), feature.rule)
    return out


def _one(encoded: Encoded, account: int, as_of_us: int, rule: Windowed) -> float:
    events = encoded.events
    span = slice(events.offsets[account], events.offsets[account + 1])
    moment, value, day = events.occurred_us[span], events.value[span], events.day[span]
    seen = (moment < as_of_us) & (events.known_from[span] < as_of_us) & (as_of_us <= events.known_until[span])
    seen &= _selected(rule.events, events.code[span], events.part[span], events.weekend[span])
    if rule.days:
        seen &= moment >= as_of_us - rule.days * US_PER_DAY
    chosen = np.flatnonzero(seen)
    if not len(chosen):
        return 0.0 if rule.aggregate in {"count", "sum", "days"} else float("nan")
    return _AGGREGATES[rule.aggregate](moment[chosen], value[chosen], day[chosen], as_of_us)


def _selected(
    selection: Events, code: npt.NDArray[np.int32], part: npt.NDArray[np.int8], weekend: npt.NDArray[np.int8]
) -> npt.NDArray[np.bool_]:
    chosen = np.isin(code, selection.codes())
    if selection.parts:
        chosen &= np.isin(part, [PARTS.index(name) for name in selection.parts])
    return chosen & (weekend == 1) if selection.weekend else chosen


def _gaps(moment: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.diff(moment) // 1_000_000


def _gap_std(moment: npt.NDArray[np.int64]) -> float:
    hours = [int(gap) // 3_600_000_000 for gap in np.diff(moment)]
    if len(hours) < 2:
        return float("nan")
    spread = len(hours) * sum(hour * hour for hour in hours) - sum(hours) ** 2
    return float(np.sqrt(float(spread)) / len(hours) / 24.0)


_Aggregate = Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64], int], float]
_AGGREGATES: dict[str, _Aggregate] = {
    "count": lambda moment, _value, _day, _as_of: float(len(moment)),
    "sum": lambda _moment, value, _day, _as_of: float(value.sum()),
    "mean": lambda _moment, value, _day, _as_of: float(value.sum()) / len(value),
    "max": lambda _moment, value, _day, _as_of: float(max(int(value.max()), 0)),
    "recency": lambda moment, _value, _day, as_of: float(as_of - moment[-1]) / 86_400e6,
    "age": lambda moment, _value, _day, as_of: float(as_of - moment[0]) / 86_400e6,
    "last": lambda _moment, value, _day, _as_of: float(value[-1]),
    "days": lambda _moment, _value, day, _as_of: float(len(np.unique(day))),
    "gap_mean": lambda moment, _value, _day, _as_of: (
        float(_gaps(moment).sum()) / 86_400.0 / (len(moment) - 1) if len(moment) > 1 else float("nan")
    ),
    "gap_std": lambda moment, _value, _day, _as_of: _gap_std(moment),
}
