"""Sections 11, 12 and 14: what moves the score, how, and five accounts told one by one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.reporting.evidence import Evidence
from training.reporting.intervals import mean_figure, share_of
from training.reporting.lights import Figure
from training.reporting.parts import Column, Picture, Section, Table, Value, note, table
from training.reporting.shap_plots import ShapPlots

Floats = npt.NDArray[np.float64]
_TOP, _DEPENDENCE, _LOCAL = 20, 10, 10
_BINS = 8


def plots_of(evidence: Evidence) -> ShapPlots:
    """Plots of the shown rows."""
    return ShapPlots(evidence.contributions, evidence.shown, evidence.names)


def strongest(evidence: Evidence) -> list[int]:
    """Columns by mean absolute contribution, the largest first; those without any are left out."""
    size = np.abs(evidence.contributions[:, :-1]).mean(axis=0)
    return [int(place) for place in np.argsort(-size, kind="stable") if size[place] > 0]


def importance(evidence: Evidence) -> Section:
    """Mean absolute contributions in log-odds, bar and beeswarm; that they add up, and that no feature is all."""
    found, values = evidence.contributions, evidence.shown
    gap = float(np.abs(found.sum(axis=1) - evidence.bundle.payment.margins(values)).max())
    size = np.abs(found[:, :-1]).mean(axis=0)
    order = strongest(evidence)
    share = float(size[order[0]] / size.sum()) if order else None
    drawn = plots_of(evidence)
    return Section(
        "importance",
        lights=(
            evidence.judge("SHAP_ADDITIVITY", Figure(gap, n=len(values))),
            evidence.judge(
                "SHAP_CONCENTRATION", None if share is None else Figure(share, n=len(values)),
                about=evidence.names[order[0]] if order else None,
            ),
        ),
        notes=(
            note("log_odds", rows=len(values), days=evidence.bundle.payment.explained),
            note("background", base=float(found[0, -1])), note("delivered_version"),
        ),
        tables=(
            table(
                "importance", (Column("feature", "code"), Column("mean_abs"), Column("share", "percent", 1)),
                _strongest(evidence, order[:_TOP]),
            ),
        ),
        pictures=(
            Picture("shap_bar", drawn.bar(), "importance", {"rows": len(values)}),
            Picture("shap_beeswarm", drawn.beeswarm(), "importance", {"rows": len(values)}),
        ),
    )  # fmt: skip


def _strongest(evidence: Evidence, order: list[int]) -> list[tuple[Value, ...]]:
    """Mean absolute contributions and their shares, with intervals by debtor."""
    found, debtor = np.abs(evidence.contributions[:, :-1]), _debtors(evidence)
    every = found.sum(axis=1)
    return [
        (evidence.names[place], mean_figure(found[:, place], debtor), share_of(found[:, place], every, debtor))
        for place in order
    ]


def _debtors(evidence: Evidence) -> npt.NDArray[np.int64]:
    """(m,) of the shown rows."""
    return evidence.sample.clusters[: len(evidence.shown)]


def dependence(evidence: Evidence) -> Section:
    """Of the ten strongest features the contribution by value, and the feature that it goes together with most."""
    drawn, pictures, rows, pairs = plots_of(evidence), [], [], []
    order = strongest(evidence)[:_DEPENDENCE]
    for place in order:
        other, strength = _partner(evidence, place, order)
        name = evidence.names[place]
        pairs.append((name, evidence.names[other], strength))
        rows += _by_value(evidence, place)
        says = {"feature": name, "other": evidence.names[other]}
        pictures.append(Picture("dependence", drawn.dependence(place, other), "dependence", says))
    columns = (
        Column("feature", "code"), Column("from", places=2), Column("to", places=2), Column("rows", "count"),
        Column("mean_contribution"), Column("spread"),
    )  # fmt: skip
    interactions = (Column("feature", "code"), Column("partner", "code"), Column("explained_spread", "percent", 1))
    shown = (table("interactions", interactions, pairs), table("dependence", columns, rows))
    return Section("dependence", notes=(note("dependence_text"),), tables=shown, pictures=tuple(pictures))


def _partner(evidence: Evidence, place: int, order: list[int]) -> tuple[int, float]:
    """Among the strongest, the feature that explains most of the spread of contributions at like values.

    Notes
    -----
    Within bins of the feature's own value, the share of the variance of its contribution that lies between the halves
    of the other feature: 0 where the feature acts alone.
    """
    own = evidence.contributions[:, place]
    bins = _bin(evidence.shown[:, place], _BINS)
    left = own - _group_means(own, bins)
    total = float((left**2).sum())
    others = [one for one in order if one != place] or [place]
    if total <= 0:
        return others[0], 0.0
    explained = []
    for one in others:
        pair = bins * 2 + (_bin(evidence.shown[:, one], 2) > 0)
        explained.append(float((_group_means(left, pair) ** 2).sum()) / total)
    best = int(np.argmax(explained))
    return others[best], explained[best]


def _bin(column: Floats, bins: int) -> npt.NDArray[np.int64]:
    """Bins of about equal mass; missing values have their own, the last."""
    known = column[np.isfinite(column)]
    edges = np.unique(np.quantile(known, np.arange(1, bins) / bins)) if len(known) else np.zeros(0)
    place = np.searchsorted(edges, np.nan_to_num(column), side="right")
    return np.asarray(np.where(np.isfinite(column), place, len(edges) + 1), dtype=np.int64)


def _group_means(values: Floats, group: npt.NDArray[np.int64]) -> Floats:
    sums, counts = np.bincount(group, weights=values), np.bincount(group)
    return np.asarray((sums / np.maximum(counts, 1))[group], dtype=np.float64)


def _by_value(evidence: Evidence, place: int) -> list[tuple[Value, ...]]:
    column, own, debtor = evidence.shown[:, place], evidence.contributions[:, place], _debtors(evidence)
    bins = _bin(column, _BINS)
    found: list[tuple[Value, ...]] = []
    for number in np.unique(bins).tolist():
        inside = bins == number
        known = column[inside & np.isfinite(column)]
        low, high = (float(known.min()), float(known.max())) if len(known) else (None, None)
        mean = mean_figure(own[inside], debtor[inside])
        found.append((evidence.names[place], low, high, int(inside.sum()), mean, float(own[inside].std())))
    return found


def local(evidence: Evidence) -> Section:
    """Waterfalls of five accounts: low, middle and high scores, and the worst mistakes either way; no ids."""
    rows = examples(evidence)
    drawn = plots_of(evidence)
    pictures = [Picture("waterfall", drawn.waterfall(row), f"local_{name}", {"example": name}) for name, row in rows]
    columns = (Column("feature", "code"), Column("value", places=2), Column("contribution"))
    tables: list[Table] = [
        table(
            "examples", (Column("example", "word"), Column("p_pay_held_out"), Column("p_pay_served"),
            Column("paid", "bool")),
            [(name, float(evidence.sample.p_pay[row]), float(evidence.served(evidence.shown[row : row + 1])[0]),
              bool(evidence.sample.paid[row])) for name, row in rows],
        )
    ]  # fmt: skip
    for name, row in rows:
        own = evidence.contributions[row, :-1]
        top = np.argsort(-np.abs(own), kind="stable")[:_LOCAL].tolist()
        shown = [(evidence.names[one], _known(evidence.shown[row, one]), float(own[one])) for one in top]
        rest = float(own.sum() - own[top].sum())
        base = [("(…)", None, rest), ("(base)", None, float(evidence.contributions[row, -1]))]
        tables.append(table(f"local_{name}", columns, [*shown, *base]))
    return Section("local", notes=(note("local_text"),), tables=tuple(tables), pictures=tuple(pictures))


def examples(evidence: Evidence) -> list[tuple[str, int]]:
    """Rows of the sample: at the 5th, 50th and 95th percentile of the score, the surest that did not pay, the least
    sure that did. Where nobody is wrong either way, that example is left out.
    """
    p, paid = evidence.sample.p_pay[: len(evidence.shown)], evidence.sample.paid[: len(evidence.shown)]
    order = np.argsort(p, kind="stable")
    found = [(f"p{share}", int(order[round((len(order) - 1) * share / 100)])) for share in (5, 50, 95)]
    wrong, missed = np.flatnonzero(paid < 0.5), np.flatnonzero(paid > 0.5)
    if len(wrong):
        found.append(("false_positive", int(wrong[np.argmax(p[wrong])])))
    if len(missed):
        found.append(("false_negative", int(missed[np.argmin(p[missed])])))
    return found


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
