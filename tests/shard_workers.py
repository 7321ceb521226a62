"""What workers do in tests instead of computing a shard; importable by name, as other processes must."""

from __future__ import annotations

import os
import time
from pathlib import Path

from features.shard_matrix import ShardTask, run_task


def dies_once(task: ShardTask) -> int:
    """Ends its process without a word the first time it is given a shard, and computes it the next."""
    tried = Path(f"{task.part}.tried")
    if not tried.exists():
        tried.touch()
        os._exit(1)
    return run_task(task)


def dies(task: ShardTask) -> int:
    """Ends its process without a word."""
    os._exit(1)


def tells_its_process_and_waits(task: ShardTask) -> int:
    """Writes the id of its process where the part belongs, and does nothing else."""
    Path(task.part).with_suffix(".pid").write_text(str(os.getpid()), encoding="utf-8")
    time.sleep(600)
    return 0
