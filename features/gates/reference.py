"""Expectations of the data beside those of the last training: what was there then should be there still, and alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from domain.clock import Int64s
from features.gates.breaches import Miss
from features.gates.config import CentsKept, HoursKept, MissingKept, MixKept, RowsKept, ScaleKept, VocabularyKept
from features.gates.looking import Seen, percent, share
from features.gates.profile import MOST_MONTHS, Amounts, Categories, TableProfile
from features.gates.shifts import best_shift, shifted
from features.known import happened_in
from features.stability import stability

_SETTLING_DAYS = 45
"""Months that ended so long before the last training had all their rows by then."""
_SLACK_ROWS = 5
_LEAST_ROWS = 50
_LEAST_WORDS = 200
"""Of fewer rows than this a vocabulary is not known yet."""
_FALSE_ALARM = 1e-4
"""How likely a column may be taken for one with new values where values that were too rare to be named are all there
is: some dozen columns are looked at, so that this is a chance of about one in a thousand for a directory."""
_GROWTH = 10
"""Accounts may become more than they were, by so many times what they may become fewer."""
_GONE_SHARE = 0.02
_ONE_MONTH = 5.0
"""What the median of one month may have changed by, in a settled past: corrections are few."""


@dataclass(frozen=True, slots=True)
class Both:
    """A table then and now, and the months (k,) that are compared: those settled then that now reaches back to."""

    then: TableProfile
    now: TableProfile
    months: Int64s

    def rows(self, then: Int64s, now: Int64s) -> tuple[Int64s, Int64s]:
        """Counts by month, each (m, …), at the months compared; 0 where there is no such month."""
        return _at(then, self.then, self.months), _at(now, self.now, self.months)

    def sums(self, then: Int64s, now: Int64s) -> tuple[Int64s, Int64s]:
        """The same over all months compared."""
        before, after = self.rows(then, now)
        return before.sum(axis=0), after.sum(axis=0)


def _at(counts: Int64s, profile: TableProfile, months: Int64s) -> Int64s:
    place = months - profile.months[0]
    there = (place >= 0) & (place < len(counts))
    found = np.zeros((len(months), *counts.shape[1:]), dtype=np.int64)
    found[there] = counts[place[there]]
    return found


def both_of(seen: Seen) -> Both | None:
    """What to compare; ``None`` where the last training had no such table."""
    then, now = seen.before, seen.profile
    if then is None or seen.look.before is None or then.dated != now.dated:
        return None
    if not now.dated:
        # Rows without a moment became more since then: data that end earlier, as with --until, have fewer of them.
        return None if _ends_earlier(seen) else Both(then, now, now.months)
    last = np.datetime64(min(seen.look.before.end_day, seen.look.profile.end_day) - _SETTLING_DAYS, "D")
    settled = int(last.astype("datetime64[M]").astype(np.int64))
    first = max(int(then.months[0]), int(now.months[-1]) + 1 - MOST_MONTHS)
    return Both(then, now, np.arange(first, max(settled, first), dtype=np.int64))


def _ends_earlier(seen: Seen) -> bool:
    return seen.look.before is not None and seen.look.profile.end_day < seen.look.before.end_day


def rows_kept(seen: Seen, expected: RowsKept) -> Iterator[Miss]:
    """Rows of the past that are gone, or that came after it had passed."""
    both = both_of(seen)
    if both is None:
        return
    before, now = both.rows(both.then.volume, both.now.volume)
    most = expected.max_change * before + _SLACK_ROWS
    wrong = (now < before - most) | (now > before + most * (1 if both.now.dated else _GROWTH))
    if wrong.any():
        what = f"{int(wrong.sum())} months" if both.now.dated else "accounts"
        told = f"{what} that had {before[wrong].sum():,} rows at the last training and have {now[wrong].sum():,} now"
        way_out = "look for parts that are missing or were loaded twice; give --against none for another portfolio"
        yield Miss(None, int(wrong.sum()), told, f"changes of at most {percent(expected.max_change)}", way_out)


def vocabulary_kept(seen: Seen, expected: VocabularyKept) -> Iterator[Miss]:
    """Codes that the last training never saw, and codes of weight that are gone."""
    for column in expected.columns:
        then, now = _categories(seen, column)
        if then is None or now is None or then.counts.sum() < _LEAST_WORDS:
            continue
        known = set(then.values)
        counts = now.counts.sum(axis=0)
        new = int(counts[[place for place, value in enumerate(now.values) if value not in known]].sum())
        # A rare value that became frequent enough to be named was there before, among the rarer ones.
        rare, rows = int(then.counts[:, -1].sum()), int(then.counts.sum())
        rarer_now = share(int(counts[-1]), int(counts.sum()))
        unseen = share(new, int(counts.sum())) + max(rarer_now - share(rare, rows), 0.0)
        unnamed = _at_most(rare, rows)
        if unseen > expected.max_unseen + unnamed:
            told = f"{percent(unseen)} of the rows with values that the last training did not have"
            needed = f"at most {percent(expected.max_unseen)}, and {percent(unnamed)} that may have been too rare then"
            way_out = "map them to those before, or waive what is meant to be new"
            yield Miss(column, new, told, needed, way_out)
        weights = then.counts.sum(axis=0) / max(int(then.counts.sum()), 1)
        gone = [
            v for v, weight in zip(then.values, weights, strict=False) if weight > _GONE_SHARE and v not in now.values
        ]
        if gone and not _ends_earlier(seen):
            told = f"no row any more with {len(gone)} values that had {percent(_GONE_SHARE)} of the rows or more"
            yield Miss(column, len(gone), told, "all of them", "look for codes that changed in the source")


def _at_most(part: int, rows: int) -> float:
    """The share that ``part`` of so many rows may have come from: Clopper and Pearson's upper limit (1934)."""
    return 1.0 if part >= rows else float(betaincinv(part + 1, rows - part, 1 - _FALSE_ALARM))


def mix_kept(seen: Seen, expected: MixKept) -> Iterator[Miss]:
    """Codes of the past that are others now."""
    both = both_of(seen)
    for column in expected.columns:
        then, now = _categories(seen, column)
        if both is None or then is None or now is None:
            continue
        before, after = both.sums(then.counts, now.counts)
        # What only one of them names is among the rarer ones of the other.
        values = sorted({*then.values} & {*now.values})
        psi = _psi(_in(values, then, before), _in(values, now, after))
        if psi > expected.max_psi:
            told = f"a PSI of {psi:.2f} to the same months at the last training"
            way_out = "look for codes that changed, or rows that are gone"
            yield Miss(column, 0, told, f"at most {expected.max_psi:g}", way_out)


def hours_kept(seen: Seen, expected: HoursKept) -> Iterator[Miss]:
    """Times of the past that moved with a zone, or lost their hour."""
    both = both_of(seen)
    if both is None or not both.now.dated:
        return
    before, now = both.sums(both.then.hours, both.now.hours)
    psi = _psi(before, now)
    if psi > expected.max_psi:
        told = (
            f"hours at a PSI of {psi:.2f} to the same months at the last training, {shifted(best_shift(now, before))}"
        )
        column = happened_in(seen.name)
        way_out = "check the zone in which the source writes"
        yield Miss(column, 0, told, f"at most {expected.max_psi:g}", way_out)


def scale_kept(seen: Seen, expected: ScaleKept) -> Iterator[Miss]:
    """Amounts of the past, by creditor, that are others now."""
    both = both_of(seen)
    then, now = _amounts(seen.before, expected.column), _amounts(seen.profile, expected.column)
    if both is None or then is None or now is None:
        return
    wrong, worst = 0, 1.0
    for group in sorted(set(then.groups) & set(now.groups)):
        medians = [
            dict(zip(table.months.tolist(), one.medians[:, one.groups.index(group)].tolist(), strict=True))
            for table, one in ((both.then, then), (both.now, now))
        ]
        ratios = np.array(
            [medians[1].get(month, np.nan) / medians[0].get(month, np.nan) for month in both.months.tolist()]
        )
        ratios = ratios[~np.isnan(ratios)]
        if not len(ratios):
            continue
        usual, extreme = float(np.median(ratios)), float(ratios[np.abs(np.log(ratios)).argmax()])
        if _outside(usual, expected.max_ratio) or _outside(extreme, _ONE_MONTH):
            wrong += 1
            worst = max(worst, extreme, key=lambda ratio: abs(np.log(ratio)))
    if wrong:
        told = f"median amounts of {wrong} creditors at up to {worst:.3g} times those of the last training"
        needed = f"between 1/{expected.max_ratio:g} and {expected.max_ratio:g}"
        yield Miss(expected.column, wrong, told, needed, "look for cents among currency units")


def _outside(ratio: float, most: float) -> bool:
    return ratio > most or ratio < 1 / most


def cents_kept(seen: Seen, expected: CentsKept) -> Iterator[Miss]:
    """Amounts that were rounded, or cut, to whole units."""
    then, now = _amounts(seen.before, expected.column), _amounts(seen.profile, expected.column)
    if then is not None and now is not None and now.whole - then.whole > expected.max_rise:
        told = f"{percent(now.whole)} of the amounts without cents, {percent(then.whole)} at the last training"
        needed = f"a rise of at most {percent(expected.max_rise)}"
        yield Miss(expected.column, 0, told, needed, "look for amounts read as whole numbers")


def missing_kept(seen: Seen, expected: MissingKept) -> Iterator[Miss]:
    """Columns that lost their values."""
    both = both_of(seen)
    if both is None:
        return
    volume, volume_now = both.sums(both.then.volume, both.now.volume)
    if min(volume, volume_now) < _LEAST_ROWS:
        return
    for column in sorted(set(both.then.missing) & set(both.now.missing) - set(expected.apart_from)):
        before, now = both.sums(both.then.missing[column], both.now.missing[column])
        rise = int(now) / int(volume_now) - int(before) / int(volume)
        if rise > expected.max_rise:
            told = f"{percent(rise)} more rows without a value than at the last training"
            way_out = "deliver the column again, or train without it and waive that"
            yield Miss(column, int(now), told, f"at most {percent(expected.max_rise)}", way_out)


def _categories(seen: Seen, column: str) -> tuple[Categories | None, Categories | None]:
    then = None if seen.before is None else seen.before.categories.get(column)
    return then, seen.profile.categories.get(column)


def _amounts(table: TableProfile | None, column: str) -> Amounts | None:
    return None if table is None else table.amounts.get(column)


def _in(values: list[str], found: Categories, counts: Int64s) -> Int64s:
    """Counts of these values, and of all others together."""
    places = [found.values.index(value) for value in values]
    return np.array([*counts[places], counts.sum() - counts[places].sum()], dtype=np.int64)


def _psi(before: Int64s, now: Int64s) -> float:
    """The same rows twice differ by no chance: only few rows say nothing."""
    if min(before.sum(), now.sum()) < _LEAST_ROWS:
        return 0.0
    return stability(now, before, units=int(now.sum()), units_before=int(before.sum()), false_alarm=0.5).psi
