"""Sections 5 to 7: does the score put payers above others, is it a probability, and what is gained by its order."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from training.reporting import pictures
from training.reporting.calibration_tests import bands, holm, logistic_recalibration
from training.reporting.evidence import Evidence, measured
from training.reporting.intervals import Scored, auc_of, mean_figure, rate_of, share_of
from training.reporting.lights import Figure
from training.reporting.parts import Column, Section, Table, Value, not_available, note, table
from training.reporting.resampling import brier_parts_of

METRICS = ("auc", "ks", "brier", "ece", "log_loss")


def discrimination(evidence: Evidence) -> Section:
    """AUC, Gini, KS, Brier, ECE and log-loss by horizon, beside a scorecard and days past due alone."""
    explained = evidence.explained
    rows, debtors = explained["rows"]["test"], explained["rows"]["test_debtors"]
    gain = measured(explained["auc_over_days_past_due"], n=rows, debtors=debtors)
    auc = measured(explained["metrics"]["auc"], n=rows, debtors=debtors)
    card = ", ".join(explained["scorecard_variables"])
    return Section(
        "discrimination",
        lights=(
            evidence.judge("DISCRIMINATION_AUC", auc),
            evidence.judge("DISCRIMINATION_OVER_DELAY", gain),
            evidence.judge("DISCRIMINATION_OVERFIT", _overfit(explained, auc), reason="old_bundle"),
        ),
        notes=(note("by_bootstrap"), note("gini_text"), note("card_variables", names=card)),
        tables=(_by_horizon(evidence), _beside(evidence), _by_delong(evidence)),
    )  # fmt: skip


def _overfit(explained: Any, test: Figure | None) -> Figure | None:
    """AUC on the rows that grew the model less that on test rows, with the interval of the latter."""
    grown = explained.get("training", {}).get("auc")
    if grown is None or test is None or test.value is None:
        return None
    low, high = test.bounds or (test.value, test.value)
    return Figure(grown - test.value, grown - high, grown - low, test.n, test.debtors, test.method)


def _by_horizon(evidence: Evidence) -> Table:
    columns = [Column("horizon_days", "count"), *(Column(name) for name in METRICS), Column("gini"),
               Column("log_loss_of_base_rate"), Column("base_rate")]  # fmt: skip
    rows: list[list[Value]] = []
    for days, one in sorted(evidence.evaluation["horizons"].items(), key=lambda found: int(found[0])):
        counts = {"n": one["rows"]["test"], "debtors": one["rows"]["test_debtors"]}
        found = {name: measured(one["metrics"][name], **counts) for name in METRICS}
        base, then = rate_of(one["base_rate"]["test"], **_named(counts)), one["base_rate"]["train"]
        rows.append([int(days), *(found[name] for name in METRICS), _gini(found["auc"]), _log_loss(base, then), base])
    return table("by_horizon", columns, rows)


def _named(counts: dict[str, int]) -> dict[str, int]:
    return {"rows": counts["n"], "debtors": counts["debtors"]}


def _log_loss(rate: Figure, said: float) -> Figure:
    """Log-loss of one probability for all rows, which is linear in their rate and so has the ends of its interval."""

    def loss(one: float | None) -> float | None:
        return None if one is None or not 0.0 < said < 1.0 else -one * np.log(said) - (1.0 - one) * np.log1p(-said)

    ends = [one for one in (loss(rate.low), loss(rate.high)) if one is not None]
    low, high = (min(ends), max(ends)) if ends else (None, None)
    return Figure(loss(rate.value), low, high, rate.n, rate.debtors, rate.method)


def _gini(auc: Figure | None) -> Figure | None:
    if auc is None or auc.value is None:
        return None
    low, high = (None if one is None else 2 * one - 1 for one in (auc.low, auc.high))
    return Figure(2 * auc.value - 1, low, high, auc.n, auc.debtors, auc.method)


def _beside(evidence: Evidence) -> Table:
    one = evidence.explained
    counts: dict[str, Any] = {"n": one["rows"]["test"], "debtors": one["rows"]["test_debtors"]}
    rows: list[tuple[Value, ...]] = [
        (name, measured(one["metrics"][name], **counts), measured(one["scorecard"][name], **counts),
         measured(one["days_past_due"].get(name), **counts))
        for name in METRICS
    ]  # fmt: skip
    gains = [measured(one[f"auc_over_{name}"], **counts) for name in ("scorecard", "days_past_due")]
    rows.append(("auc_gain", None, *gains))
    return table(
        "beside", (Column("metric", "word"), Column("model"), Column("scorecard"), Column("delay_alone")), rows
    )


def _by_delong(evidence: Evidence) -> Table:
    held = evidence.held_out
    columns = (Column("rows_of", "word"), Column("auc_delong"))
    rows = [] if held is None else [("test_part", auc_of(held.test)), ("valid_part", auc_of(held.valid))]
    return table("by_delong", columns, rows)


def calibration(evidence: Evidence) -> Section:
    """Reliability by band with Jeffreys' intervals and tests, Brier's parts, ECE, slope and intercept."""
    codes = ("CALIBRATION_ECE", "CALIBRATION_MEAN", "CALIBRATION_SLOPE", "CALIBRATION_BANDS")
    explained = evidence.explained
    rows, debtors = explained["rows"]["test"], explained["rows"]["test_debtors"]
    held = evidence.held_out
    ece = measured(explained["metrics"]["ece"], n=rows, debtors=debtors)
    if held is None:
        lights = (evidence.judge(codes[0], ece), *evidence.missing(*codes[1:], reason="old_bundle"))
        return Section("calibration", lights, (note("old_bundle_part"),), (_old_reliability(explained),))
    test, found = held.test, bands(held.test, evidence.policy.bands)
    failed = holm([band.p_value for band in found], evidence.policy.family_error)
    slope, intercept = logistic_recalibration(test)
    mean = mean_figure(test.paid - test.p, test.debtor)
    return Section(
        "calibration",
        lights=(
            evidence.judge(codes[0], ece), evidence.judge(codes[1], distance(mean, 0.0)),
            evidence.judge(codes[2], distance(slope, 1.0), reason="too_few"),
            evidence.judge(codes[3], Figure(sum(failed), n=len(test), debtors=test.debtors)),
        ),
        notes=(note("bands_text", error=evidence.policy.family_error), note("ece_text"), note("slope_text")),
        tables=(
            table("calibration_figures", (Column("metric", "word"), Column("figure")), [
                ("ece", ece), ("mean_gap", mean), ("slope", slope), ("intercept", intercept),
                *_parts(test, evidence.policy.bands),
            ]),
            table("reliability", (
                Column("band", "count"), Column("rows", "count"), Column("debtors", "count"), Column("mean_p_pay"),
                Column("rate"), Column("p_value"), Column("rejected", "bool"),
            ), [
                (number, one.rows, one.debtors, one.mean_p_pay, one.rate, one.p_value, bad)
                for number, (one, bad) in enumerate(zip(found, failed, strict=True), start=1)
            ]),
        ),
        pictures=(pictures.reliability([(one.mean_p_pay, one.rate) for one in found], evidence.locale),),
    )  # fmt: skip


def distance(figure: Figure, ideal: float) -> Figure:
    """How far a figure is from what it should be, and the interval of that; 0 where the interval holds the ideal."""
    if figure.value is None or figure.bounds is None:
        return Figure(None, n=figure.n, debtors=figure.debtors, method=figure.method)
    low, high = (one - ideal for one in figure.bounds)
    nearest = 0.0 if low <= 0.0 <= high else min(abs(low), abs(high))
    return Figure(abs(figure.value - ideal), nearest, max(abs(low), abs(high)), figure.n, figure.debtors, figure.method)


def _parts(test: Scored, count: int) -> list[tuple[str, Value]]:
    return [(f"brier_{name}", figure) for name, figure in brier_parts_of(test, count).items()]


def _old_reliability(explained: Any) -> Table:
    rows = [
        (one["rows"], one["mean_p_pay"], Figure(one["rate"], one["low"], one["high"], one["rows"], None, "wilson"))
        for one in explained["reliability"]
    ]
    return table("reliability", (Column("rows", "count"), Column("mean_p_pay"), Column("rate")), rows)


def gains(evidence: Evidence) -> Section:
    """Deciles from the highest probability down, and money expected beside money that came."""
    table_of, explained = evidence.explained["gains"], evidence.explained
    money = evidence.evaluation.get("response", {}).get("money") or {}
    logged = money.get("logged") or {}
    ratio = None
    if logged.get("ratio") is not None:
        ratio = Figure(logged["ratio"], logged.get("low"), logged.get("high"), money["rows"], None, "clustered")
    falls = sum(b["rate"] > a["rate"] + 2 * _spread(a, b) for a, b in pairwise(table_of))
    columns = (
        Column("decile", "count"), Column("rows", "count"), Column("mean_p_pay"), Column("rate"),
        Column("lift", places=2), Column("share_of_payers", "percent", 1), Column("amount_due", "money"),
    )  # fmt: skip
    figures = _decile_figures(evidence, table_of)
    shown: list[Table] = [
        table(
            "deciles", columns,
            [tuple(own.get(column.name, one[column.name]) for column in columns)
             for one, own in zip(table_of, figures, strict=True)],
        )
    ]  # fmt: skip
    drawn = [pictures.gains(table_of, evidence.locale)]
    if money.get("bands"):
        shown.append(_money(money))
        drawn.append(pictures.money(money["bands"], evidence.locale))
    curse = money.get("winners_curse")
    notes = [note("gains_text")]
    if curse:
        notes.append(note("curse_text", **{key: float(curse[key]) for key in ("claimed", "judged", "kept")}))
    return Section(
        "gains",
        lights=(
            evidence.judge("GAINS_ORDER", Figure(falls, n=explained["rows"]["test"])),
            evidence.judge("GAINS_MONEY", None if ratio is None else distance(ratio, 1.0), reason="no_response"),
        ),
        notes=tuple(notes), tables=tuple(shown), pictures=tuple(drawn),
    )  # fmt: skip


def _decile_figures(evidence: Evidence, table_of: list[dict[str, Any]]) -> list[dict[str, Figure]]:
    """Rate, lift and payers reached with their intervals; in older bundles the rate alone has one."""
    held = evidence.held_out
    if held is None:
        return [{"rate": rate_of(one["rate"], one["rows"])} for one in table_of]
    paid, debtor = held.test.paid, held.test.debtor
    place = np.empty(len(paid), dtype=np.int64)
    parts = np.array_split(np.argsort(-held.test.p, kind="stable"), 10)
    for number, part in enumerate(parts):
        place[part] = number
    filled = [(number, part) for number, part in enumerate(parts) if len(part)]
    return [
        {
            "rate": mean_figure(paid[part], debtor[part]),
            "lift": share_of(paid * (place == number), paid, debtor, scale=len(paid) / len(part)),
            "share_of_payers": share_of(paid * (place <= number), paid, debtor),
        }
        for number, part in filled
    ]


def _spread(a: dict[str, Any], b: dict[str, Any]) -> float:
    return float(np.sqrt(sum(one["rate"] * (1 - one["rate"]) / max(one["rows"], 1) for one in (a, b))))


def _money(money: dict[str, Any]) -> Table:
    rows = [
        (number, one["expected"], Figure(one["came"], one["low"], one["high"], one.get("rows"), None, "clustered"))
        for number, one in enumerate(money["bands"], start=1)
    ]
    return table("money_bands", (Column("band", "count"), Column("expected", places=2), Column("came", places=2)), rows)


def no_held_out(evidence: Evidence, code: str, *lights: str) -> Section:
    """A section that needs the rows which older bundles did not keep."""
    return not_available(code, "old_bundle", evidence.missing(*lights, reason="old_bundle"))
