"""Writes the report: one page that needs no network, the same as a PDF, and every number of both as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from decisioning.bundle import ModelBundle
from decisioning.desk import Desk
from training.evaluation import plain
from training.reporting.catalogue import every_section
from training.reporting.certainty import of_light, of_section
from training.reporting.decisions import funnel_numbers
from training.reporting.evidence import Evidence, Run, read_evidence
from training.reporting.html import page
from training.reporting.page import shown
from training.reporting.parts import Section
from training.reporting.pdf import document
from training.reporting.policy import ReportOwner, ReportPolicy
from training.reporting.words import words

FORMAT = 2
"""Of ``report.json``; changes with the meaning of any of its keys."""
OnStep = Callable[[str, float], None]
_DRAWING = 0.8
"""Share of the time that goes into the sections; the rest draws the PDF."""


def write_report(
    bundle_folder: Path,
    out: Path,
    *,
    policy: ReportPolicy,
    owner: ReportOwner | None = None,
    locale: str = "pt-BR",
    desk: Desk | None = None,
    run: Run | None = None,
    told: OnStep | None = None,
) -> Path:
    """Write ``report.html``, ``report.pdf`` and ``report.json`` into a folder; returns the path of the page.

    Parameters
    ----------
    policy, owner : when lights turn, and what only the owner of the model can say
    desk : the actions and rules that decide; without it nothing is said of whom contacting pays for
    run : what a run decided; sections about decisions say how to get it where it is not given
    told : hears what is being made, and the share that is done

    Raises
    ------
    BundleError : the bundle is damaged
    ConfigError : the locale is unknown
    """
    said = words(locale)
    evidence = read_evidence(
        bundle_folder, policy=policy, owner=owner or ReportOwner(), locale=locale, desk=desk, run=run or Run()
    )
    tell = told or (lambda _what, _share: None)
    sections = every_section(evidence, lambda what, share: tell(what, _DRAWING * share))
    found = shown(sections, said)
    named = {"version": evidence.bundle.version, "policy_version": policy.version}
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(_json(report_numbers(evidence, sections)), encoding="utf-8")
    (out / "report.html").write_text(page(found, said, **named), encoding="utf-8")
    tell("pdf", _DRAWING)
    made_at = datetime.fromisoformat(evidence.bundle.trained_at)
    (out / "report.pdf").write_bytes(document(found, said, **named, made_at=made_at))
    return out / "report.html"


def report_numbers(evidence: Evidence, sections: Sequence[Section]) -> dict[str, Any]:
    """Everything that the report shows, unrounded: lights by code, sections with their tables, and the evaluation."""
    return {
        "format": FORMAT,
        "identity": _identity(evidence.bundle),
        "policy": evidence.policy.model_dump(mode="json"),
        "lights": {
            light.code: {**light.as_json(), "no_interval": of_light(light), "section": one.code}
            for one in sections for light in one.lights
        },
        "sections": [{**one.as_json(), "without_interval": of_section(one)} for one in sections],
        "evaluation": evidence.evaluation,
        "targeting": evidence.rehearsed,
        "opponents": evidence.comparison,
        "decision_funnel": funnel_numbers(evidence.run.exclusions),
        "discount_learning": evidence.evaluation.get("discount_learning"),
    }  # fmt: skip


def _identity(bundle: ModelBundle) -> dict[str, Any]:
    return {
        "version": bundle.version,
        "model_hash": bundle.model_hash,
        "trained_at": bundle.trained_at,
        "schema_fingerprint": bundle.schema.fingerprint,
        "features": len(bundle.schema.names),
        "horizons": list(bundle.payment.horizons),
        "explained": bundle.payment.explained,
    }


def _json(numbers: Mapping[str, Any]) -> str:
    return json.dumps(plain(dict(numbers)), ensure_ascii=False, indent=1, sort_keys=True, allow_nan=False) + "\n"
