"""Section 10, and the same question about decisions: are groups of protected attributes treated alike?

Protected attributes never reach a model. Ratios are of a group over the largest one; which differences matter is the
policy's to say, and a group below the least size is named without a verdict.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

from training.ope.estimators import Z_95
from training.reporting.calibration_tests import holm
from training.reporting.decided import DecidedRows
from training.reporting.evidence import Evidence, HeldOut
from training.reporting.intervals import difference, mean_figure
from training.reporting.keeping import UNKNOWN
from training.reporting.lights import Figure, Light
from training.reporting.parts import Column, Section, Table, Value, not_available, note, table
from training.reporting.performance import no_held_out
from training.reporting.slices import Part, enough, gap_light, parts_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_LIGHTS = ("FAIRNESS_SELECTION", "FAIRNESS_TRUE_POSITIVES", "FAIRNESS_CALIBRATION", "FAIRNESS_PROXY")
_COLUMNS = (
    Column("attribute", "text"), Column("group", "text"), Column("rows", "count"), Column("debtors", "count"),
    Column("selection_rate"), Column("selection_ratio"), Column("true_positives"), Column("true_positives_ratio"),
    Column("false_positives"), Column("rate"), Column("mean_p_pay"), Column("gap"),
)  # fmt: skip
_DECIDED = ("DECISIONS_PRESSURE", "DECISIONS_DISCOUNTS", "DECISIONS_REFUSALS")


def fairness(evidence: Evidence) -> Section:
    """Selection, true and false positives, calibration by group, and how well the score tells the group."""
    held = evidence.held_out
    if held is None:
        return no_held_out(evidence, "fairness", *_LIGHTS)
    cuts = [name for name in held.protected if held.cut(name) is not None]
    if not cuts:
        return not_available("fairness", "no_protected", evidence.missing(*_LIGHTS, reason="no_protected"))
    chosen = _selected(held.test.p, evidence.policy.selected_share)
    rows: list[tuple[Value, ...]] = []
    ratios: dict[str, list[tuple[str, Figure]]] = {"selection": [], "true_positives": []}
    parts: list[Part] = []
    for name in cuts:
        found, table_rows, own = _attribute(held, name, chosen, evidence)
        parts, rows = parts + found, rows + table_rows
        for kind, told in own.items():
            ratios[kind] += told
    proxy = _proxy(held, cuts, evidence)
    return Section(
        "fairness",
        lights=(
            _lowest("FAIRNESS_SELECTION", ratios["selection"], evidence),
            _lowest("FAIRNESS_TRUE_POSITIVES", ratios["true_positives"], evidence),
            gap_light("FAIRNESS_CALIBRATION", [one for one in parts if not one.label.endswith(UNKNOWN)], evidence),
            evidence.judge("FAIRNESS_PROXY", *proxy[:1], about=proxy[1], reason="too_few"),
        ),
        notes=(note("fairness_text", share=evidence.policy.selected_share), note("protected_text")),
        tables=(table("groups", _COLUMNS, rows), proxy[2]),
    )


def _selected(p: Floats, share: float) -> Floats:
    return (p >= np.quantile(p, 1.0 - share)).astype(np.float64)


def _attribute(
    held: HeldOut, name: str, chosen: Floats, evidence: Evidence
) -> tuple[list[Part], list[tuple[Value, ...]], dict[str, list[tuple[str, Figure]]]]:
    """The parts of an attribute, the rows of its table, and ratios to the largest group by kind."""
    cut, test, short = held.cut(name), held.test, name.removeprefix("protected_")
    found = parts_of(test, cut, prefix=f"{short}=")
    ratios: dict[str, list[tuple[str, Figure]]] = {"selection": [], "true_positives": []}
    rows: list[tuple[Value, ...]] = []
    if cut is None or not found:
        return found, rows, ratios
    largest = max(found, key=lambda one: len(one.rows)).label.removeprefix(f"{short}=")
    base = cut.code == cut.labels.index(largest)
    for part in found:
        label = part.label.removeprefix(f"{short}=")
        inside = cut.code == cut.labels.index(label)
        told = {}
        for kind, among in (("selection", np.ones(len(test), bool)), ("true_positives", test.paid > 0.5)):
            mine, theirs = inside & among, base & among
            told[kind] = mean_figure(chosen[mine], test.debtor[mine])
            ratio = ratio_of(chosen[mine], test.debtor[mine], chosen[theirs], test.debtor[theirs])
            told[f"{kind}_ratio"] = ratio
            if label not in (largest, UNKNOWN) and enough([part], evidence):
                ratios[kind].append((part.label, ratio))
        others = inside & (test.paid < 0.5)
        rows.append(
            (short, label, len(part.rows), part.rows.debtors, told["selection"], told["selection_ratio"],
             told["true_positives"], told["true_positives_ratio"], mean_figure(chosen[others], test.debtor[others]),
             part.rate, float(part.rows.p.mean()), part.gap)
        )  # fmt: skip
    return found, rows, ratios


def ratio_of(a: Floats, a_debtor: Ints, b: Floats, b_debtor: Ints) -> Figure:
    """Mean of a over mean of b with an interval on the logarithm; no figure where either is 0 or nothing is there."""
    rows = len(a)
    if not rows or not len(b) or a.mean() <= 0 or b.mean() <= 0:
        return Figure(None, n=rows, method="clustered")
    spread = difference((a / a.mean(), a_debtor), (b / b.mean(), b_debtor))
    value = float(a.mean() / b.mean())
    if spread.bounds is None:
        return Figure(value, n=rows, method="clustered")
    half = (spread.bounds[1] - spread.bounds[0]) / 2.0
    return Figure(
        value, float(value * np.exp(-half)), float(value * np.exp(half)), rows, len(np.unique(a_debtor)), "clustered"
    )


def _lowest(code: str, ratios: Sequence[tuple[str, Figure]], evidence: Evidence) -> Light:
    """The ratio farthest from 1, written as what is at most 1."""
    figure, name = _beyond_chance(ratios, evidence)
    return evidence.judge(code, figure, about=name, reason="too_few")


def _beyond_chance(ratios: Sequence[tuple[str, Figure]], evidence: Evidence) -> tuple[Figure | None, str | None]:
    """Of the ratios that are not 1 by more than chance (Holm) the farthest, as what is at most 1; 1 where none is."""
    known = [(name, one) for name, one in ratios if one.value]
    if not known:
        return None, None
    flags = holm([ratio_p_value(one) for _, one in known], evidence.policy.family_error)
    found = [(name, _at_most_one(one)) for (name, one), flag in zip(known, flags, strict=True) if flag]
    if not found:
        rows, debtors = (sum(getattr(one, kind) or 0 for _, one in known) for kind in ("n", "debtors"))
        return Figure(1.0, 1.0, 1.0, rows, debtors, "clustered"), None
    name, figure = min(found, key=lambda one: one[1].value or 1.0)
    return figure, name


def ratio_p_value(figure: Figure) -> float:
    """Of the ratio being 1, from its interval on the logarithm; 1 where it has none."""
    if not figure.value or figure.bounds is None or figure.bounds[0] <= 0:
        return 1.0
    se = float(np.log(figure.bounds[1] / figure.bounds[0])) / (2 * Z_95)
    return float(2 * norm.sf(abs(np.log(figure.value)) / se)) if se > 0 else float(figure.value == 1.0)


def _at_most_one(figure: Figure) -> Figure:
    if not figure.value or figure.value <= 1.0 or figure.low is None or figure.high is None:
        return figure
    return Figure(1 / figure.value, 1 / figure.high, 1 / figure.low, figure.n, figure.debtors, figure.method)


def _proxy(held: HeldOut, cuts: list[str], evidence: Evidence) -> tuple[Figure | None, str | None, Table]:
    """How well features tell a group: the largest |AUC − ½| + ½ of one feature on one group, on the sample's rows.

    A feature that nearly tells a group stands in for it, whatever it is called.
    """
    told = held.told.get("proxies", {})
    rows = [
        (name.removeprefix("protected_"), group, one["feature"], Figure(one["auc"], one["low"], one["high"],
        one["n"], one["debtors"], "delong"))
        for name in cuts for group, one in told.get(name, {}).items()
    ]  # fmt: skip
    columns = (Column("attribute", "text"), Column("group", "text"), Column("feature", "code"), Column("auc"))
    shown = table("proxies", columns, sorted(rows, key=lambda one: -(one[3].value or 0.0))[:15])
    known = [one for one in rows if (one[3].n or 0) >= evidence.policy.min_rows]
    if not known:
        return None, None, shown
    top = max(known, key=lambda one: one[3].value or 0.0)
    return top[3], f"{top[2]} ~ {top[0]}={top[1]}", shown


def decision_fairness(evidence: Evidence) -> Section:
    """Pressure of contacts, discounts and refusals by group, in what a run decided."""
    decided = evidence.run.decided
    if decided is None:
        return not_available("decision_fairness", "no_decided", evidence.missing(*_DECIDED, reason="no_decided"))
    if not decided.groups:
        return not_available("decision_fairness", "no_protected", evidence.missing(*_DECIDED, reason="no_protected"))
    measures = {"pressure": decided.pressure, "discounted": decided.discounted, "refused": decided.refused}
    rows: list[tuple[Value, ...]] = []
    ratios: dict[str, list[tuple[str, Figure]]] = {name: [] for name in measures}
    for name in sorted(decided.groups):
        told, own = _by_group(decided, name, measures, evidence)
        rows += told
        for kind, found in own.items():
            ratios[kind] += found
    columns = (
        Column("attribute", "text"), Column("group", "text"), Column("decisions", "count"), Column("debtors", "count"),
        Column("mean_pressure"), Column("pressure_ratio"), Column("discounted_share"), Column("discounted_ratio"),
        Column("mean_discount_share"), Column("refused_share"), Column("refused_ratio"),
    )  # fmt: skip
    lights = [_farthest(code, ratios[kind], evidence) for code, kind in zip(_DECIDED, measures, strict=True)]
    notes = (note("decided_text"), note("not_causal"))
    return Section("decision_fairness", tuple(lights), notes, (table("decided_groups", columns, rows),))


def _by_group(
    decided: DecidedRows, name: str, measures: dict[str, Floats], evidence: Evidence
) -> tuple[list[tuple[Value, ...]], dict[str, list[tuple[str, Figure]]]]:
    labels, code = decided.groups[name]
    counts, short = np.bincount(code, minlength=len(labels)), name.removeprefix("protected_")
    base = code == int(counts.argmax())
    rows: list[tuple[Value, ...]] = []
    ratios: dict[str, list[tuple[str, Figure]]] = {kind: [] for kind in measures}
    for place in np.flatnonzero(counts).tolist():
        inside, debtor = code == place, decided.debtor
        cells: list[Value] = [short, labels[place], int(counts[place]), len(np.unique(debtor[inside]))]
        for kind, values in measures.items():
            ratio = ratio_of(values[inside], debtor[inside], values[base], debtor[base])
            cells += [mean_figure(values[inside], debtor[inside]), ratio]
            if kind == "discounted":
                cells.append(mean_figure(decided.discount_share[inside], debtor[inside]))
            judged = labels[place] != UNKNOWN and place != int(counts.argmax())
            if judged and counts[place] >= evidence.policy.min_rows:
                ratios[kind].append((f"{short}={labels[place]}", ratio))
        rows.append(tuple(cells))
    return rows, ratios


def _farthest(code: str, ratios: list[tuple[str, Figure]], evidence: Evidence) -> Light:
    """How many times the pressure, discounts or refusals of the base a group has, or the other way round."""
    figure, name = _beyond_chance(ratios, evidence)
    if figure is None or figure.value is None or figure.low is None or figure.high is None:
        return evidence.judge(code, None, reason="too_few")
    times = Figure(1 / figure.value, 1 / figure.high, 1 / figure.low, figure.n, figure.debtors, figure.method)
    return evidence.judge(code, times, about=name)
