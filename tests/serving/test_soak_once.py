"""The short form of benchmarks/soak_once.py: a real service, killed while requests with keys are under way."""

from __future__ import annotations

import os
from pathlib import Path

import soak_once

ROOT = Path(__file__).parents[2]
KEYS = 60


def test_over_a_kill_each_key_has_one_effect_and_one_answer(bundle: Path, tmp_path: Path) -> None:
    environ = {**os.environ, "ACERTO_BUNDLE": str(bundle), "ACERTO_CONFIGS": str(ROOT / "configs")}
    environ |= {"PYTHONPATH": str(ROOT), "ACERTO_INSECURE": "1", "ACERTO_RATE_LIMIT": "1000000/minute"}
    found = soak_once.soak(environ, tmp_path, keys=KEYS)
    assert soak_once.right(found, keys=KEYS), found
