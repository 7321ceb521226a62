"""How good a feature matrix is, in findings: values in, values out.

Training asks about its own matrix; later matrices are compared with the reference that training left in its bundle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.definitions import Calendar
from features.findings import SEVERITIES, Severity
from features.profile import FeatureQuality, profiles, with_unseen, without_value
from features.reference import Reference
from features.schema import FeatureSchema, missing_tables

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on something is said.

    ``psi_*`` are the usual limits of credit scoring, and count only where they are above the noise; ``false_alarm`` is
    the probability with which any feature at all passes its noise where nothing shifted. ``null_rise_*`` are increases
    of the share of missing values, ``outside_warning`` and ``unseen_*`` shares of rows. Below ``least_units`` debtors
    nothing is said about shares.
    """

    psi_warning: float = 0.10
    psi_critical: float = 0.25
    false_alarm: float = 0.01
    null_rise_warning: float = 0.10
    null_rise_critical: float = 0.50
    outside_warning: float = 0.01
    unseen_warning: float = 0.01
    unseen_critical: float = 0.25
    least_units: int = 30


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a matrix does not say of itself.

    ``units`` is the number of independent debtors among the rows (by default every row is one), ``present`` are the
    tables that were given (by default all that the schema needs), ``unseen`` are shares by
    ``features.profile.unseen_shares``.
    """

    units: int | None = None
    present: frozenset[str] | None = None
    unseen: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class FeatureFinding:
    """Something about one feature, or about a table or the whole matrix where ``feature`` is ``None``."""

    severity: Severity
    feature: str | None
    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Quality:
    """Every feature in schema order, and the findings, worst first."""

    rows: int
    units: int
    features: tuple[FeatureQuality, ...]
    findings: tuple[FeatureFinding, ...]

    @property
    def constant(self) -> tuple[str, ...]:
        """Features with one value, or none, in every row."""
        return tuple(feature.name for feature in self.features if feature.constant)

    @property
    def duplicates(self) -> dict[str, str]:
        """Features that are bit for bit an earlier one, by name."""
        return {feature.name: feature.duplicate_of for feature in self.features if feature.duplicate_of}

    @property
    def useless(self) -> bool:
        """Whether nothing can be learned from it: no rows, or no feature that varies."""
        return not self.rows or len(self.constant) == len(self.features)

    @property
    def worst_first(self) -> tuple[FeatureQuality, ...]:
        """Features by the severity of what was found about them, then by how far they shifted."""
        rank: dict[str | None, int] = {}
        for finding in self.findings:
            rank.setdefault(finding.feature, SEVERITIES.index(finding.severity))

        def key(one: FeatureQuality) -> tuple[int, float]:
            return rank.get(one.name, len(SEVERITIES)), -one.stability.psi if one.stability else 0.0

        return tuple(sorted(self.features, key=key))

    @property
    def counts(self) -> dict[str, int]:
        """Findings by severity."""
        found = Counter(finding.severity for finding in self.findings)
        return {severity: found[severity] for severity in SEVERITIES}

    def to_json(self) -> dict[str, Any]:
        """Counts, findings and every feature, worst first, for machines."""
        return {
            "rows": self.rows,
            "units": self.units,
            "counts": self.counts,
            "findings": [asdict(finding) for finding in self.findings],
            "features": [asdict(feature) for feature in self.worst_first],
        }


def quality(
    matrix: Floats,
    schema: FeatureSchema,
    reference: Reference | None = None,
    *,
    circumstances: Circumstances | None = None,
    thresholds: Thresholds | None = None,
) -> Quality:
    """The quality of a matrix, compared with training where a reference is given.

    Parameters
    ----------
    matrix : (n, k) in schema order, ``NaN`` where missing

    Notes
    -----
    Features of a table that is absent are missing throughout by design: the table is named once, as a warning, and
    nothing more is said of them. Calendar features are the same for every account of a moment: their shift is told, and
    nothing found about it.
    """
    known, limits = circumstances or Circumstances(), thresholds or Thresholds()
    units = len(matrix) if known.units is None else known.units
    # Many features are looked at together: each gets its part of the false alarms that are allowed.
    alarm = limits.false_alarm / max(len(schema.names), 1)
    features = profiles(matrix, schema, reference, units=units, false_alarm=alarm)
    features = with_unseen(features, known.unseen or {})
    absent = () if known.present is None else missing_tables(schema, known.present)
    silent = without_value(schema, absent)
    calendar = {feature.name for feature in schema.features if isinstance(feature.rule, Calendar)}
    found = list(_of_matrix(features, absent, units=units, limits=limits))
    for feature in features:
        if feature.name not in silent:
            found += _of_feature(feature)
            judged = units >= limits.least_units and feature.name not in calendar
            found += _of_shares(feature, limits) if judged else ()
    return Quality(
        len(matrix), units, features, tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))
    )


def _of_matrix(
    features: tuple[FeatureQuality, ...], absent: tuple[str, ...], *, units: int, limits: Thresholds
) -> Iterator[FeatureFinding]:
    if all(feature.constant for feature in features):
        text = f"found no feature that varies among {len(features)}, needed some; check tables and moments"
        yield FeatureFinding("critical", None, "no_information", text)
    if units < limits.least_units:
        text = f"found {units} debtors, needed {limits.least_units} to say anything about shares; give more accounts"
        yield FeatureFinding("note", None, "few_rows", text)
    for table in absent:
        text = f"the table {table} is absent, which training had: its features are missing values; deliver it again"
        yield FeatureFinding("warning", None, "table_absent", text)


def _of_feature(one: FeatureQuality) -> Iterator[FeatureFinding]:
    if one.infinite:
        text = f"found {one.infinite} infinite values, needed finite or missing ones; correct the column it is made of"
        yield FeatureFinding("critical", one.name, "infinite", text)
    if one.constant:
        said = "no value" if one.null_rate == 1 else "the same value"
        text = f"found {said} in every row, needed one that varies; it tells a model nothing"
        yield FeatureFinding("note", one.name, "constant", text)
    if one.duplicate_of:
        text = f"is {one.duplicate_of} bit for bit; a model can do without one of them"
        yield FeatureFinding("note", one.name, "duplicate", text)


def _of_shares(one: FeatureQuality, limits: Thresholds) -> Iterator[FeatureFinding]:
    shift = one.stability
    if shift is not None and shift.beyond(limits.psi_warning):
        critical = shift.beyond(limits.psi_critical)
        text = (
            f"found PSI {shift.psi:.3f} against training, needed at most "
            f"{max(limits.psi_critical if critical else limits.psi_warning, shift.noise):.3f} ({shift.expected:.3f} is "
            f"chance, at {shift.units} debtors against {shift.units_before}); find what changed, or train again"
        )
        yield FeatureFinding("critical" if critical else "warning", one.name, "psi", text)
    yield from _risen(one, one.null_rise, (limits.null_rise_warning, limits.null_rise_critical), "null_rate")
    yield from _risen(one, one.unseen_rate, (limits.unseen_warning, limits.unseen_critical), "unseen_category")
    if one.outside_rate is not None and one.outside_rate > limits.outside_warning:
        text = (
            f"found {one.outside_rate:.1%} of the rows outside the range of training, needed at most "
            f"{limits.outside_warning:.1%}; a tree answers there as at its edge: train again if they are right"
        )
        yield FeatureFinding("warning", one.name, "outside_range", text)


_SAID = {
    "null_rate": ("{:.1%} more rows without a value than in training", "deliver the column again, or train without it"),
    "unseen_category": ("{:.1%} of the rows with a category that training never saw", "map them, or train again"),
}


def _risen(
    one: FeatureQuality, share: float | None, limits: tuple[float, float], code: str
) -> Iterator[FeatureFinding]:
    warning, critical = limits
    if share is not None and share > warning:
        found, way_out = _SAID[code]
        severity: Severity = "critical" if share > critical else "warning"
        needed = critical if severity == "critical" else warning
        text = f"found {found.format(share)}, needed at most {needed:.0%}; {way_out}"
        yield FeatureFinding(severity, one.name, code, text)
