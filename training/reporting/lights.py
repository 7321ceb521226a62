"""Verdict lights: a figure, its interval and a limit of the policy file make green, amber, red or not available.

The codes are stable: whoever reads ``report.json`` may rely on them. Nothing here draws or reads files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from training.reporting.policy import Limit, ReportPolicy

Colour = Literal["green", "amber", "red", "not_available"]
Side = Literal["more", "less"]
WORSE: Mapping[str, Side] = {
    "IDENTITY_OWNER": "less",
    "LINEAGE_COMPLETE": "less",
    "DATA_CRITICAL": "more",
    "DATA_DUPLICATES": "more",
    "SPLIT_GAP": "less",
    "SPLIT_SHARED_ROWS": "more",
    "SPLIT_LEAK": "more",
    "SPLIT_UNSEEN_DEBTORS": "more",
    "DISCRIMINATION_AUC": "less",
    "DISCRIMINATION_OVER_DELAY": "less",
    "DISCRIMINATION_OVERFIT": "more",
    "CALIBRATION_ECE": "more",
    "CALIBRATION_MEAN": "more",
    "CALIBRATION_SLOPE": "more",
    "CALIBRATION_BANDS": "more",
    "GAINS_ORDER": "more",
    "GAINS_MONEY": "more",
    "STABILITY_SCORE": "more",
    "STABILITY_FEATURES": "more",
    "STABILITY_LABEL": "more",
    "STABILITY_MONTHS": "more",
    "STABILITY_VINTAGES": "more",
    "SEGMENT_CALIBRATION": "more",
    "SEGMENT_ORDER": "less",
    "SEGMENT_SMALL": "more",
    "FAIRNESS_SELECTION": "less",
    "FAIRNESS_TRUE_POSITIVES": "less",
    "FAIRNESS_CALIBRATION": "more",
    "FAIRNESS_PROXY": "more",
    "SHAP_ADDITIVITY": "more",
    "SHAP_CONCENTRATION": "more",
    "DIRECTIONS": "more",
    "DIRECTIONS_LARGEST": "more",
    "REASONS_COVERAGE": "less",
    "REASONS_STABLE": "less",
    "REASONS_PROTECTED": "more",
    "CHALLENGER_AUC": "less",
    "CHALLENGER_BRIER": "more",
    "POLICY_SUPPORT": "less",
    "POLICY_VALUE": "less",
    "POLICY_UNSEEN": "more",
    "POLICY_PROBABILITIES": "more",
    "ROBUST_NOISE": "more",
    "ROBUST_MISSING": "more",
    "OWNER_FINDINGS": "more",
    "OWNER_MONITORING": "less",
    "DECISIONS_CONTROL": "less",
    "DECISIONS_PRESSURE": "more",
    "DECISIONS_DISCOUNTS": "more",
    "DECISIONS_REFUSALS": "more",
}
"""Every light, and on which side of its limits a figure is worse."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its 95 % interval and what it is of; ``None`` where it has none.

    ``method`` is a word of how the interval was made: ``bootstrap`` or ``delong`` (both by debtor), ``clustered``,
    ``wilson``, ``jeffreys``, ``count`` for what has no sampling error. ``n`` are rows, ``debtors`` clusters.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    debtors: int | None = None
    method: str = "count"

    @property
    def bounds(self) -> tuple[float, float] | None:
        """Both ends of the interval, where there is one."""
        return None if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True, slots=True)
class Light:
    """One verdict: its stable ``code``, colour, figure, limit, and a word for why there is none (``reason``).

    ``about`` names what the figure was worst on (a segment, a month, a feature).
    """

    code: str
    colour: Colour
    figure: Figure
    limit: Limit
    reason: str | None = None
    about: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "code": self.code, "light": self.colour, **asdict(self.figure), "amber": self.limit.amber,
            "red": self.limit.red, "worse": WORSE[self.code], "reason": self.reason, "about": self.about,
        }  # fmt: skip


def judge(
    code: str, figure: Figure | None, policy: ReportPolicy, *, about: str | None = None, reason: str = "missing"
) -> Light:
    """The light of a figure.

    Parameters
    ----------
    figure : ``None`` where it cannot be stated, and ``reason`` a word of why

    Notes
    -----
    Amber is a figure beyond the amber limit. Red asks for more: beyond the red limit, and with the whole interval
    beyond the amber one, so that a handful of rows alarms nobody. Fewer rows or debtors than the policy needs make no
    verdict at all; figures without sampling error are judged whatever their number of rows.
    """
    limit = policy.limits[code]
    if figure is None or figure.value is None:
        return Light(code, "not_available", figure or Figure(None), limit, reason)
    sampled = figure.method != "count"
    few = (figure.n or 0) < policy.min_rows or (figure.debtors is not None and figure.debtors < policy.min_debtors)
    if sampled and few:
        return Light(code, "not_available", figure, limit, "too_few", about)
    return Light(code, _colour(code, figure, limit), figure, limit, None, about)


def _colour(code: str, figure: Figure, limit: Limit) -> Colour:
    sign = 1.0 if WORSE[code] == "more" else -1.0
    value = sign * float(figure.value or 0.0)
    bounds = figure.bounds or (figure.value or 0.0,) * 2
    nearest = min(sign * bounds[0], sign * bounds[1])
    if value >= sign * limit.red and nearest >= sign * limit.amber:
        return "red"
    return "amber" if value >= sign * limit.amber else "green"


def worst(lights: list[Light]) -> Colour:
    """The worst colour among lights; not available where none has one."""
    order: tuple[Colour, ...] = ("red", "amber", "green")
    return next((colour for colour in order if any(one.colour == colour for one in lights)), "not_available")
