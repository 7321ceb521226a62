"""The short form of benchmarks/soak_mutants.py: a real service, and a few hundred broken requests."""

from __future__ import annotations

import json
from pathlib import Path

import soak_mutants
from fuzz_service import guarded

ROOT = Path(__file__).parents[2]
MUTANTS = 300


def test_broken_requests_are_refused_as_documented_and_harm_nobody(bundle: Path, tmp_path: Path) -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    with guarded(bundle, tmp_path, configs=ROOT / "configs") as service:
        seen = soak_mutants.soak(service, document, list(range(MUTANTS)), seed=7)
    assert seen.right, soak_mutants.told(seen)
