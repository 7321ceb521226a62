"""All checks of all weeks as one result: what is alarming, what cannot be told, and every number as JSON."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from decisioning.bundle import ModelBundle
from decisioning.config import DecisionConfig
from domain.clock import rfc3339
from training.evaluation import plain
from training.monitoring.behaviour import behaviour
from training.monitoring.checks import ALARMING, Check, State, judged
from training.monitoring.config import FAMILIES, TESTED, MonitoringConfig
from training.monitoring.drift import drift
from training.monitoring.outcomes import brier, calibration
from training.monitoring.watched import Watched
from training.monitoring.wording import way_out

FORMAT = 1
"""Of ``monitor.json``; changes with the meaning of any of its keys."""
Severity = Literal["amber", "red"]
RANK: dict[str, int] = {"amber": 1, "red": 2}


@dataclass(frozen=True)
class Alert:
    """A check that alarms in one week or more: its code, what it is about, and the week in which it is worst."""

    code: str
    about: str
    severity: Severity
    weeks: tuple[str, ...]
    worst: Check

    def as_json(self) -> dict[str, Any]:
        """Plain values, with the words that do not depend on a language."""
        told = self.worst.as_json()
        return {
            "code": self.code, "about": self.about, "severity": self.severity, "weeks": list(self.weeks),
            "worst_week": self.worst.found.week,
            **{name: told[name] for name in ("value", "before", "effect", "n", "p_adjusted", "power")},
        }  # fmt: skip


@dataclass(frozen=True)
class Monitored:
    """Everything that one run found; ``checks`` in order, ``alerts`` the worst first."""

    watched: Watched
    bundle: ModelBundle
    config: MonitoringConfig
    checks: tuple[Check, ...]
    alerts: tuple[Alert, ...]

    def worst(self) -> State:
        """The worst severity of all alerts; ``green`` where there is none."""
        return self.alerts[0].severity if self.alerts else "green"

    def counts(self) -> dict[str, int]:
        """How many checks there are of each state."""
        states = [one.state for one in self.checks]
        return {state: states.count(state) for state in ("green", "amber", "red", "cannot_tell", "not_mature")}


def monitor(watched: Watched, bundle: ModelBundle, *, limits: DecisionConfig, config: MonitoringConfig) -> Monitored:
    """Judge what is watched; the same inputs give the same result, to the bit."""
    findings = [
        *drift(watched, bundle, config),
        *calibration(watched, bundle.payment.horizons, config),
        *behaviour(watched, limits, config),
    ]
    checks = judged(findings, config)
    return Monitored(watched, bundle, config, tuple(checks), _alerts(checks))


def _alerts(checks: Sequence[Check]) -> tuple[Alert, ...]:
    """One alert per check and what it is about, red ones first, then the largest effect beside its limit."""
    together: dict[tuple[str, str], list[Check]] = defaultdict(list)
    for one in checks:
        if one.state in ALARMING:
            together[one.found.code, one.found.about].append(one)
    found = []
    for (code, about), some in together.items():
        worst = max(some, key=lambda one: (RANK[one.state], one.found.effect or 0.0))
        severity: Severity = "red" if worst.state == "red" else "amber"
        found.append(Alert(code, about, severity, tuple(one.found.week for one in some), worst))
    order = list(FAMILIES)
    return tuple(sorted(found, key=lambda one: (-RANK[one.severity], order.index(one.code), one.about)))


def numbers(found: Monitored) -> dict[str, Any]:
    """The content of ``monitor.json``, without what came of the webhook."""
    watched, bundle = found.watched, found.bundle
    told: dict[str, Any] = plain(
        {
            "format": FORMAT,
            "model": {"version": bundle.version, "model_hash": bundle.model_hash, "trained_at": bundle.trained_at},
            "from": rfc3339(watched.weeks[0].start_us),
            "until": rfc3339(watched.weeks[-1].end_us),
            "compared_with": {
                "features": [week.name for week in watched.weeks_before] or "training",
                "others": [week.name for week in watched.before],
            },
            "rows": watched.sampled,
            "correction": {
                "rule": "holm", "alpha": found.config.alpha, "family_alpha": found.config.family_alpha,
                "families": list(TESTED),
            },
            "limits": found.config.model_dump(mode="json")["limits"],
            "worst": found.worst(),
            "counts": found.counts(),
            "alerts": [_told(one, found.config) for one in found.alerts],
            "webhook": None,
            "weeks": _weeks(found),
            "absent": absent(watched, bundle),
            "checks": [one.as_json() for one in found.checks],
        }
    )  # fmt: skip
    return told


def _told(one: Alert, config: MonitoringConfig) -> dict[str, Any]:
    return {**one.as_json(), **config.limits[one.code].model_dump(), "way_out": way_out(one.code)}


def absent(watched: Watched, bundle: ModelBundle) -> list[str]:
    """What cannot be looked at at all, by a word each."""
    missing = {
        "no_reference": bundle.reference is None,
        "no_scores": bundle.scores is None,
        "no_decisions": watched.decisions is None,
        "no_contacts": watched.contacts is None,
        "no_refusals": watched.decisions is not None and watched.decisions.refusals is None,
    }
    return [name for name, is_so in missing.items() if is_so]


def _weeks(found: Monitored) -> list[dict[str, Any]]:
    horizons = found.bundle.payment.horizons
    return [
        {
            "week": week.name,
            "rows": len(rows),
            "mature": {f"{days}d": bool(is_so) for days, is_so in zip(horizons, rows.mature, strict=True)},
            "brier": {f"{days}d": brier(rows, place) for place, days in enumerate(horizons)},
        }
        for week, rows in zip(found.watched.weeks, found.watched.rows, strict=True)
    ]
