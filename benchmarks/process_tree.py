"""A command watched from outside: CPU of all its processes, and the most memory that they held together."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Run:
    """What a command told, and what it took; ``peak`` is the largest sum of resident bytes over the process tree."""

    out: str
    err: str
    wall_s: float
    cpu_s: float
    peak: int


def watched(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, beside: Sequence[int] = ()
) -> Run:
    """Runs a command to its end; one that fails ends this process with its code.

    ``beside`` are processes that work for it, whose memory counts as its own.
    """
    before, start, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), 0
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        with subprocess.Popen(command, cwd=cwd, env=env or os.environ, stdout=out, stderr=err) as process:
            while process.poll() is None:
                peak = max(peak, sum(map(_resident, (process.pid, *beside))))
                time.sleep(0.1)
        out.seek(0)
        err.seek(0)
        told, errors = out.read(), err.read()
    if process.returncode:
        sys.stderr.write(errors)
        sys.exit(process.returncode)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(told, errors, time.perf_counter() - start, cpu, peak)


def _resident(pid: int) -> int:
    total = 0
    try:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.NoSuchProcess:
        pass  # it ended while we looked
    return total
