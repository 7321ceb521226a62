"""SIGTERM under load, over and over: no connection reset, no request lost, and the end within its window.

    python benchmarks/soak_drain.py [--times 50] [--clients 8] [--drain 5] [--mlruns mlruns]

Each time a real service is started over the champion, clients ask it all the time (every other one keeps its
connection), and SIGTERM comes to its supervisor. Clients go on until they are refused. Exit code 1 where anything was
reset or lost.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from soak_clients import Clients

from serving import launch


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def drained(environ: dict[str, str], *, clients: int, load_s: float = 1.0) -> dict[str, Any]:
    """Starts a service, ends it under load, and tells what clients saw.

    Returns
    -------
    ``before`` and ``after`` SIGTERM, outcomes by kind; ``ready`` the statuses of ``/readyz`` right after it;
    ``seconds`` from SIGTERM to the end of the last process
    """
    with tempfile.TemporaryDirectory() as folder:
        running = launch.start(port=free_port(), environ=environ, log=Path(folder) / "log")
        try:
            running.wait_until_ready(300)
            with Clients(running.url, clients=clients) as asking:
                time.sleep(load_s)
                before = Counter(asking.outcomes)
                began = time.monotonic()
                running.send(signal.SIGTERM)
                ready = until_it_ends(running.url)
                asking.join()
                running.wait()
                seconds = time.monotonic() - began
                after = asking.outcomes - before
        finally:
            running.stop()
    return {"before": before, "after": after, "ready": ready, "seconds": seconds}


def until_it_ends(url: str) -> list[int]:
    """What ``/readyz`` says until it says that the service ends, looked at every 10 ms."""
    found: list[int] = []
    while not found or found[-1] == 200:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
                found.append(answer.status)
        except urllib.error.HTTPError as error:
            found.append(error.code)
        time.sleep(0.01)
    return found


def main() -> int:
    """Prints one line a time, and the sum."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--drain", type=float, default=5.0)
    parser.add_argument("--mlruns", default="mlruns")
    given = parser.parse_args()
    environ = {**os.environ, "ACERTO_MLRUNS": given.mlruns, "ACERTO_DRAIN_S": str(given.drain), "ACERTO_INSECURE": "1"}
    # Whoever measures comes more often than a client may.
    environ["ACERTO_RATE_LIMIT"] = "1000000/minute"
    total: Counter[str] = Counter()
    late: Counter[str] = Counter()
    slowest = 0.0
    for time_ in range(given.times):
        found = drained(environ, clients=given.clients)
        total += found["before"] + found["after"]
        late += found["after"]
        slowest = max(slowest, found["seconds"])
        print(f"{time_ + 1:3d}  after SIGTERM {dict(found['after'])}  ended in {found['seconds']:.1f} s", flush=True)
    print(f"all {dict(total)}\nof which after SIGTERM {dict(late)}; slowest end {slowest:.1f} s")
    return 1 if total["reset"] or total["lost"] else 0


if __name__ == "__main__":
    sys.exit(main())
