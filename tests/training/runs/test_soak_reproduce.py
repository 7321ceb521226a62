"""The short form of ``benchmarks/soak_reproduce.py``."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_other_files_and_threads_give_the_same_model():
    # A process of its own: how threads wait is settled when LightGBM is loaded, and spinning takes CI for ever.
    environment = os.environ | {"OMP_WAIT_POLICY": "passive", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "benchmarks/soak_reproduce.py", "--runs", "1", "--accounts", "300"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "2 trainings, each from shuffled files: 1 model(s), 1 fingerprint(s)" in done.stdout
