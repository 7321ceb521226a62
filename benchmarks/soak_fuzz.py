"""Schemathesis against a real service: examples, coverage, fuzzing, and chains of requests along the links.

    python benchmarks/soak_fuzz.py [--examples 450] [--least 20000] [--bundle DIR] [--configs configs] [--seed 1]

A service with keys on an empty store is asked by the OpenAPI document; what is checked says `fuzz_rules.py`. Prints
counts by operation and status, then each failure with the request that shows it. Exit code 1 where a check failed,
fewer than ``--least`` requests were answered, or the worker is another one than at the start.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fuzz_rules import config_of, schema_of
from fuzz_service import guarded
from schemathesis.engine import StopReason, events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from scratch_registry import newest

_MOST_SHOWN = 2_000
"""Characters of a request that is shown."""


@dataclass
class Seen:
    """Answers by operation and status (0 where there was none), by phase, and what failed with a request to show it."""

    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, phase: str, recorder: ScenarioRecorder) -> None:
        """Counts the requests of a scenario."""
        for case_id, sent in recorder.interactions.items():
            label = recorder.cases[case_id].value.operation.label
            self.answers[label, sent.response.status_code if sent.response else 0] += 1
            self.phases[phase] += 1
        for case_id, checks in recorder.checks.items():
            label = recorder.cases[case_id].value.operation.label
            for check in checks:
                if check.failure_info is not None:
                    failure = check.failure_info.failure
                    shown = f"{failure.message}\n{check.failure_info.code_sample[:_MOST_SHOWN]}"
                    self.failures.setdefault(f"{check.name}: {label}: {failure.title} ({phase})", shown)


def fuzz(
    url: str, token: str, document: dict[str, Any], *, examples: int, seed: int = 1, uncovered: Collection[str] = (),
    within_s: float = 1_800,
) -> Seen:  # fmt: skip
    """Asks every operation of the document in all phases; parameters as ``fuzz_rules.config_of`` has them.

    It is given up after ``within_s`` seconds, which is a failure.
    """
    schema = schema_of(document, config_of(url, token, examples=examples, seed=seed, uncovered=uncovered))
    seen, stream, end = Seen(), from_schema(schema).execute(), time.monotonic() + within_s
    for event in stream:
        if time.monotonic() > end:
            stream.stop()
        if isinstance(event, events.ScenarioFinished):
            seen.add(event.phase.value, event.recorder)
        elif isinstance(event, events.NonFatalError):
            seen.failures.setdefault(f"error: {event.label}: {type(event.value).__name__}", str(event.value))
        elif isinstance(event, events.FatalError):
            seen.failures["fatal"] = repr(event.exception)
        elif isinstance(event, events.EngineFinished) and event.stop_reason is not StopReason.COMPLETED:
            seen.failures["stopped"] = event.stop_reason.value
    return seen


def told(seen: Seen) -> str:
    """The counts, a line for each operation, and the failures."""
    lines = [f"{sum(seen.answers.values())} requests: {dict(seen.phases)}"]
    for label in sorted({label for label, _ in seen.answers}):
        of_it = {status: count for (name, status), count in sorted(seen.answers.items()) if name == label}
        lines.append(f"  {label:45s} {of_it}")
    lines += [f"FAILED {what}\n{shown}" for what, shown in seen.failures.items()]
    return "\n".join(lines)


def main() -> int:
    """Prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=450)
    parser.add_argument("--least", type=int, default=20_000)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--configs", type=Path, default=Path("configs"))
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    document = json.loads(Path("docs/openapi.json").read_text(encoding="utf-8"))
    bundle = given.bundle or newest(Path("mlruns"))[-1]
    with tempfile.TemporaryDirectory() as folder, guarded(bundle, Path(folder), configs=given.configs) as service:
        began = time.monotonic()
        seen = fuzz(service.url, service.token, document, examples=given.examples, seed=given.seed)
        seconds, alive = time.monotonic() - began, service.worker.is_running()
    print(f"seed {given.seed}, {given.examples} examples, {seconds:.0f} s; the same worker: {alive}\n{told(seen)}")
    return 0 if alive and not seen.failures and sum(seen.answers.values()) >= given.least else 1


if __name__ == "__main__":
    sys.exit(main())
