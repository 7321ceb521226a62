"""Sections 19 and 20: what is not known or not yet mended, and who watches what, beside the version before."""

from __future__ import annotations

from typing import Any

from training.reporting.evidence import Evidence, measured
from training.reporting.lights import Figure
from training.reporting.parts import Column, Note, Section, Table, Value, note, table

_WEIGHT = {"low": 0.1, "medium": 1.0, "high": 10.0}


def limitations(evidence: Evidence) -> Section:
    """Limits that hold for every version, those of its owner, overrides, open findings."""
    owner = evidence.owner
    weight = Figure(sum(_WEIGHT[one.severity] for one in owner.findings))
    notes = [note(f"limit_{number}") for number in range(1, 6)]
    notes += [Note("owner_limit", {}, raw=one) for one in (*owner.limitations, *owner.out_of_scope)]
    notes += [] if owner.findings else [note("no_findings")]
    notes += [] if owner.overrides else [note("no_overrides")]
    findings = (Column("id", "code"), Column("severity", "word"), Column("finding", "text"), Column("due_on", "text"))
    overrides = (
        Column("period", "text"), Column("decisions", "count"), Column("overridden", "count"),
        Column("override_rate", "percent", 1), Column("why", "text"),
    )  # fmt: skip
    tables: list[Table] = []
    if owner.findings:
        tables.append(
            table(
                "open_findings",
                findings,
                [(one.id, f"severity_{one.severity}", one.text, one.due_on) for one in owner.findings],
            )
        )
    if owner.overrides:
        rows = [
            (one.period, one.decisions, one.overridden, one.overridden / one.decisions, one.why)
            for one in owner.overrides
        ]
        tables.append(table("overrides", overrides, rows))
    return Section("limitations", (evidence.judge("OWNER_FINDINGS", weight),), tuple(notes), tuple(tables))


def monitoring(evidence: Evidence) -> Section:
    """Triggers, owner, cadence and way back; and what changed since the version before."""
    owner = evidence.owner
    given = [owner.monitoring_owner, owner.cadence, owner.rollback, owner.triggers or None]
    light = evidence.judge("OWNER_MONITORING", Figure(sum(one is not None for one in given) / len(given)))
    plan = (Column("fact", "word"), Column("is", "text"))
    rows: list[tuple[Value, ...]] = [
        ("monitoring_owner", owner.monitoring_owner), ("cadence", owner.cadence), ("rollback", owner.rollback),
        *(("trigger", one) for one in owner.triggers),
    ]  # fmt: skip
    tables = [table("monitoring_plan", plan, rows)]
    limits = [(f"light.{code}", code, one.amber, one.red) for code, one in evidence.policy.limits.items()]
    columns = (
        Column("light_is_about", "word"),
        Column("light", "code"),
        Column("amber", places=3),
        Column("red", places=3),
    )
    tables.append(table("thresholds", columns, limits))
    if evidence.previous is None:
        return Section("monitoring", (light,), (note("no_previous"), note("thresholds_text")), tuple(tables))
    tables += _changes(evidence, evidence.previous)
    said = note("previous_text", version=str(evidence.previous["version"]), at=str(evidence.previous["trained_at"]))
    return Section("monitoring", (light,), (said, note("thresholds_text")), tuple(tables))


def _changes(evidence: Evidence, before: Any) -> list[Table]:
    """Features added and taken out, settings, and metrics of the explained horizon, then and now."""
    then, now = set(before["features"]), set(evidence.names)
    features: list[tuple[Value, ...]] = [("feature_added", name) for name in sorted(now - then)]
    features += [("feature_removed", name) for name in sorted(then - now)]
    old, new = (_flat(one.get("settings", {})) for one in (before["evaluation"], evidence.evaluation))
    settings = [
        (name, str(old.get(name, "–")), str(new.get(name, "–"))) for name in sorted({*old,
        *new}) if old.get(name) != new.get(name)
    ]  # fmt: skip
    days = str(evidence.bundle.payment.explained)
    earlier = before["evaluation"]["horizons"].get(days, {})
    metrics = [
        (name, _measured(earlier, name), _measured(evidence.explained, name)) for name in evidence.explained["metrics"]
    ]
    return [
        table("changed_features", (Column("change", "word"), Column("feature", "code")), features),
        table(
            "changed_settings", (Column("setting", "code"), Column("before", "text"), Column("now", "text")), settings
        ),
        table("changed_metrics", (Column("metric", "word"), Column("metric_before"), Column("metric_now")), metrics),
    ]


def _measured(horizon: Any, name: str) -> Figure | None:
    """A metric of a version's evaluation, with its rows; ``None`` where that version has it not."""
    rows = horizon.get("rows", {})
    return measured(horizon.get("metrics", {}).get(name), n=rows.get("test", 0), debtors=rows.get("test_debtors"))


def _flat(settings: Any, prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found
