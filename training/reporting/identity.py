"""Sections 1 to 4: what the model is, what it was made from, whether the data were fit, and how they were split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from decisioning.integrity import manifest_of
from training.reporting.evidence import Evidence
from training.reporting.intervals import auc_of, established
from training.reporting.lights import Figure
from training.reporting.parts import Column, Section, Table, Value, note, table

FACTS = (Column("fact", "word"), Column("is", "text"))
_SHOWN = 15


def facts(name: str, rows: list[tuple[str, Value]]) -> Table:
    """A table of named facts; what is not known is said in words when it is drawn."""
    return table(name, FACTS, [(fact, None if value is None else str(value)) for fact, value in rows])


def identity(evidence: Evidence) -> Section:
    """Which model this is, who answers for it, and what it is for; its lights stand in the summary of the page."""
    bundle, owner = evidence.bundle, evidence.owner
    given = [owner.owner, owner.approver, owner.tier, owner.intended_use]
    share = sum(one is not None for one in given) / len(given)
    files = manifest_of(bundle.folder)["files"]
    return Section(
        "identity",
        lights=(evidence.judge("IDENTITY_OWNER", Figure(share)),),
        notes=(note("policy_not_regulation", version=evidence.policy.version),),
        tables=(
            facts("identity_facts", [
                ("version", bundle.version), ("model_hash", bundle.model_hash), ("seal", bundle.seal),
                ("trained_at", bundle.trained_at), ("schema_fingerprint", bundle.schema.fingerprint),
                ("feature_count", len(bundle.schema.names)),
                ("horizons", ", ".join(map(str, bundle.payment.horizons))),
                ("explained_horizon", bundle.payment.explained), ("owner", owner.owner),
                ("approver", owner.approver), ("tier", owner.tier), ("intended_use", owner.intended_use),
                ("report_policy", evidence.policy.version),
            ]),
            table("files", (Column("file", "code"), Column("sha256", "code")), sorted(files.items())),
        ),
    )  # fmt: skip


def lineage(evidence: Evidence) -> Section:
    """Where the data came from, and what was taken for a payment."""
    data, label, sampling = (evidence.evaluation.get(name, {}) for name in ("data", "label", "sampling"))
    settings = evidence.evaluation.get("settings", {})
    known = [data.get("sha256"), data.get("end"), data.get("tables"), label, settings]
    return Section(
        "lineage",
        lights=(evidence.judge("LINEAGE_COMPLETE", Figure(sum(map(bool, known)) / len(known))),),
        notes=(note("label_text", days=evidence.bundle.payment.explained),),
        tables=(
            facts("lineage_facts", [
                ("data_hash", data.get("sha256")), ("data_end", data.get("end")),
                ("posting_lag_days", label.get("posting_lag_days")),
                ("value_horizon_days", label.get("value_horizon_days")), ("currency", label.get("currency")),
                ("sampled_moments", sampling.get("as_of")), ("sampled_rows", sampling.get("rows")),
                ("seed", settings.get("model", {}).get("seed")),
                ("feature_fingerprint", evidence.evaluation.get("features", {}).get("fingerprint")),
                *_tuned(evidence.evaluation.get("tuning", {})),
            ]),
            table(
                "source_tables",
                (Column("table", "code"), Column("rows", "count"), Column("first", "text"), Column("last", "text")),
                [(name, one["rows"], one.get("first"), one.get("last")) for name, one in data.get("tables",
                {}).items()],
            ),
            _exclusions(evidence),
        ),
    )  # fmt: skip


def _tuned(told: Mapping[str, Any]) -> list[tuple[str, Value]]:
    """The shape that each search settled on, under a word that says whether it found a better one."""
    return [
        (
            f"{model}_shape_{'tuned' if found['taken'] else 'kept'}",
            ", ".join(f"{name} {value:.3g}" for name, value in found["shape"].items()),
        )
        for model, found in told.items()
    ]


def _exclusions(evidence: Evidence) -> Table:
    rows = [
        (int(days), one["rows"]["usable"] + one["rows"]["immature"], one["rows"]["immature"],
         one["rows"]["dropped_at_splits"], *(one["rows"][part] for part in ("train", "valid", "test")))
        for days, one in sorted(evidence.evaluation["horizons"].items(), key=lambda found: int(found[0]))
    ]  # fmt: skip
    names = ("horizon_days", "sampled", "immature", "dropped", "train", "valid", "test")
    return table("exclusions", [Column(name, "count") for name in names], rows)


def data_quality(evidence: Evidence) -> Section:
    """What was wrong with the training matrix, and rows that occur more than once."""
    features = evidence.evaluation.get("features", {})
    counts = features.get("counts")
    twins = None if evidence.held_out is None else evidence.held_out.told["twins"]
    doubled = None if not twins or not twins["rows"] else Figure(twins["in_test"] / twins["rows"], n=twins["rows"])
    found = [(one["severity"], one["feature"], one["code"]) for one in features.get("findings", [])]
    return Section(
        "data_quality",
        lights=(
            evidence.judge("DATA_CRITICAL", None if counts is None else Figure(counts["critical"]),
            reason="old_bundle"),
            evidence.judge("DATA_DUPLICATES", doubled, reason="old_bundle"),
        ),
        notes=(note("validated_before", shown=min(len(found), _SHOWN), findings=len(found)),),
        tables=(
            table(
                "quality_counts", (Column("fact", "word"), Column("count", "count")),
                [(f"findings_{name}", value) for name, value in (counts or {}).items()]
                + [("constant_features", len(features.get("constant", []))),
                   ("duplicate_features", len(features.get("duplicates", {})))]
                + ([] if not twins else [("doubled_rows", twins["in_test"]), ("test_rows", twins["rows"])]),
            ),
            table(
                "quality_findings", (Column("severity", "word"), Column("feature", "code"), Column("code", "code")),
                found[:_SHOWN],
            ),
        ),
    )  # fmt: skip


def split(evidence: Evidence) -> Section:
    """Whether what was measured could have been known: time, gaps, shared rows, features that tell too much."""
    explained = evidence.explained
    gap = float(explained["split"]["gap_days"]) / max(explained["horizon_days"], 1)
    lights = [evidence.judge("SPLIT_GAP", Figure(gap))]
    tables = [
        facts("split_facts", [
            ("valid_from", explained["split"]["valid_from"]), ("test_from", explained["split"]["test_from"]),
            ("gap_days", explained["split"]["gap_days"]),
            *((f"{part}_debtors", explained["rows"][f"{part}_debtors"]) for part in ("train", "valid", "test")),
        ])
    ]  # fmt: skip
    held = evidence.held_out
    if held is None:
        lights += evidence.missing("SPLIT_SHARED_ROWS", "SPLIT_LEAK", "SPLIT_UNSEEN_DEBTORS", reason="old_bundle")
        return Section("split", tuple(lights), tables=tuple(tables))
    twins, single = held.told["twins"], sorted(held.told["single"].items(), key=lambda one: -one[1])
    shared = Figure(twins["in_train"] / max(twins["rows"], 1), n=twins["rows"])
    strongest = single[0] if single else (None, None)
    unseen = held.of_test("unseen")
    seen_rows, unseen_rows = (
        (held.test.where(mask) for mask in (~unseen, unseen)) if unseen is not None else (None, None)
    )
    seen, new = (auc_of(one) if one is not None else None for one in (seen_rows, unseen_rows))
    lights += [
        evidence.judge("SPLIT_SHARED_ROWS", shared),
        evidence.judge("SPLIT_LEAK", Figure(strongest[1]), about=strongest[0]),
        evidence.judge("SPLIT_UNSEEN_DEBTORS", _less(seen, new), reason="too_few"),
    ]
    tables += [
        table("single_features", (Column("feature", "code"), Column("single_auc")), single[:_SHOWN]),
        table("seen_and_unseen", (Column("debtors_of", "word"), Column("auc")), [("seen", seen), ("unseen", new)]),
    ]
    return Section("split", tuple(lights), (note("split_text"), note("leak_text")), tuple(tables))


def _less(first: Figure | None, second: Figure | None) -> Figure | None:
    """Difference of figures of different debtors, whose errors are independent; 0 where chance explains it."""
    if first is None or second is None or first.value is None or second.value is None:
        return None
    halves = [(one.high or 0.0) - (one.low or 0.0) for one in (first, second)]
    spread = (halves[0] ** 2 + halves[1] ** 2) ** 0.5 / 2.0
    value = first.value - second.value
    return established(Figure(value, value - spread, value + spread, second.n, second.debtors, "delong"))
