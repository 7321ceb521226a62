"""Features and scores of each week beside what training saw: shifts, missing values, unseen categories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from decisioning.bundle import ModelBundle
from features.definitions import Calendar
from features.reference import FeatureReference, columns_of, counts_in
from features.schema import FeatureSchema
from training.monitoring.chance import Floats
from training.monitoring.checks import Finding, State
from training.monitoring.config import MonitoringConfig
from training.monitoring.rates import Rate
from training.monitoring.shifts import Before, Shift, shift
from training.monitoring.watched import PARTS, ScoredRows, Watched, Week
from training.windows import Int64s

_CALENDAR_SALT = 0xCA1


@dataclass(frozen=True)
class Against:
    """What a column is held against: its bins, rows of weeks before, and independent debtors of training.

    Without weeks before it is the whole of training, of which the bins tell.
    """

    known: FeatureReference
    weeks: Int64s | None
    units: int

    @cached_property
    def _bins(self) -> Before | None:
        return None if self.weeks is None else Before(self.weeks)

    @cached_property
    def _missing(self) -> Before | None:
        return None if self.weeks is None else Before(_two(self.weeks))

    def shift(self, now: Int64s) -> Shift:
        """That of a week's rows (parts, bins)."""
        return self.shift_of_training(now) if self._bins is None else self._bins.shift(now)

    def shift_of_training(self, now: Int64s) -> Shift:
        """The same against training, whatever else there is."""
        return shift(now.sum(axis=0), self.known, units_before=self.units)

    def missing(self, now: Int64s) -> Rate:
        """The share of rows without a value beside that before."""
        if self._missing is not None:
            return self._missing.rate(_two(now))
        n = float(now.sum())
        return Rate(float(now[:, -1].sum()), n, self.known.null_rate * self.units, float(self.units))


def _two(rows: Int64s) -> Int64s:
    """Rows with a value, and without one."""
    return np.stack([rows[..., :-1].sum(axis=-1), rows[..., -1]], axis=-1)


def drift(watched: Watched, bundle: ModelBundle, config: MonitoringConfig) -> Iterator[Finding]:
    """Findings of every week; none where the bundle is of before training kept what it saw."""
    if bundle.reference is not None:
        moved, units = by_nature(bundle.schema), bundle.reference.units
        before = [dict(columns_of(rows.values, bundle.schema)) for rows in watched.rows_before]
        judged = [dict(columns_of(rows.values, bundle.schema)) for rows in watched.rows]
        for name, known in bundle.reference.features.items():
            against = _against(known, [one[name] for one in before], watched, units)
            for week, rows, columns in zip(watched.weeks, watched.rows, judged, strict=True):
                now, few = _by_part(columns[name], rows.part, known), _few(rows, config)
                why: State | None = "by_nature" if name in moved else few
                yield _shifted(("FEATURE_PSI", week, name), now, against, why=why, config=config)
                yield absolute(("FEATURE_MISSING", week, name), against.missing(now), why=few, config=config)
        for week, rows in zip(watched.weeks, watched.rows, strict=True):
            yield from _unseen(week, rows, units, config)
    yield from _scores(watched, bundle, config)


def _scores(watched: Watched, bundle: ModelBundle, config: MonitoringConfig) -> Iterator[Finding]:
    if bundle.scores is None:
        return
    p_pay = [calendar_held(rows, watched.rows_before, bundle) for rows in watched.rows]
    for place, (name, known) in enumerate(bundle.scores.features.items()):
        before = [rows.p_pay[:, place] for rows in watched.rows_before]
        against = _against(known, before, watched, bundle.scores.units)
        for rows, p, week in zip(watched.rows, p_pay, watched.weeks, strict=True):
            now = _by_part(np.ascontiguousarray(p[:, place]), rows.part, known)
            of = ("SCORE_PSI", week, f"p_pay_{name}")
            yield _shifted(of, now, against, why=_few(rows, config), config=config)


def calendar_held(rows: ScoredRows, before: Sequence[ScoredRows], bundle: ModelBundle) -> Floats:
    """(n, H) what the model would say of a week's rows on days of the weeks before, in the same part of their month.

    Notes
    -----
    The calendar is no drift, and nor is what it does to a score: a model that looks at the length of the month scores
    February otherwise. Each row gets the calendar of a row before, all its columns together, drawn by its place; rows
    of a part of the month that the weeks before lack stay as they are.
    """
    places = np.array(
        [n for n, one in enumerate(bundle.schema.features) if isinstance(one.rule, Calendar)], dtype=np.intp
    )
    if not len(rows) or not before or not len(places):
        return rows.p_pay
    values, rng = rows.values.copy(), np.random.default_rng(_CALENDAR_SALT)
    days, part = (np.concatenate(one) for one in zip(*((r.values[:, places], r.part) for r in before), strict=True))
    for one in range(PARTS):
        mine, theirs = np.flatnonzero(rows.part == one), np.flatnonzero(part == one)
        if len(theirs):
            values[np.ix_(mine, places)] = days[rng.choice(theirs, len(mine))]
    return bundle.payment.predict(values)


def _against(known: FeatureReference, before: Sequence[Floats], watched: Watched, units: int) -> Against:
    weeks = [_by_part(column, rows.part, known) for column, rows in zip(before, watched.rows_before, strict=True)]
    return Against(known, np.stack(weeks) if weeks else None, units)


def _by_part(column: Floats, part: Int64s, known: FeatureReference) -> Int64s:
    """(parts, bins) rows of a column."""
    return np.stack([counts_in(column[part == one], known) for one in range(PARTS)])


def by_nature(schema: FeatureSchema) -> frozenset[str]:
    """Features that time alone moves: the calendar, and ages, which grow. They are shown and raise no alert."""
    return frozenset(one.name for one in schema.features if isinstance(one.rule, Calendar) or one.name.endswith("_age"))


def _few(rows: ScoredRows, config: MonitoringConfig) -> State | None:
    return "cannot_tell" if len(rows) < config.min_rows else None


def _shifted(
    of: tuple[str, Week, str], now: Int64s, against: Against, *, why: State | None, config: MonitoringConfig
) -> Finding:
    code, week, name = of
    n, limit = int(now.sum()), config.limits[code]
    if not n:
        return Finding(code, week.name, name, None, None, None, 0, why=why or "cannot_tell")
    found = against.shift(now)

    def power(alpha: float) -> float:
        return found.power(size=limit.red, least=limit.amber, alpha=alpha)

    return Finding(
        code, week.name, name, found.psi, found.expected, found.effect, n, p_value=found.p_value, power=power, why=why,
        beside_training=against.shift_of_training(now).effect,
    )  # fmt: skip


def _unseen(week: Week, rows: ScoredRows, units: int, config: MonitoringConfig) -> Iterator[Finding]:
    for name, share in rows.unseen.items():
        rate = Rate(share * len(rows), float(len(rows)), 0.0, float(units))
        yield absolute(("FEATURE_UNSEEN", week, name), rate, why=_few(rows, config), config=config)


def absolute(of: tuple[str, Week, str], rate: Rate, *, why: State | None, config: MonitoringConfig) -> Finding:
    """A share beside what it was, whose limits are shares themselves."""
    code, week, about = of
    limit = config.limits[code]
    # Upwards where there is room: towards one half a change of the same size is the harder one to see.
    sign = 1.0 if rate.share_before + limit.red <= 1.0 else -1.0
    power = partial(_power, rate, sign * limit.red, limit.amber)
    change = abs(rate.share - rate.share_before)
    return Finding(
        code, week.name, about, rate.share, rate.share_before, change, round(rate.n),
        p_value=rate.p_value if why is None else None, power=power, why=why,
    )  # fmt: skip


def _power(rate: Rate, size: float, least: float, alpha: float) -> float:
    return rate.power(size=size, least=least, alpha=alpha)
