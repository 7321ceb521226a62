"""What a shadow costs those who are answered: latency without and with it, in turn, and what it kept up with.

    python benchmarks/bench_shadow.py [--rounds 3] [--seconds 10] [--clients 1] [--mlruns mlruns] [--configs configs]

The two newest versions of ``--mlruns`` are champion and challenger. Clients ask without a pause, as no platform does:
where the cores are fewer than what asks and answers, the shadow takes its turns at a low priority and drops the rest.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from scratch_registry import ScratchRegistry, arguments, newest
from soak_clients import Clients
from soak_drain import free_port

from decisioning.shadows import compare
from serving import launch
from serving.shadow_log import read_pairs

_COUNT = re.compile(r'^acerto_shadow_requests_total\{result="(\w+)"\} (\S+)$', re.MULTILINE)


def one(environ: dict[str, str], *, seconds: float, clients: int) -> tuple[list[float], dict[str, float]]:
    """Seconds of each request, and what came of the shadow's."""
    with tempfile.TemporaryDirectory() as scratch:
        running = launch.start(port=free_port(), environ=environ, log=Path(scratch) / "log")
        try:
            running.wait_until_ready(300)
            with Clients(running.url, clients=clients) as asking:
                # The challenger's process starts with the first request.
                time.sleep(10 if environ.get("ACERTO_SHADOW") else 1)
                begun = len(asking.seconds)
                time.sleep(seconds)
                took = asking.seconds[begun:]
            if set(asking.outcomes) != {"200"}:
                raise SystemExit(f"found {dict(asking.outcomes)}, needed answers alone")
            time.sleep(1)
            with urllib.request.urlopen(f"{running.url}/metrics", timeout=30) as answer:
                counts = {result: float(count) for result, count in _COUNT.findall(answer.read().decode())}
        finally:
            running.stop()
    return took, counts


def main() -> int:
    """Prints both sides of each round."""
    parser = arguments(__doc__, clients=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        registry, log = ScratchRegistry(Path(scratch) / "mlruns"), Path(scratch) / "log"
        for alias, source in zip(("champion", "challenger"), newest(given.mlruns), strict=True):
            shutil.copytree(source, registry.bundle(source.name))
            registry.point(source.name, alias=alias)
        plain = {**os.environ, "ACERTO_MLRUNS": str(registry.root), "ACERTO_CONFIGS": str(given.configs.resolve())}
        plain["ACERTO_INSECURE"] = "1"
        shadowed = {**plain, "ACERTO_SHADOW": "challenger", "ACERTO_SHADOW_LOG": str(log)}
        for _ in range(given.rounds):
            for name, environ in (("without", plain), ("with", shadowed)):
                took, counts = one(environ, seconds=given.seconds, clients=given.clients)
                ms = [1e3 * sorted(took)[int(share * (len(took) - 1))] for share in (0.5, 0.95, 0.99)]
                told = ", ".join(f"{value:.0f}" for value in ms)
                print(f"{name:8s} {len(took)} requests, p50, p95, p99 {told} ms {counts}", flush=True)
        for found in compare(read_pairs(log, [])):
            gaps = {days: round(each.mean_difference, 5) for days, each in found.horizons.items()}
            print(f"{found.pairs} pairs, mean difference {gaps}, same action {found.same_action_share}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
