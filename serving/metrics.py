"""Prometheus metrics: requests, latency, what was chosen and refused; no label is taken from what a client sent."""

from __future__ import annotations

import os
from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any

import psutil
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
_TURN_SECONDS = (0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

REQUESTS = Counter("acerto_requests_total", "Requests answered", ["route", "method", "status"])
LATENCY = Histogram("acerto_request_seconds", "Seconds from request to answer", ["route"], buckets=_SECONDS)
PROBLEMS = Counter("acerto_problems_total", "Requests refused, by kind of problem", ["route", "problem"])
WAITING = Gauge("acerto_queue_waiting", "Requests that wait for their turn", multiprocess_mode="livesum")
TURN_SECONDS = Histogram("acerto_queue_seconds", "Seconds a request waited for its turn", buckets=_TURN_SECONDS)
SHED = Counter("acerto_shed_total", "Requests sent away with 503 for want of room or of time", ["reason"])
ACCESS = Counter("acerto_access_refused_total", "Requests refused before any route, by what was wrong", ["code"])
ONCE = Counter("acerto_once_total", "Requests with an Idempotency-Key, by what came of them", ["result"])
ACCOUNTS = Counter("acerto_accounts_total", "Accounts scored or decided on", ["route"])
ACTIONS = Counter("acerto_actions_total", "Actions chosen", ["action"])
REFUSALS = Counter("acerto_refusals_total", "Actions that were not allowed, by code", ["code"])
RULES = Counter(
    "acerto_rule_refusals_total", "Actions that were not allowed, by rule of the policy", ["rule", "version", "code"]
)
PERMITS = Counter("acerto_permits_total", "Permits asked for, by what was said", ["allowed"])
PERMIT_CHANGES = Counter(
    "acerto_permit_changes_total", "What was not as decided, by code; refuses is no where it only informs",
    ["code", "refuses"],
)  # fmt: skip
REVIEWS_OPEN = Gauge(
    "acerto_reviews_open", "Reviews that were asked for and have no outcome yet", multiprocess_mode="livemostrecent"
)
FALLBACKS = Counter("acerto_fallbacks_total", "Times something lesser did, by what it was", ["code"])
FEATURE_ROWS = Counter("acerto_feature_rows_total", "Accounts for which a feature was scored", ["feature"])
FEATURE_NULLS = Counter("acerto_feature_nulls_total", "Those in which it had no value", ["feature"])
FEATURE_NULLS_TRAINED = Gauge(
    "acerto_feature_null_share_training", "Share of rows in which it had none in training", ["feature"],
    multiprocess_mode="livemostrecent",
)  # fmt: skip
SCORES = Counter("acerto_scores_total", "p_pay served, by bin of what training expected", ["horizon", "bin"])
SCORES_TRAINED = Gauge(
    "acerto_scores_training_share", "Share of held-out rows of training in each bin", ["horizon", "bin"],
    multiprocess_mode="livemostrecent",
)  # fmt: skip
PSI = Gauge(
    "acerto_scores_psi", "PSI of the p_pay served last against training; 0 until there are enough", ["horizon"],
    multiprocess_mode="livemax",
)  # fmt: skip
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
_RULE = itemgetter("rule", "version", "code")
_WORDS = {
    SHED: ("full", "deadline", "store"),
    ACCESS: ("missing", "unknown", "revoked", "expired", "scope", "not_local", "rate", "path", "headers"),
    ONCE: ("answered", "replayed", "in_use", "other_request", "forgotten"),
    PERMITS: ("yes", "no"),
}
for _counter, _words in _WORDS.items():
    for _word in _words:
        # So that the first one is a rise from 0, and not a series that was not there.
        _counter.labels(_word)


def observe_answers(answers: Sequence[Mapping[str, Any]], *, route: str) -> None:
    """Counts accounts, and for decisions what was chosen and refused; those names come from the configuration."""
    ACCOUNTS.labels(route=route).inc(len(answers))
    chosen = Tally(answer["action"] for answer in answers if "action" in answer)
    rules = Tally(map(_RULE, chain.from_iterable(answer.get("refusals", ()) for answer in answers)))
    codes: Tally[str] = Tally()
    for (rule, version, code), count in rules.items():
        RULES.labels(rule, version, code).inc(count)
        codes[code] += count
    for action, count in chosen.items():
        ACTIONS.labels(action).inc(count)
    for code, count in codes.items():
        REFUSALS.labels(code).inc(count)


def observe_permits(permits: Iterable[Mapping[str, Any]]) -> None:
    """Counts what was permitted and refused, and the codes of what changed."""
    for permit in permits:
        PERMITS.labels("yes" if permit["allowed"] else "no").inc()
        for change in permit["changes"]:
            PERMIT_CHANGES.labels(change["code"], "yes" if change["refuses"] else "no").inc()


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
    _forget_the_dead(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"]))
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def _forget_the_dead(folder: Path) -> None:
    """Takes out the gauges of workers that were killed: no more requests wait there, and none of them is unready."""
    for pid in {int(path.stem.rpartition("_")[2]) for path in folder.glob("gauge_live*_*.db")}:
        if not psutil.pid_exists(pid):
            multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
