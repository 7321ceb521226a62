"""Schemathesis over every operation of the document: examples, coverage, fuzzing, and chains along the links.

    python benchmarks/soak_fuzz.py [--requests 20000] [--bundle DIR] [--configs configs] [--seed 1]

A real service with keys, on an empty store. Exit code 1 where a check failed, or fewer requests were sent.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import schemathesis
from fuzz_service import guarded
from hypothesis import strategies as st
from schemathesis.engine import events, from_schema
from schemathesis.engine.recorder import ScenarioRecorder
from scratch_registry import newest


def configured(url: str, token: str, *, examples: int, seed: int) -> schemathesis.Config:
    generation = {"max-examples": examples, "deterministic": False, "no-shrink": True, "database": "none"}
    return schemathesis.Config.from_dict({
        "base-url": url, "seed": seed, "workers": 1, "request-timeout": 30, "continue-on-failure": True,
        "auth": {"openapi": {"key": {"bearer": token}}},
        "generation": generation,
        "suppress-health-check": ["all"],
        "max-failures": 1000,
    })


@dataclass
class Found:
    sent: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    phases: Counter[str] = field(default_factory=Counter)


def fuzz(url: str, token: str, document: dict[str, Any], *, examples: int, seed: int) -> Found:
    schema = schemathesis.openapi.from_dict(document, config=configured(url, token, examples=examples, seed=seed))
    found = Found()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            for case_id, interaction in event.recorder.interactions.items():
                status = interaction.response.status_code if interaction.response else 0
                found.sent[event.recorder.cases[case_id].value.operation.label, status] += 1
                found.phases[event.phase.value] += 1
            for case_id, checks in event.recorder.checks.items():
                for check in checks:
                    if check.failure_info:
                        label = event.recorder.cases[case_id].value.operation.label
                        f = check.failure_info.failure
                        found.failures.setdefault(f"{check.name} {label} {f.title}", f"{event.phase.value} {f.message}\n{check.failure_info.code_sample}\n{event.recorder.interactions[case_id].response.content[:600] if event.recorder.interactions[case_id].response else None}")
        elif isinstance(event, (events.NonFatalError, events.FatalError)):
            found.failures.setdefault(str(event)[:300], "")
    return found


if __name__ == "__main__":
    import logging
    bundle, configs = Path(sys.argv[1]), Path("configs")
    doc = json.loads(Path("docs/openapi.json").read_text())
    with tempfile.TemporaryDirectory() as folder, guarded(bundle, Path(folder), configs=configs) as service:
        began = time.monotonic()
        found = fuzz(service.url, service.token, doc, examples=int(sys.argv[2]), seed=1)
        print(time.monotonic() - began, service.worker)
        print(sum(found.sent.values()), found.phases)
        for k, v in sorted(found.sent.items()): print(k, v)
        for k, v in found.failures.items(): print("=====", k); print(v[:1500])
        Path("/tmp/w/fuzz/log").write_text(Path(folder, "log").read_text())
