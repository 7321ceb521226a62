"""What was found as Prometheus gauges, for the textfile collector of the node exporter.

Labels are codes of checks, names of features, horizons, configured channels and refusal codes: none is a debtor's, and
there are as many as the configuration and the model have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from training.monitoring.checks import Check
from training.monitoring.monitor import Monitored

STATES = {"green": 0, "amber": 1, "red": 2, "cannot_tell": -1, "not_mature": -2, "by_nature": -3}
"""The value of ``acerto_monitor_state`` for each state."""
_STATES = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in STATES.items())
SERIES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "acerto_monitor_state": (f"State in the last week that can be judged: {_STATES}", ("check", "about")),
    "acerto_monitor_value": ("What was found in it, in the check's own unit", ("check", "about")),
    "acerto_monitor_effect": ("The size that is held against the limits", ("check", "about")),
    "acerto_monitor_limit": ("Limits of the effect", ("check", "severity")),
    "acerto_monitor_alerts": ("Alerts of all judged weeks", ("check", "severity")),
    "acerto_monitor_until_timestamp_seconds": ("End of the last judged week", ()),
    "acerto_monitor_model": ("1 for the version that was looked at", ("version",)),
}
"""Every gauge: what it tells, and its labels."""
_US = 1_000_000


def exposition(found: Monitored) -> bytes:
    """The gauges as text; each check with the last week of which it says anything."""
    registry = CollectorRegistry()
    gauges = {name: Gauge(name, told, labels, registry=registry) for name, (told, labels) in SERIES.items()}
    for one in latest(found.checks):
        named = one.found.code, one.found.about
        gauges["acerto_monitor_state"].labels(*named).set(STATES[one.state])
        if one.found.value is not None:
            gauges["acerto_monitor_value"].labels(*named).set(one.found.value)
        if one.found.effect is not None:
            gauges["acerto_monitor_effect"].labels(*named).set(one.found.effect)
    for code, bounds in found.config.limits.items():
        for severity, bound in (("amber", bounds.amber), ("red", bounds.red)):
            count = sum(one.code == code and one.severity == severity for one in found.alerts)
            gauges["acerto_monitor_limit"].labels(code, severity).set(bound)
            gauges["acerto_monitor_alerts"].labels(code, severity).set(count)
    gauges["acerto_monitor_until_timestamp_seconds"].set(found.watched.weeks[-1].end_us / _US)
    gauges["acerto_monitor_model"].labels(found.bundle.version).set(1)
    return generate_latest(registry)


def latest(checks: Iterable[Check]) -> list[Check]:
    """Each check and what it is about in the last week whose labels are mature, in the order of the first of each."""
    found: dict[tuple[str, str], Check] = {}
    for one in checks:
        key = one.found.code, one.found.about
        if key not in found or one.state != "not_mature":
            found[key] = one
    return list(found.values())
