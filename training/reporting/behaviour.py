"""Sections 13, 15 and 18: directions, reason codes, and what shaken or missing inputs do to the score."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from decisioning.explanation import reasons, shares
from features.schema import FeatureSchema
from training.metrics import auc as area
from training.reporting.evidence import Evidence
from training.reporting.importance import strongest
from training.reporting.intervals import Scored, auc_gain, mean_figure, rate_of
from training.reporting.lights import Figure
from training.reporting.noise import Codes, codes_of, first_kept, scaled
from training.reporting.parts import Column, Section, Table, Value, note, table

Floats = npt.NDArray[np.float64]
_SHOWN, _FAMILIES_SHOWN = 20, 15
_REASON_ROWS, _ROBUST_ROWS = 1_000, 5_000
_DRAWS = 5


def directions(evidence: Evidence) -> Section:
    """Features with a declared direction: how the mean and single rows run against it, on a grid of values."""
    found = evidence.explained.get("directions")
    if not found:
        lights = evidence.missing("DIRECTIONS", "DIRECTIONS_LARGEST", reason="old_bundle")
        return Section("directions", lights, (note("old_bundle_part"),))
    against = sum(one["against"] > evidence.policy.noise for one in found["by_feature"])
    share = Figure(against / found["features"], n=found["rows"]) if found["features"] else None
    columns = (
        Column("feature", "code"), Column("expected_sign", "count"), Column("effect"), Column("against"),
        Column("rows_against", "percent", 1), Column("largest_against"),
    )  # fmt: skip
    rows = [
        (one["feature"], one["direction"], one["effect"], one["against"], rate_of(one["share_of_rows"], found["rows"]),
         one["largest"])
        for one in found["by_feature"]
    ]  # fmt: skip
    mode = evidence.evaluation.get("settings", {}).get("model", {}).get("monotone", "off")
    said = note(
        "directions_text", agree=found["agree"], features=found["features"], share=found["share_of_rows"],
        largest=found["largest"], rows=found["rows"], mode=mode, above=evidence.policy.noise,
    )  # fmt: skip
    worst = found["by_feature"][0] if found["by_feature"] else None
    largest = None if worst is None else Figure(worst["against"], n=found["rows"])
    lights = (
        evidence.judge("DIRECTIONS", share),
        evidence.judge("DIRECTIONS_LARGEST", largest, about=None if worst is None else worst["feature"]),
    )
    return Section("directions", lights, (said,), (table("directions", columns, rows),))


def reason_codes(evidence: Evidence) -> Section:
    """The codes that decisions give, in both languages: how many have words, and whether the first one is stable."""
    schema, values = evidence.bundle.schema, evidence.shown[:_REASON_ROWS]
    found = shares(evidence.bundle.payment, values)
    said = reasons(found, values, schema, locale="pt-BR")
    english = reasons(found, values, schema, locale="en")
    told = [bool(one) and all(reason.text for reason in one) for one in said]
    spoken = [bool(one) and all(reason.text for reason in one) for one in english]
    both, clusters = np.array(told) & np.array(spoken), evidence.sample.clusters[: len(values)]
    stable, harder = _stability(evidence, values, [tuple(one.code for one in row) for row in english])
    protected = {name for name, one in schema.attributes.items() if one.protected}
    blocked = sum(feature.name in protected for feature in schema.features)
    return Section(
        "reasons",
        lights=(
            evidence.judge("REASONS_COVERAGE", Figure(float(both.mean()), n=len(values))),
            evidence.judge("REASONS_STABLE", stable),
            evidence.judge("REASONS_PROTECTED", Figure(blocked, n=len(schema.features))),
        ),
        notes=(
            note("reasons_text", rows=len(values), noise=evidence.policy.noise),
            note("blocked_text", names=", ".join(sorted(protected)) or "–"),
        ),
        tables=(
            _most_frequent([one[0].code if one else None for one in said], schema, clusters=clusters),
            table("reasons_shaken", (Column("noise_of", "word"), Column("first_kept")),
                  [("noise_of_value", stable), ("noise_of_spread", harder)]),
        ),
    )  # fmt: skip


def _most_frequent(first: list[str | None], schema: FeatureSchema, *, clusters: npt.NDArray[np.int64]) -> Table:
    texts = {feature.code: (feature.reason_pt, feature.reason_en) for feature in schema.features}
    counts = {code: first.count(code) for code in dict.fromkeys(first) if code}
    columns = (
        Column("reason_code", "code"), Column("portuguese", "text"), Column("english", "text"),
        Column("first_of", "count"),
        Column("share", "percent", 1),
    )  # fmt: skip
    found = [
        (code, *texts[code], count, mean_figure(np.array([float(one == code) for one in first]), clusters))
        for code, count in sorted(counts.items(), key=lambda one: -one[1])[:_SHOWN]
    ]
    return table("reason_codes", columns, found)


def _stability(evidence: Evidence, values: Floats, said: list[Codes]) -> tuple[Figure, Figure]:
    """How often the first reason stays under noise of each value, and under noise of each feature's spread."""
    schema, noise = evidence.bundle.schema, evidence.policy.noise

    def kept(shaken: Callable[[np.random.Generator], Floats]) -> Figure:
        rng = evidence.rng(15)
        draws = [first_kept(said, codes_of(evidence.bundle, shaken(rng))) for _ in range(_DRAWS)]
        return mean_figure(np.mean(draws, axis=0), evidence.sample.clusters[: len(values)])

    return kept(lambda rng: scaled(values, schema, rng, noise=noise)), kept(lambda rng: shake(values, evidence, rng))


def shake(values: Floats, evidence: Evidence, rng: np.random.Generator) -> Floats:
    """Numbers moved by normal noise of ``policy.noise`` of each feature's standard deviation.

    Whole numbers, which count something, move by a relative noise of that share; categories and gaps stay.
    """
    schema, share = evidence.bundle.schema, evidence.policy.noise
    moved = values.copy()
    for column in range(values.shape[1]):
        own = values[:, column]
        known = own[np.isfinite(own)]
        if column in schema.categorical or len(np.unique(known)) <= 2:
            continue
        counts = bool((known == np.rint(known)).all())
        size = np.abs(own) if counts else np.full(len(own), known.std())
        moved[:, column] = own + share * size * rng.standard_normal(len(own))
    return moved


def robustness(evidence: Evidence) -> Section:
    """Noise of ±1 %, each strong feature and each table missing: what becomes of score and order."""
    values, paid = evidence.sample.values[:_ROBUST_ROWS], evidence.sample.paid[:_ROBUST_ROWS]
    clusters, flat = evidence.sample.clusters[: len(values)], np.ones(len(paid))
    served = evidence.served(values)
    base = float(area(paid, served, flat))
    noisy = evidence.served(shake(values, evidence, evidence.rng(18)))
    shift = mean_figure(np.abs(noisy - served), clusters)
    rows: list[tuple[Value, ...]] = [
        ("noise", f"±{100 * evidence.policy.noise:g} %", auc_gain(Scored(paid, noisy, clusters), served), shift,
         float(np.abs(noisy - served).max()))
    ]  # fmt: skip
    for kind, name, columns in _stresses(evidence):
        hit = values.copy()
        hit[:, columns] = np.nan
        found = evidence.served(hit)
        moved = mean_figure(np.abs(found - served), clusters)
        change = auc_gain(Scored(paid, found, clusters), served)
        rows.append((kind, name, change, moved, float(np.abs(found - served).max())))
    missing = [(one[1], one[2].value) for one in rows if one[0] == "feature_missing" and isinstance(one[2], Figure)]
    worst = min(((on, change) for on, change in missing if change is not None), key=lambda one: one[1], default=None)
    loss = None if worst is None else Figure(-worst[1], n=len(values))
    columns_ = (
        Column("stress", "word"), Column("on", "code"), Column("auc_change"), Column("mean_change"),
        Column("max_change"),
    )  # fmt: skip
    return Section(
        "robustness",
        lights=(
            evidence.judge("ROBUST_NOISE", shift),
            evidence.judge("ROBUST_MISSING", loss, about=None if worst is None else str(worst[0])),
        ),
        notes=(note("robust_text", rows=len(values), auc=base), note("seed_text"), note("macro_text")),
        tables=(table("stresses", columns_, rows),),
    )


def _stresses(evidence: Evidence) -> list[tuple[str, str, list[int]]]:
    """Each of the strongest features missing, and each table."""
    features = evidence.bundle.schema.features
    single = [("feature_missing", features[place].name, [place]) for place in strongest(evidence)[:_FAMILIES_SHOWN]]
    tables: dict[str, list[int]] = {}
    for place, feature in enumerate(features):
        for name in {feature.table, *feature.tables}:
            tables.setdefault(name, []).append(place)
    return [*single, *(("table_missing", name, places) for name, places in sorted(tables.items()))]
