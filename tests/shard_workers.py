"""What workers do in tests instead of computing a shard; importable by name, as other processes must."""

from __future__ import annotations

import os
import time
from pathlib import Path

from decisioning.batch.deciding import decide_shard
from decisioning.batch.job import ShardJob
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


def dies_deciding_some(task: ShardJob) -> int:
    """Decides on every other shard, and ends its process at the others; the first ones are waited for."""
    place = int(task.shard[-5:])
    if place % 2 == 0:
        return decide_shard(task)
    while not all(Path(task.part).with_name(f"{even:05d}.rows").is_file() for even in (0, 2)):
        time.sleep(0.05)
    os._exit(1)


def dies_deciding_once(task: ShardJob) -> int:
    """Ends its process the first time it is given the second shard, and decides on it the next."""
    tried = Path(f"{task.part}.tried")
    if task.shard.endswith("00001") and not tried.exists():
        tried.touch()
        os._exit(1)
    return decide_shard(task)


def decides_what_was_left(task: ShardJob) -> int:
    """Decides on shards that ``dies_deciding_some`` left, and refuses others: they are decided."""
    if int(task.shard[-5:]) % 2 == 0:
        raise AssertionError(f"{task.shard} was decided on before")
    return decide_shard(task)
