"""Sections 8 and 9: does the score hold over time and placements, and where are the segments it is weak in."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt

from features.definitions import Calendar
from features.reference import counts_in, fit_numbers
from training.reporting import pictures
from training.reporting.evidence import Cut, Evidence, HeldOut
from training.reporting.intervals import difference
from training.reporting.lights import Figure
from training.reporting.parts import Column, Section, Table, note, table
from training.reporting.performance import distance, no_held_out
from training.reporting.shift import beyond_chance
from training.reporting.slices import Part, enough, gap_light, parts_of, worst_order

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
    spans = whole_months(np.bincount(months.code, minlength=len(months.labels)))
    units = [len(np.unique(held.columns["debtor"][np.isin(months.code, span)])) for span in spans]
    error = evidence.policy.family_error / max(len(evidence.names) * len(units), 1)
    rows: list[tuple[str, str, int, Figure, bool]] = []
    for name in evidence.names:
        counts, before = np.array(held.told["features"][name]), np.array(reference.features[name].counts)
        joined = [counts[list(span)].sum(axis=0) for span in spans]
        found = [
            beyond_chance(one, before, units=n, units_before=reference.units, error=error)
            for one, n in zip(joined, units, strict=True)
        ]
        enough = [place for place, one in enumerate(joined) if one.sum() >= evidence.policy.min_rows]
        if enough:
            place = max(enough, key=lambda one: found[one][0].value or 0.0)
            label = " + ".join(months.labels[month] for month in spans[place])
            rows.append((name, label, int(joined[place].sum()), *found[place]))
    rows.sort(key=lambda one: (not one[4], -(one[3].value or 0.0)))
    columns = (
        Column("feature", "code"), Column("month", "text"), Column("rows", "count"), Column("csi"),
        Column("beyond_chance", "bool"),
    )  # fmt: skip
    judged = [(one[0], one[2], one[3], one[4]) for one in rows if one[0] not in _by_nature(evidence)]
    return _largest(judged, evidence), table("feature_csi", columns, rows[:_SHOWN])


def whole_months(rows: npt.NDArray[np.int64]) -> list[tuple[int, ...]]:
    """Positions of months, each with those before it that have less than half the rows of a usual one; the last such
    joins the one before.

    Bills and paydays have their days: a few days at the edge of a part, set against whole months, look like a shift in
    every feature that counts days.

    >>> whole_months(np.array([20, 100, 30, 110, 90, 10]))
    [(0, 1), (2, 3), (4, 5)]
    """
    spans: list[tuple[int, ...]] = []
    begun: tuple[int, ...] = ()
    least = float(np.median(rows)) / 2.0
    for place in np.flatnonzero(rows).tolist():
        begun = (*begun, place)
        if rows[place] >= least:
            spans, begun = [*spans, begun], ()
    if begun:
        spans = [*spans[:-1], (*spans[-1], *begun)] if spans else [begun]
    return spans


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
    weak, weak_at = worst_order(enough(searched, evidence), evidence)
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
