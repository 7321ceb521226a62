"""Prometheus metrics: requests, latency, what was chosen and refused; no label is taken from what a client sent."""

from __future__ import annotations

import os
from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Summary,
    generate_latest,
    multiprocess,
)

from decisioning.shadows import Pair

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

REQUESTS = Counter("acerto_requests_total", "Requests answered", ["route", "method", "status"])
LATENCY = Histogram("acerto_request_seconds", "Seconds from request to answer", ["route"], buckets=_SECONDS)
PROBLEMS = Counter("acerto_problems_total", "Requests refused, by kind of problem", ["route", "problem"])
ACCOUNTS = Counter("acerto_accounts_total", "Accounts scored or decided on", ["route"])
ACTIONS = Counter("acerto_actions_total", "Actions chosen", ["action"])
REFUSALS = Counter("acerto_refusals_total", "Actions that were not allowed, by code", ["code"])
UNKNOWN_CODES = Counter("acerto_unknown_codes_total", "Rows whose code is in no vocabulary", ["column"])
FEATURE_LOG_FAILURES = Counter("acerto_feature_log_failures_total", "Writes to the feature log that failed")
STORE_COMMITS = Counter("acerto_store_commits_total", "Transactions of the store's writer")
STORE_WRITES = Counter("acerto_store_writes_total", "Writes in them; so many share a sync of the disk")
DECIDED_AGAIN = Counter("acerto_decided_again_total", "Choices undone as another process used up what they needed")
STORE_FAILURES = Counter("acerto_store_failures_total", "Transactions that failed, nothing of them acknowledged")
SWAPS = Counter("acerto_swaps_total", "Promotions and rollbacks noticed, by what came of them", ["result"])
REFUSED = Gauge(
    "acerto_model_refused", "1 while the promoted version is refused", ["code"], multiprocess_mode="livemax"
)
MODEL = Gauge("acerto_model_served", "1 for the version that is served", ["version"], multiprocess_mode="livemax")
SHADOW = Counter("acerto_shadow_requests_total", "Requests of the shadow, by what came of them", ["result"])
SHADOW_DIFFERENCE = Summary("acerto_shadow_p_pay_difference", "Absolute difference of p_pay to the shadow", ["horizon"])
SHADOW_ACTIONS = Counter("acerto_shadow_actions_total", "Decisions compared with the shadow", ["same"])
IN_FLIGHT = Gauge("acerto_in_flight", "Requests being computed or waiting", multiprocess_mode="livesum")
READY = Gauge("acerto_ready", "1 once a model is loaded and warm", multiprocess_mode="livemin")

CONTENT_TYPE = CONTENT_TYPE_LATEST


def observe_answers(answers: Sequence[Mapping[str, Any]], *, route: str) -> None:
    """Counts accounts, and for decisions what was chosen and refused; those names come from the configuration."""
    ACCOUNTS.labels(route=route).inc(len(answers))
    chosen = Tally(answer["action"] for answer in answers if "action" in answer)
    refused = Tally(refusal["code"] for answer in answers for refusal in answer.get("refusals", ()))
    for action, count in chosen.items():
        ACTIONS.labels(action=action).inc(count)
    for code, count in refused.items():
        REFUSALS.labels(code=code).inc(count)


def observe_pairs(pairs: Iterable[Pair]) -> None:
    """Differences between the model that answered and its shadow."""
    for pair in pairs:
        for horizon, difference in pair.differences.items():
            SHADOW_DIFFERENCE.labels(horizon=horizon).observe(difference)
        if pair.same_action is not None:
            SHADOW_ACTIONS.labels(same="yes" if pair.same_action else "no").inc()


def observe_unknown_codes(counts: Mapping[str, int]) -> None:
    """Counts rows whose code is in no vocabulary, by ``table.column``."""
    for column, count in counts.items():
        UNKNOWN_CODES.labels(column=column).inc(count)


def exposition() -> bytes:
    """The metrics of all workers as Prometheus text; of this process alone where there is only one."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
