"""The short form of benchmarks/soak_days.py: two real services spend one day, and are killed in the middle of it."""

from __future__ import annotations

import os
from pathlib import Path

import soak_days

ROOT = Path(__file__).parents[2]
ACCOUNTS, LIMIT, KILLS = 160, 60, 1


def test_over_a_kill_two_services_lose_nothing_and_exceed_nothing(bundle: Path, tmp_path: Path) -> None:
    environ = {**os.environ, "ACERTO_BUNDLE": str(bundle), "PYTHONPATH": str(ROOT)}
    environ |= {"ACERTO_INSECURE": "1", "ACERTO_RATE_LIMIT": "1000000/minute"}
    found = soak_days.soak(environ, tmp_path, accounts=ACCOUNTS, limit=LIMIT, kills=KILLS)
    assert soak_days.right(found, accounts=ACCOUNTS, kills=KILLS), found
