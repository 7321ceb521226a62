"""One check of one week: what was found, and what follows once its whole family of tests is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from training.monitoring.chance import holm_adjusted
from training.monitoring.config import FAMILIES, MonitoringConfig

State = Literal["green", "amber", "red", "cannot_tell", "not_mature", "by_nature"]
ALARMING: tuple[State, ...] = ("red", "amber")


@dataclass(frozen=True)
class Finding:
    """What one check found in one week, before it is judged.

    ``effect`` is its size in the unit of the check's limits; ``value`` and ``before`` are the figures that are
    compared, of ``n`` rows. ``power`` gives, for a level, the chance of seeing a change of the size of the red limit;
    both it and ``p_value`` are ``None`` where nothing is tested. ``why`` is set where there is nothing to judge.
    ``interval`` is the 95 % interval of ``value``; ``beside_training`` is a PSI against the whole of training, less
    what chance makes of nothing.
    """

    code: str
    week: str
    about: str
    value: float | None
    before: float | None
    effect: float | None
    n: int
    p_value: float | None = None
    power: Callable[[float], float] | None = None
    why: State | None = None
    interval: tuple[float, float] | None = None
    beside_training: float | None = None


@dataclass(frozen=True)
class Check:
    """A finding with its ``state``; ``p_adjusted`` may be held against ``alpha``, that of its family."""

    found: Finding
    state: State
    p_adjusted: float | None
    power: float | None
    alpha: float | None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        one = self.found
        return {
            "code": one.code, "week": one.week, "about": one.about, "state": self.state, "value": one.value,
            "before": one.before, "effect": one.effect, "n": one.n, "p_value": one.p_value,
            "p_adjusted": self.p_adjusted, "power": self.power,
            "beside_training": one.beside_training,
            "low": one.interval and one.interval[0], "high": one.interval and one.interval[1],
        }  # fmt: skip


def judged(findings: Sequence[Finding], config: MonitoringConfig) -> list[Check]:
    """Every finding with its state, in the order given.

    Notes
    -----
    Tests of one family share ``config.family_alpha`` by Holm's rule, over all features, channels and weeks of it; the
    families have equal parts of ``config.alpha``. So the chance that a report in which nothing changed has any alert is
    ``alpha`` at most, however its tests depend on each other. Power is told at the level of the family's first step,
    which a single change has to pass.
    """
    families: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(findings):
        if one.p_value is not None and one.why is None:
            families[FAMILIES[one.code]].append(place)
    adjusted: dict[int, float] = {}
    level: dict[int, float] = {}
    for places in families.values():
        p_values = [findings[place].p_value or 0.0 for place in places]
        adjusted |= dict(zip(places, holm_adjusted(p_values), strict=True))
        level |= dict.fromkeys(places, config.family_alpha / len(places))
    return [_judged(one, adjusted.get(place), level.get(place), config) for place, one in enumerate(findings)]


def _judged(one: Finding, adjusted: float | None, level: float | None, config: MonitoringConfig) -> Check:
    if one.why is not None or one.effect is None:
        return Check(one, one.why or "cannot_tell", None, None, None)
    limit = config.limits[one.code]
    size: State = "red" if one.effect >= limit.red else "amber" if one.effect >= limit.amber else "green"
    if adjusted is None or level is None:
        return Check(one, size, None, None, None)
    power = one.power(level) if one.power is not None else None
    if adjusted <= config.family_alpha and size != "green":
        return Check(one, size, adjusted, power, config.family_alpha)
    blind = power is not None and power < config.min_power
    return Check(one, "cannot_tell" if blind else "green", adjusted, power, config.family_alpha)
