"""Slices of the held-out rows, and searches for the worst of many that chance alone does not explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.stats import norm

from training.ope.estimators import Z_95
from training.reporting.calibration_tests import design_effect, holm
from training.reporting.evidence import Cut, Evidence
from training.reporting.intervals import Scored, auc_of, mean_figure
from training.reporting.lights import Figure, Light
from training.reporting.parts import Value
from training.reporting.performance import distance
from training.reporting.resampling import ece_of


@dataclass(frozen=True)
class Part:
    """One part of a cut: its rows, payment rate, ``gap`` (rate less mean probability), AUC."""

    label: str
    rows: Scored
    rate: Figure
    gap: Figure
    auc: Figure

    @classmethod
    def of(cls, label: str, rows: Scored) -> Self:
        """Measured on its rows."""
        gap = mean_figure(rows.paid - rows.p, rows.debtor)
        return cls(label, rows, mean_figure(rows.paid, rows.debtor), gap, auc_of(rows))

    def cells(self) -> tuple[Value, ...]:
        """In the columns of a table of parts."""
        rows = self.rows
        return (self.label, len(rows), rows.debtors, float(rows.p.mean()), self.rate, self.gap, self.auc, ece_of(rows))


def parts_of(rows: Scored, cut: Cut | None, *, prefix: str = "") -> list[Part]:
    """The parts of a cut that hold any rows; none without a cut."""
    if cut is None:
        return []
    there = [(code, label) for code, label in enumerate(cut.labels) if (cut.code == code).any()]
    return [Part.of(f"{prefix}{label}", rows.where(cut.code == code)) for code, label in there]


def enough(parts: list[Part], evidence: Evidence) -> list[Part]:
    """Those with as many rows and debtors as the policy asks for."""
    policy = evidence.policy
    return [one for one in parts if len(one.rows) >= policy.min_rows and one.rows.debtors >= policy.min_debtors]


def gap_light(code: str, parts: list[Part], evidence: Evidence, *, reason: str = "too_few") -> Light:
    """The light of the largest gap among parts."""
    figure, about = worst_gap(code, parts, evidence)
    return evidence.judge(code, figure, about=about, reason=reason)


def worst_gap(code: str, parts: list[Part], evidence: Evidence) -> tuple[Figure | None, str | None]:
    """The largest gap of rate and probability among parts where one is sure to matter; 0 where there is none.

    A gap matters from half the light's amber limit on: no model is exact in every corner, and a search over hundreds of
    parts would find a corner in each. The chance of being wrong anywhere is the policy's ``family_error`` (Holm).
    """
    big = enough(parts, evidence)
    if not big:
        return None, None
    matters = evidence.policy.limits[code].amber / 2.0
    flags = holm([gap_p_value(one.rows, matters) for one in big], evidence.policy.family_error)
    found = [one for one, flag in zip(big, flags, strict=True) if flag]
    if not found:
        return Figure(0.0, n=sum(len(one.rows) for one in big), method="clustered"), None
    top = max(found, key=lambda one: abs(one.gap.value or 0.0))
    return distance(top.gap, 0.0), top.label


def gap_p_value(rows: Scored, matters: float) -> float:
    """Of the mean residual being no farther from 0 than ``matters``, by the nearer end of that span.

    Notes
    -----
    The variance is that of the probabilities themselves, Σp(1 − p), widened by clustering (Spiegelhalter 1986): where
    every row pays, residuals hardly vary, and their own variance would call a handful of rows certain.
    """
    variance = float((rows.p * (1.0 - rows.p)).sum()) * design_effect(rows)
    if not len(rows) or variance <= 0:
        return 1.0
    beyond = abs(float((rows.paid - rows.p).mean())) - matters
    return float(min(1.0, 2.0 * norm.sf(beyond * len(rows) / np.sqrt(variance))))


def worst_order(parts: list[Part], evidence: Evidence) -> tuple[Figure | None, str | None]:
    """AUC of the part with the lowest one among those whose order is surely poorer than a whole model's may be.

    Poorer is below the amber limit of ``DISCRIMINATION_AUC``, by Holm over the parts. Within one band of delay all
    accounts are alike, and of hundreds of parts one always lies near ½. Where none is found the figure is that limit.
    """
    known = [one for one in parts if one.auc.bounds is not None]
    if not known:
        return None, None
    least = evidence.policy.limits["DISCRIMINATION_AUC"].amber
    flags = holm([_p_below(one.auc, least) for one in known], evidence.policy.family_error)
    found = [one for one, flag in zip(known, flags, strict=True) if flag]
    if not found:
        return Figure(least, n=sum(len(one.rows) for one in known), method="delong"), None
    weakest = min(found, key=lambda one: one.auc.value or 0.0)
    return weakest.auc, weakest.label


def _p_below(figure: Figure, least: float) -> float:
    if figure.value is None or figure.bounds is None:
        return 1.0
    se = (figure.bounds[1] - figure.bounds[0]) / (2 * Z_95)
    return float(norm.cdf((figure.value - least) / se)) if se > 0 else float(figure.value >= least)
