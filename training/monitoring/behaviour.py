"""What is done and what comes back, week by week beside the weeks before: rates, shares, volumes, limits of a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np

from decisioning.budgets import Capacity
from decisioning.config import DecisionConfig
from domain.clock import US_PER_DAY
from training.monitoring.chance import Floats
from training.monitoring.checks import Finding, State
from training.monitoring.config import MonitoringConfig
from training.monitoring.drift import absolute
from training.monitoring.rates import Rate, dispersion
from training.monitoring.volumes import Volume, volumes_beside
from training.monitoring.watched import DAYS, LEAST_WEEKS, PARTS, Watched, Week, part_of_month
from training.windows import Bools, Int64s

Series = Mapping[str, tuple[Floats, Floats]]
"""By what it is about: hits and rows of each week, those before first."""


def behaviour(watched: Watched, limits: DecisionConfig, config: MonitoringConfig) -> Iterator[Finding]:
    """Findings of every week; what the data do not tell has none."""
    yield from _contacts(watched, config)
    yield from _decisions(watched, limits, config)
    yield from _late(watched, config)
    yield from _volumes(watched, config)
    yield from day_limits(watched, limits)
    for name, share in watched.fallbacks.items():
        yield Finding("FALLBACK_SHARE", watched.weeks[-1].name, name, share, None, share, 0)


def first_of_debtor(at_us: Int64s, debtor: Int64s, rows: Bools) -> Int64s:
    """Positions of each debtor's first row among ``rows``: later ones of the same week are like it."""
    some = np.flatnonzero(rows)
    order = some[np.lexsort((some, at_us[some], debtor[some]))]
    return np.asarray(order[np.diff(debtor[order], prepend=-1) != 0], dtype=np.int64)


def _contacts(watched: Watched, config: MonitoringConfig) -> Iterator[Finding]:
    made = watched.contacts
    if made is None:
        return
    received: dict[str, tuple[Floats, Floats]] = {}
    opted_out: dict[str, tuple[Floats, Floats]] = {}
    for code, channel in enumerate(made.channels):
        rows = [
            first_of_debtor(made.at_us, made.debtor, week.holds(made.at_us) & (made.channel == code))
            for week in watched.all_weeks
        ]
        n = np.array([len(some) for some in rows], dtype=np.float64)
        received[channel] = np.array([made.received[some].sum() for some in rows], dtype=np.float64), n
        opted_out[channel] = np.array([made.opted_out[some].sum() for some in rows], dtype=np.float64), n
    yield from _rates("RESPONSE_RATE", received, watched, config, until_us=watched.answered_until_us)
    yield from _rates("OPT_OUT_RATE", opted_out, watched, config, until_us=watched.answered_until_us)


def _decisions(watched: Watched, limits: DecisionConfig, config: MonitoringConfig) -> Iterator[Finding]:
    made = watched.decisions
    if made is None:
        return
    rows = [first_of_debtor(made.at_us, made.debtor, week.holds(made.at_us)) for week in watched.all_weeks]

    def counted(flag: Bools, among: Bools | None = None) -> tuple[Floats, Floats]:
        kept = [some if among is None else some[among[some]] for some in rows]
        hits = np.array([flag[some].sum() for some in kept], dtype=np.float64)
        return hits, np.array([len(some) for some in kept], dtype=np.float64)

    explored = counted(made.explored, ~made.control)
    yield from _rates("EXPLORATION_SHARE", {"": explored}, watched, config, usual=_explored_share(limits))
    if made.control.any():
        yield from _rates("CONTROL_SHARE", {"": counted(made.control)}, watched, config)
    yield from _shares("WAIT_SHARE", {"": counted(made.waits)}, watched, config)
    if made.refusals is not None:
        yield from _shares(
            "REFUSAL_SHARE", {code: counted(flag) for code, flag in made.refusals.items()}, watched, config
        )


def _explored_share(limits: DecisionConfig) -> float:
    """Share of decisions that the configuration lets differ from the best, where ``top_k`` actions are allowed."""
    explores = limits.exploration
    return explores.share * (1.0 - 1.0 / explores.top_k)


def _late(watched: Watched, config: MonitoringConfig) -> Iterator[Finding]:
    paid = watched.payments
    rows = [first_of_debtor(paid.recorded_us, paid.debtor, week.holds(paid.recorded_us)) for week in watched.all_weeks]
    hits = np.array([paid.late[some].sum() for some in rows], dtype=np.float64)
    n = np.array([len(some) for some in rows], dtype=np.float64)
    yield from _shares("LATE_PAYMENTS", {"": (hits, n)}, watched, config)


def _beside(series: Series, watched: Watched) -> Iterator[tuple[str, Week, Rate]]:
    """Each week's rate beside those of all weeks before together, with the dispersion that these show."""
    first = len(watched.before)
    if not series:
        return
    before = [np.stack([one[side][:first] for one in series.values()]) for side in (0, 1)]
    widened, free = dispersion(before[0], before[1])
    for about, (hits, n) in series.items():
        for place, week in enumerate(watched.weeks, start=first):
            yield (
                about,
                week,
                Rate(
                    float(hits[place]),
                    float(n[place]),
                    float(hits[:first].sum()),
                    float(n[:first].sum()),
                    widened,
                    free,
                ),
            )


def _shares(code: str, series: Series, watched: Watched, config: MonitoringConfig) -> Iterator[Finding]:
    for about, week, rate in _beside(series, watched):
        yield absolute((code, week, about), rate, why=_few(rate, config), config=config)


def _rates(
    code: str, series: Series, watched: Watched, config: MonitoringConfig, *, until_us: int | None = None,
    usual: float | None = None,
) -> Iterator[Finding]:  # fmt: skip
    """Rates whose limits are parts of what they were.

    ``until_us`` ends what can be judged; ``usual`` stands for what was before where the weeks before had none of it.
    """
    limit = config.limits[code]
    for about, week, seen in _beside(series, watched):
        rate = seen
        if usual and not rate.before and rate.n_before:
            rate = Rate(rate.hits, rate.n, usual * rate.n_before, rate.n_before, rate.dispersion, rate.free)
        base = max(rate.share_before, 1.0 / max(rate.n_before, 1.0))
        change = (rate.share - rate.share_before) / base
        effect = max(change, 0.0) if code == "OPT_OUT_RATE" else abs(change)
        why = "not_mature" if until_us is not None and week.end_us > until_us else _few(rate, config)
        sign = 1.0 if code == "OPT_OUT_RATE" else -1.0
        power = partial(_rate_power, rate, sign * min(limit.red, 1.0 / base) * base, limit.amber * base)
        yield Finding(
            code, week.name, about, rate.share if rate.n else None, rate.share_before, effect, round(rate.n),
            p_value=rate.p_value if why is None else None, power=power, why=why,
        )  # fmt: skip


def _rate_power(rate: Rate, size: float, least: float, alpha: float) -> float:
    return rate.power(size=size, least=least, alpha=alpha)


def _few(rate: Rate, config: MonitoringConfig) -> State | None:
    return "cannot_tell" if min(rate.n, rate.n_before) < config.min_events else None


def _volumes(watched: Watched, config: MonitoringConfig) -> Iterator[Finding]:
    starts = np.array([week.start_us for week in watched.all_weeks], dtype=np.int64)
    # A stock is of one day: that on which the week begins.
    days = np.eye(PARTS)[part_of_month(starts)]
    stock = days * watched.owing[:, None]
    yield from _volume("VOLUME_ACCOUNTS", "", (stock, days), watched, config)
    days = _by_day(watched)
    if watched.decisions is not None:
        counts = _per_week(watched, watched.decisions.at_us)
        yield from _volume("VOLUME_DECISIONS", "", (counts, days), watched, config)
    made = watched.contacts
    if made is not None:
        yield from _volume("VOLUME_CONTACTS", "", (_per_week(watched, made.at_us), days), watched, config)
        for code, channel in enumerate(made.channels):
            counts = _per_week(watched, made.at_us[made.channel == code])
            yield from _volume("VOLUME_CONTACTS", channel, (counts, days), watched, config)


def _by_day(watched: Watched) -> Floats:
    """(weeks, parts) days of each part of the month."""
    found = [
        np.bincount(part_of_month(week.start_us + US_PER_DAY * np.arange(DAYS)), minlength=PARTS)
        for week in watched.all_weeks
    ]
    return np.array(found, dtype=np.float64)


def _per_week(watched: Watched, at_us: Int64s) -> Floats:
    """(weeks, parts) moments by week and part of the month."""
    return np.array(
        [np.bincount(part_of_month(at_us[week.holds(at_us)]), minlength=PARTS) for week in watched.all_weeks],
        dtype=np.float64,
    )


def _volume(
    code: str, about: str, counted: tuple[Floats, Floats], watched: Watched, config: MonitoringConfig
) -> Iterator[Finding]:
    counts, days = counted
    last, limit = len(watched.before), config.limits[code]
    # A log that begins later has no volume before it begins.
    first = int(np.argmax(counts.sum(axis=1) > 0))
    before = counts[min(first, last) : last], days[min(first, last) : last]
    for week, found in zip(watched.weeks, volumes_beside(counts[last:], days[last:], before), strict=True):
        few = found.mean < config.min_events or len(before[0]) < LEAST_WEEKS
        why: State | None = "cannot_tell" if few else None
        effect = abs(found.count / found.mean - 1.0) if found.mean else None
        power = partial(_volume_power, found, min(limit.red, 1.0), limit.amber)
        yield Finding(
            code, week.name, about, found.count, found.mean, effect, round(found.count),
            p_value=found.p_value if why is None else None, power=power, why=why,
        )  # fmt: skip


def _volume_power(found: Volume, size: float, least: float, alpha: float) -> float:
    return found.power(size=size, least=least, alpha=alpha)


def day_limits(watched: Watched, limits: DecisionConfig) -> Iterator[Finding]:
    """The day of each week that used most of each configured limit, as contacts were made and discounts given."""
    made = watched.contacts
    if made is not None:
        for channel, capacity in limits.capacities.items():
            mine = made.channel == (made.channels.index(channel) if channel in made.channels else -1)
            yield from _capacity(channel, capacity, made.day[mine], watched)
        if "contact_cost" in limits.budgets:
            most = 100.0 * limits.budgets["contact_cost"].per_day
            yield from _used("contact_cost", made.day, made.cost_cents, most, watched)
    if "discount" in limits.budgets:
        most = 100.0 * limits.budgets["discount"].per_day
        yield from _used("discount", watched.discounts.day, watched.discounts.cents, most, watched)


def _capacity(channel: str, capacity: Capacity, day: Int64s, watched: Watched) -> Iterator[Finding]:
    if capacity.per_day:
        yield from _used(f"{channel}.contacts", day, np.ones(len(day)), capacity.per_day, watched)
    if capacity.minutes_per_day and capacity.minutes_per_contact:
        spent = np.full(len(day), capacity.minutes_per_contact)
        yield from _used(f"{channel}.minutes", day, spent, capacity.minutes_per_day, watched)


def _used(about: str, day: Int64s, use: Floats, most: float, watched: Watched) -> Iterator[Finding]:
    for week in watched.weeks:
        first = week.start_us // US_PER_DAY
        inside = (day >= first) & (day < first + 7)
        per_day = np.bincount(day[inside] - first, weights=use[inside], minlength=7)
        share = float(per_day.max()) / most if most > 0 else 0.0
        yield Finding("BUDGET_USE", week.name, about, share, 1.0, share, int(inside.sum()))
