"""Sections 8 and 9: does the score hold over time and placements, and where are the segments it is weak in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
from scipy.stats import norm

from features.definitions import Calendar
from features.reference import counts_in, fit_numbers
from training.ope.estimators import Z_95
from training.reporting import pictures
from training.reporting.calibration_tests import holm
from training.reporting.evidence import Cut, Evidence, HeldOut
from training.reporting.intervals import Scored, auc_of, difference, mean_figure
from training.reporting.lights import Figure, Light
from training.reporting.parts import Column, Section, Table, Value, note, table
from training.reporting.performance import distance, no_held_out
from training.reporting.resampling import ece_of
from training.reporting.shift import beyond_chance

_SHOWN = 15
_CUTS = ("product", "region", "days_past_due", "amount_due", "vintage")
_PER_PART = (
    Column("part", "text"), Column("rows", "count"), Column("debtors", "count"), Column("mean_p_pay"), Column("rate"),
    Column("gap"), Column("auc"), Column("ece"),
)  # fmt: skip


def stability(evidence: Evidence) -> Section:
    """PSI of the score and CSI of every feature by month, payment rates, and both by month and vintage."""
    codes = ("SCORE", "FEATURES", "LABEL", "MONTHS", "VINTAGES")
    held = evidence.held_out
    if held is None:
        return no_held_out(evidence, "stability", *(f"STABILITY_{code}" for code in codes))
    by_month, by_vintage = (parts_of(held.test, held.cut(name)) for name in ("month", "vintage"))
    score, score_table = _score(held, evidence)
    features, feature_table = _features(held, evidence)
    label = difference((held.test.paid, held.test.debtor), (held.valid.paid, held.valid.debtor))
    return Section(
        "stability",
        lights=(
            evidence.judge("STABILITY_SCORE", score[0], about=score[1]),
            evidence.judge("STABILITY_FEATURES", features[0], about=features[1]),
            evidence.judge("STABILITY_LABEL", distance(label, 0.0)),
            gap_light("STABILITY_MONTHS", by_month, evidence),
            gap_light("STABILITY_VINTAGES", by_vintage, evidence, reason="no_vintage"),
        ),
        notes=(note("psi_text"), note("csi_text", features=len(evidence.names)), note("months_text")),
        tables=(score_table, feature_table, _table("by_month", by_month), _table("by_vintage", by_vintage)),
        pictures=(pictures.by_part("month_rates", by_month, evidence.locale),),
    )  # fmt: skip


def _score(held: HeldOut, evidence: Evidence) -> tuple[tuple[Figure | None, str | None], Table]:
    """Against validation rows, in their deciles: month by month, and all test rows together."""
    before = fit_numbers({"score": held.valid.p}, units=held.valid.debtors).features["score"]
    known = np.array(before.counts)
    rows: list[tuple[str, int, Figure, bool]] = []
    for label, part in [*((one.label, one.rows) for one in parts_of(held.test, held.cut("month"))), ("*", held.test)]:
        figure, beyond = beyond_chance(
            counts_in(part.p, before), known, units=part.debtors, units_before=held.valid.debtors,
            error=evidence.policy.family_error,
        )  # fmt: skip
        rows.append((label, len(part), figure, beyond))
    columns = (Column("month", "text"), Column("rows", "count"), Column("psi"), Column("beyond_chance", "bool"))
    return _largest(rows, evidence), table("score_psi", columns, rows)


def _features(held: HeldOut, evidence: Evidence) -> tuple[tuple[Figure | None, str | None], Table]:
    """Each feature's largest CSI of a month, by the bins of the training matrix; the largest ones are shown."""
    reference, months = evidence.bundle.reference, held.cut("month", every=True)
    if reference is None or months is None:
        return (None, None), table("feature_csi", (Column("feature", "code"),), [])
    units = [len(np.unique(held.columns["debtor"][months.code == code])) for code in range(len(months.labels))]
    error = evidence.policy.family_error / max(len(evidence.names) * len(units), 1)
    rows: list[tuple[str, str, int, Figure, bool]] = []
    for name in evidence.names:
        counts, before = held.told["features"][name], np.array(reference.features[name].counts)
        found = [
            beyond_chance(np.array(one), before, units=n, units_before=reference.units, error=error)
            for one, n in zip(counts, units, strict=True)
        ]
        enough = [place for place, one in enumerate(counts) if sum(one) >= evidence.policy.min_rows]
        if enough:
            place = max(enough, key=lambda one: found[one][0].value or 0.0)
            rows.append((name, months.labels[place], sum(counts[place]), *found[place]))
    rows.sort(key=lambda one: (not one[4], -(one[3].value or 0.0)))
    columns = (
        Column("feature", "code"), Column("month", "text"), Column("rows", "count"), Column("csi"),
        Column("beyond_chance", "bool"),
    )  # fmt: skip
    judged = [(one[0], one[2], one[3], one[4]) for one in rows if one[0] not in _by_nature(evidence)]
    return _largest(judged, evidence), table("feature_csi", columns, rows[:_SHOWN])


def _by_nature(evidence: Evidence) -> set[str]:
    """Features that time alone moves: the calendar, and ages, which grow. They are shown and make no light."""
    features = evidence.bundle.schema.features
    return {one.name for one in features if isinstance(one.rule, Calendar) or one.name.endswith("_age")}


def _largest(rows: list[tuple[str, int, Figure, bool]], evidence: Evidence) -> tuple[Figure | None, str | None]:
    """The largest PSI that is more than chance; 0 where none is. Months with too few rows have no part."""
    enough = [one for one in rows if one[1] >= evidence.policy.min_rows]
    beyond = [one for one in enough if one[3]]
    if not enough:
        return None, None
    if not beyond:
        return Figure(0.0, n=sum(one[1] for one in enough), method="chance"), None
    top = max(beyond, key=lambda one: one[2].value or 0.0)
    return top[2], top[0]


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
        said = float(rows.p.mean())
        return (self.label, len(rows), rows.debtors, said, self.rate, self.gap, self.auc, ece_of(rows))


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
    figure, about = worst_gap(parts, evidence)
    return evidence.judge(code, figure, about=about, reason=reason)


def worst_gap(parts: list[Part], evidence: Evidence) -> tuple[Figure | None, str | None]:
    """The largest gap of rate and probability among parts where it is more than chance; 0 where there is none.

    The chance of calling noise a gap anywhere is the policy's ``family_error`` (Holm over the parts).
    """
    big = enough(parts, evidence)
    if not big:
        return None, None
    flags = holm([_p_value(one.gap) for one in big], evidence.policy.family_error)
    found = [one for one, flag in zip(big, flags, strict=True) if flag]
    if not found:
        return Figure(0.0, n=sum(len(one.rows) for one in big), method="clustered"), None
    top = max(found, key=lambda one: abs(one.gap.value or 0.0))
    return distance(top.gap, 0.0), top.label


def _p_value(figure: Figure) -> float:
    if figure.value is None or figure.bounds is None:
        return 1.0
    se = (figure.bounds[1] - figure.bounds[0]) / (2 * Z_95)
    return float(2 * norm.sf(abs(figure.value) / se)) if se > 0 else float(figure.value == 0.0)


def _table(name: str, parts: list[Part]) -> Table:
    return table(name, _PER_PART, [one.cells() for one in parts])


def segments(evidence: Evidence) -> Section:
    """Order and calibration by segment, and a search for weak ones among segments and pairs of them."""
    held = evidence.held_out
    if held is None:
        return no_held_out(evidence, "segments", "SEGMENT_CALIBRATION", "SEGMENT_ORDER", "SEGMENT_SMALL")
    cuts = {name: cut for name in _CUTS if (cut := held.cut(name)) is not None}
    single = {name: parts_of(held.test, cut) for name, cut in cuts.items()}
    searched = _searched(held, cuts, evidence)
    weak, weak_at = _worst_order(enough(searched, evidence))
    judged = [sum(len(one.rows) for one in enough(parts, evidence)) for parts in single.values()]
    small = 1.0 - min(judged, default=len(held.test)) / len(held.test)
    ordered = sorted(enough(searched, evidence), key=lambda one: -abs(one.gap.value or 0.0))
    return Section(
        "segments",
        lights=(
            gap_light("SEGMENT_CALIBRATION", searched, evidence),
            evidence.judge("SEGMENT_ORDER", weak, about=weak_at, reason="too_few"),
            evidence.judge("SEGMENT_SMALL", Figure(small, n=len(held.test))),
        ),
        notes=(
            note("search_text", searched=len(searched), judged=len(ordered), rows=evidence.policy.min_rows,
                 debtors=evidence.policy.min_debtors, error=evidence.policy.family_error),
            note("no_channel_segment"),
        ),
        tables=(*(_table(f"by_{name}", parts) for name, parts in single.items()),
                table("weakest", _PER_PART, [one.cells() for one in ordered[:_SHOWN]])),
    )  # fmt: skip


def _searched(held: HeldOut, cuts: dict[str, Cut], evidence: Evidence) -> list[Part]:
    """Every part of every cut, and of every pair of cuts that has enough rows."""
    test = held.test
    found = [one for name, cut in cuts.items() for one in parts_of(test, cut, prefix=f"{name}=")]
    for (first, a), (second, b) in combinations(cuts.items(), 2):
        both = a.code * len(b.labels) + b.code
        counts = np.bincount(both, minlength=len(a.labels) * len(b.labels))
        for code in np.flatnonzero(counts >= evidence.policy.min_rows).tolist():
            label = f"{first}={a.labels[code // len(b.labels)]}, {second}={b.labels[code % len(b.labels)]}"
            found.append(Part.of(label, test.where(both == code)))
    return found


def _worst_order(parts: list[Part]) -> tuple[Figure | None, str | None]:
    """AUC of the part that is surest to have a low one: that with the lowest upper end of its interval."""
    known = [one for one in parts if one.auc.high is not None]
    if not known:
        return None, None
    weakest = min(known, key=lambda one: one.auc.high or 0.0)
    return weakest.auc, weakest.label
