"""Expectations of the last months beside those before, within the same data: no earlier training is needed for them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from domain.clock import Int64s
from features.gates.breaches import Miss
from features.gates.config import SteadyHours, SteadyMissing, SteadyMix, SteadyScale, SteadyVolume
from features.gates.looking import Seen, percent
from features.gates.profile import Floats
from features.gates.shifts import best_shift, shifted
from features.known import happened_in
from features.stability import stability

_RECENT, _BEFORE, _LEAST_BEFORE = 2, 6, 3
_LEAST_COVER = 1 / 3
"""Share of a month before the end of the data from which on it is looked at; its volume is taken by the day."""
_LEAST_VOLUME = 30
_SIGMAS = 4.0
_ROWS_PER_UNIT = 4
"""Rows of one debtor are alike: so many count as one independent one in the noise of a PSI."""
_FALSE_ALARM = 1e-5
_YEARS = 24
_AROUND = 2


@dataclass(frozen=True, slots=True)
class Spans:
    """Places of the recent months and of those before, and the (m,) share of each month that the data cover."""

    recent: tuple[int, ...]
    before: slice
    cover: Floats


def spans_of(seen: Seen) -> Spans | None:
    """Which months are compared with which; ``None`` where there are too few."""
    profile = seen.profile
    if not profile.dated:
        return None
    starts = (profile.months.astype("datetime64[M]")).astype("datetime64[D]").astype(np.int64)
    ends = ((profile.months + 1).astype("datetime64[M]")).astype("datetime64[D]").astype(np.int64)
    cover = np.clip((seen.look.profile.end_day - starts) / (ends - starts), 0.0, 1.0)
    places = np.flatnonzero(cover >= _LEAST_COVER)
    recent = tuple(int(place) for place in places[-_RECENT:])
    if len(places) < _RECENT + _LEAST_BEFORE:
        return None
    return Spans(recent, slice(max(recent[0] - _BEFORE, 0), recent[0]), cover)


def steady_volume(seen: Seen, expected: SteadyVolume) -> Iterator[Miss]:
    """Months of which a part is missing, or there twice."""
    spans = spans_of(seen)
    if spans is None:
        return
    volume, ratio = seen.profile.volume, expected.max_ratio
    usual = {place: float(np.median(volume[spans.before])) * spans.cover[place] for place in spans.recent}
    # Months within the data have neighbours on both sides, so that growth and decline are no gaps.
    for place in range(max(_AROUND, spans.recent[0] - _YEARS), spans.recent[0]):
        around = np.r_[volume[place - _AROUND : place], volume[place + 1 : place + 1 + _AROUND]]
        low, high = float(around.min()), float(around.max())
        usual[place] = low if volume[place] < low else high if volume[place] > high else float(volume[place])
    wrong = [place for place, rows in usual.items() if _beyond(int(volume[place]), rows, ratio)]
    if wrong:
        worst = max(wrong, key=lambda place: abs(np.log((volume[place] + 1) / (usual[place] + 1))))
        month = np.datetime64(int(seen.profile.months[worst]), "M")
        found = (
            f"{len(wrong)} months out of line, {month} with {volume[worst]:,} rows where {usual[worst]:,.0f} are usual"
        )
        needed = f"between 1/{ratio:g} and {ratio:g} times the months around"
        yield Miss(None, len(wrong), found, needed, "look for part files that are missing, or were loaded twice")


def _beyond(rows: int, usual: float, ratio: float) -> bool:
    if max(usual, rows) < _LEAST_VOLUME:
        return False
    low, high = usual / ratio, usual * ratio
    above = max(high, _LEAST_VOLUME) + _SIGMAS * math.sqrt(high)
    return rows < low - _SIGMAS * math.sqrt(low) or rows > above


def steady_mix(seen: Seen, expected: SteadyMix) -> Iterator[Miss]:
    """Codes that changed their name, or went missing, lately."""
    spans = spans_of(seen)
    for column in expected.columns:
        found = seen.profile.categories.get(column)
        if spans is None or found is None:
            continue
        values = np.array([*found.values, "any rarer"], dtype=object)
        psi = _psi(found.counts, spans)
        if psi > expected.max_psi:
            now, then = found.counts[list(spans.recent)].sum(axis=0), found.counts[spans.before].sum(axis=0)
            change = now / max(now.sum(), 1) - then / max(then.sum(), 1)
            most = int(np.abs(change).argmax())
            told = f"PSI {psi:.2f} to the months before ({values[most]!r} {percent(change[most])} of the rows)"
            yield Miss(column, 0, told, f"at most {expected.max_psi:g}", "look for codes that changed in the source")


def steady_hours(seen: Seen, expected: SteadyHours) -> Iterator[Miss]:
    """Times that moved with a zone, or lost their hour, lately."""
    spans = spans_of(seen)
    if spans is None:
        return
    psi = _psi(seen.profile.hours, spans)
    if psi > expected.max_psi:
        now = seen.profile.hours[list(spans.recent)].sum(axis=0)
        told = shifted(best_shift(now, seen.profile.hours[spans.before].sum(axis=0)))
        found = f"hours of the last months at a PSI of {psi:.2f} to those before, {told}"
        yield Miss(
            _moment(seen), 0, found, f"at most {expected.max_psi:g}", "check the zone in which the source writes"
        )


def _moment(seen: Seen) -> str:
    return happened_in(seen.name)


def _psi(counts: Int64s, spans: Spans) -> float:
    """The larger PSI of each recent month to all before, 0 where chance alone makes as much."""
    before = counts[spans.before].sum(axis=0)
    worst = 0.0
    for place in spans.recent:
        now = counts[place]
        if min(now.sum(), before.sum()) < _LEAST_VOLUME:
            continue
        found = stability(
            now, before, units=int(now.sum()) // _ROWS_PER_UNIT, units_before=int(before.sum()) // _ROWS_PER_UNIT,
            false_alarm=_FALSE_ALARM,
        )  # fmt: skip
        worst = max(worst, found.psi if found.psi > found.noise else 0.0)
    return worst


def steady_scale(seen: Seen, expected: SteadyScale) -> Iterator[Miss]:
    """Amounts of one creditor that came in cents, lately."""
    spans, found = spans_of(seen), seen.profile.amounts.get(expected.column)
    if spans is None or found is None:
        return
    before = found.medians[spans.before]
    usual = np.array([np.median(one[~np.isnan(one)]) if (~np.isnan(one)).any() else np.nan for one in before.T])
    ratio = found.medians[list(spans.recent)] / usual
    # No comparison of a number with NaN is true: groups without enough rows say nothing.
    wrong = (ratio > expected.max_ratio) | (ratio < 1 / expected.max_ratio)
    if wrong.any():
        worst = float(ratio[wrong][np.abs(np.log(ratio[wrong])).argmax()])
        told = f"median amounts of {int(wrong.any(axis=0).sum())} creditors at {worst:.3g} times those before"
        needed = f"between 1/{expected.max_ratio:g} and {expected.max_ratio:g}"
        yield Miss(expected.column, int(wrong.sum()), told, needed, "look for cents among currency units")


def steady_missing(seen: Seen, expected: SteadyMissing) -> Iterator[Miss]:
    """Columns that the source stopped to fill, lately."""
    spans = spans_of(seen)
    if spans is None:
        return
    volume = seen.profile.volume
    for column, missing in seen.profile.missing.items():
        before, of = int(missing[spans.before].sum()), int(volume[spans.before].sum())
        if column in expected.apart_from or of < _LEAST_VOLUME:
            continue
        for place in spans.recent:
            rise = missing[place] / max(volume[place], 1) - before / of
            if volume[place] >= _LEAST_VOLUME and rise > expected.max_rise + _SIGMAS * 0.5 / np.sqrt(volume[place]):
                month = np.datetime64(int(seen.profile.months[place]), "M")
                told = f"{percent(rise)} more rows without a value in {month} than before"
                way_out = "deliver the column again, or train without it"
                yield Miss(column, int(missing[place]), told, f"at most {percent(expected.max_rise)}", way_out)
                break
