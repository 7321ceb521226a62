"""How Schemathesis is set up for this service, and what it is told that no schema can say."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.transport import Response
from schemathesis.generation.case import Case

_YEARS = {"min_value": datetime(1900, 1, 2), "max_value": datetime(2199, 12, 30)}  # noqa: DTZ001  # for st.datetimes
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_CHECKS = {
    # A request may be right by its schema, and still say of two rows the same id or of an account no debts. Our own
    # check below does the same, and knows these refusals by their words.
    "positive_data_acceptance": {"enabled": False},
    # There are no users whose objects could be told apart by one key; tests/serving/access/ asks with two tenants.
    "object_level_authorization": {"enabled": False},
    # The usual ones, and 413 for more rows than may come.
    "negative_data_rejection": {
        "expected-statuses": ["400", "401", "403", "404", "405", "408", "409", "413", "415", "422", "429", "503"]
    },
    # Only shedding may be a 503, and nothing is shed here: no 5xx at all.
    "not_a_server_error": {"expected-statuses": ["2xx", "4xx"]},
}
SAID_BY_NO_SCHEMA = (
    "a ledger needs its debts",
    "the account stands twice in this request",
    "an earlier row has the same id",
    "an outcome needs the key outcome",
    "another request came with this Idempotency-Key",
)
"""What a request that its schema allows may be refused for with 422."""


LARGE = frozenset({"scores", "decisions", "permits", "events"})
"""Operations whose requests hold ledgers or rows: to draw one takes many times as long as any other."""
_LIGHTER = 4


def config_of(url: str, token: str, *, examples: int, seed: int, uncovered: Collection[str] = ()) -> Any:
    """All phases and checks, for a service at ``url``.

    Parameters
    ----------
    examples : chains of requests, and requests of each operation that is ``LARGE``, of others four times as many
    uncovered : operations without the phase that enumerates what their schema says
    """
    few = {"max-examples": examples}
    operations: list[dict[str, Any]] = [{"include-operation-id": sorted(LARGE), "generation": few}]
    if uncovered:
        operations.append({"include-operation-id": sorted(uncovered), "phases": {"coverage": {"enabled": False}}})
    return schemathesis.Config.from_dict(
        {
            "base-url": url, "seed": seed, "workers": 1, "request-timeout": 30, "continue-on-failure": True,
            "auth": {"openapi": {"key": {"bearer": token}}},
            "generation": {"max-examples": examples * _LIGHTER, "no-shrink": True, "database": "none"},
            "phases": {"stateful": {"generation": few}}, "operations": operations, "checks": _CHECKS,
            # Drawing a request of so many optional parts is slow; that says nothing of the service.
            "suppress-health-check": ["all"],
            "analysis": {"constants": {"enabled": False}},
        }
    )  # fmt: skip


def schema_of(document: dict[str, Any], config: Any) -> Any:
    """The document as Schemathesis reads it, with times of years that the service knows."""
    moments, days = st.datetimes(**_YEARS), st.dates(_YEARS["min_value"].date(), _YEARS["max_value"].date())
    schemathesis.openapi.format("date-time", moments.map(lambda at: at.replace(tzinfo=UTC).isoformat()))
    schemathesis.openapi.format("date", days.map(lambda day: day.isoformat()))
    return schemathesis.openapi.from_dict(document, config=config)


@schemathesis.hook
def before_call(context: Any, case: Case, kwargs: dict[str, Any]) -> None:  # noqa: ARG001  # named by what calls it
    """A key that goes with its request, or most would be refused as another's; a decision that a chain goes on from."""
    key = case.headers.get("Idempotency-Key")
    if isinstance(key, str) and _KEY.fullmatch(key):
        said = json.dumps([case.operation.label, case.path_parameters, case.body], default=repr, sort_keys=True)
        case.headers["Idempotency-Key"] = f"{key[:100]}-{hashlib.sha256(said.encode()).hexdigest()}"
    chained = case.meta is not None and case.meta.phase.name == "stateful"
    if chained and isinstance(case.body, dict) and case.body.get("commit") is False:
        case.body["commit"] = True


@schemathesis.check
def valid_data_is_refused_by_known_rules(_: Any, response: Response, case: Case) -> bool | None:
    """What a schema allows is answered, or refused for one of ``SAID_BY_NO_SCHEMA``."""
    valid = case.meta is not None and case.meta.generation.mode.is_positive
    if not valid or response.status_code not in (400, 413, 415, 422) or case.method != case.operation.method.upper():
        return None
    problem = response.json()
    words = [problem["detail"], *(place["detail"] for place in problem.get("errors", ()))]
    if not any(rule in said for rule in SAID_BY_NO_SCHEMA for said in words):
        raise AssertionError("valid data was refused: " + " | ".join(words))
    return None
