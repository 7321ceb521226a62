"""What was found as Prometheus gauges, for the textfile collector of the node exporter.

Labels are codes of checks, names of features, horizons, configured channels and refusal codes: none is a debtor's, and
there are as many as the configuration and the model have.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from training.monitoring.checks import Check
from training.monitoring.monitor import Monitored

STATES = {"green": 0, "amber": 1, "red": 2, "cannot_tell": -1, "not_mature": -2, "by_nature": -3}
"""The value of ``acerto_monitor_state`` for each state."""
_US = 1_000_000


def exposition(found: Monitored) -> bytes:
    """The gauges as text; each check with the last week of which it says anything."""
    registry = CollectorRegistry()
    labels = ["check", "about"]
    state = Gauge("acerto_monitor_state", f"State of the last judged week: {_states()}", labels, registry=registry)
    value = Gauge("acerto_monitor_value", "What was found in it, in the check's own unit", labels, registry=registry)
    effect = Gauge("acerto_monitor_effect", "The size that is held against the limits", labels, registry=registry)
    for one in latest(found.checks):
        named = one.found.code, one.found.about
        state.labels(*named).set(STATES[one.state])
        if one.found.value is not None:
            value.labels(*named).set(one.found.value)
        if one.found.effect is not None:
            effect.labels(*named).set(one.found.effect)
    limit = Gauge("acerto_monitor_limit", "Limits of the effect", ["check", "severity"], registry=registry)
    for code, bounds in found.config.limits.items():
        limit.labels(code, "amber").set(bounds.amber)
        limit.labels(code, "red").set(bounds.red)
    alerts = Gauge("acerto_monitor_alerts", "Alerts of the judged weeks", ["check", "severity"], registry=registry)
    for code in found.config.limits:
        for severity in ("amber", "red"):
            count = sum(one.code == code and one.severity == severity for one in found.alerts)
            alerts.labels(code, severity).set(count)
    until = Gauge("acerto_monitor_until_timestamp_seconds", "End of the last judged week", registry=registry)
    until.set(found.watched.weeks[-1].end_us / _US)
    model = Gauge("acerto_monitor_model", "1 for the version that was looked at", ["version"], registry=registry)
    model.labels(found.bundle.version).set(1)
    return generate_latest(registry)


def latest(checks: Iterable[Check]) -> list[Check]:
    """Each check and what it is about in the last week whose labels are mature, in the order of the first of each."""
    found: dict[tuple[str, str], Check] = {}
    for one in checks:
        key = one.found.code, one.found.about
        if key not in found or one.state != "not_mature":
            found[key] = one
    return list(found.values())


def _states() -> str:
    return ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in STATES.items())
