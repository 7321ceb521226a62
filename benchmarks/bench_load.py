"""Throughput of the service, and what it does with ten times as much as it can answer.

    python benchmarks/bench_load.py [--seconds 15] [--overload 60] [--times 10] [--cache build/requests]
        [--accounts 5000] [--mlruns DIR --data DIR]

One worker on one core, who asks on another, in a process of its own. First 1, 8 and 32 clients that ask again once they
are answered: scores, decisions, and decisions that are kept. Then requests at even distances, ten times as many as were
answered, whoever is refused not coming again. The first run simulates and trains, in ``--cache``.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import request_servers
from load_client import Load
from request_servers import Server
from request_world import World, arguments, body, world_of

CLIENTS = (1, 8, 32)
_REFUSALS = ("429", "503")
_WRITER = re.compile(r"^acerto_store_(commits|writes)_total (\S+)$", re.MULTILINE)
_POOL = 4_000
_QUIET_S = 60.0


@dataclass(frozen=True)
class Seen:
    """What clients saw: ``statuses`` with the seconds of each answer, ``failures`` by kind, ``bare`` refusals.

    ``cpu_s`` is what the service used meanwhile.
    """

    statuses: dict[str, list[float]]
    failures: Counter[str]
    bare: int
    asked: int
    took_s: float
    cpu_s: float

    @property
    def answered(self) -> list[float]:
        """Seconds until each answer of 200."""
        return self.statuses.get("200", [])

    @property
    def refused(self) -> list[float]:
        """Seconds until each refusal."""
        return [second for status in _REFUSALS for second in self.statuses.get(status, [])]

    @property
    def rate(self) -> float:
        """Answers of 200 a second."""
        return len(self.answered) / self.took_s


def ms(seconds: list[float], share: float) -> float:
    """A percentile in milliseconds."""
    return float(1e3 * np.quantile(seconds, share)) if seconds else float("nan")


def asked(server: Server, load: Load) -> Seen:
    """Runs a load on a core of its own."""
    before = server.cpu_s()
    client = [sys.executable, str(Path(__file__).with_name("load_client.py"))]
    done = subprocess.run(client, input=json.dumps(asdict(load)), capture_output=True, text=True, check=True,
                          timeout=load.seconds + 60)  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    found["failures"] = Counter(found["failures"])
    return Seen(**found, cpu_s=server.cpu_s() - before)


def writer(server: Server) -> dict[str, float]:
    """Commits and writes of the store so far."""
    with urllib.request.urlopen(f"{server.url}/metrics", timeout=30) as answer:
        return {name: float(count) for name, count in _WRITER.findall(answer.read().decode())}


def is_ready(server: Server) -> bool:
    """Whether the service says so."""
    with urllib.request.urlopen(f"{server.url}/readyz", timeout=30) as answer:
        return bool(answer.status == 200)


def bodies(folder: Path, name: str, ledgers: list[dict[str, Any]], **keys: Any) -> str:
    """A file of requests about one account each, at moments of their own."""
    path = folder / f"{name}.jsonl"
    turn = itertools.cycle(ledgers)
    path.write_bytes(b"\n".join(body([next(turn)], number, **keys) for number in range(_POOL)))
    return str(path)


def throughput(server: Server, world: World, folder: Path, *, seconds: float) -> str:
    """A table in Markdown of closed loops."""
    ledgers = world.ledgers(50, 50)
    kinds = {
        "scores": ("/v1/scores", bodies(folder, "scores", ledgers)),
        "decisions": ("/v1/decisions", bodies(folder, "asked", ledgers, explain="none", commit=False)),
        "decisions, kept": ("/v1/decisions", bodies(folder, "kept", ledgers, explain="none")),
    }
    lines = [
        "| | clients | answers a second | p50 ms | p99 ms | CPU ms each | refused | writes a commit |",
        "|---|---|---|---|---|---|---|---|",
    ]
    first = 0
    for (name, (path, file)), clients in itertools.product(kinds.items(), CLIENTS):
        load = Load(_port(server), path, file, seconds, clients, first=first)
        before = writer(server)
        seen = asked(server, load)
        # What was asked before is kept already, and would be written no second time.
        first += seen.asked
        _check(seen)
        after = writer(server)
        commits = after["commits"] - before["commits"]
        writes = f"{(after['writes'] - before['writes']) / commits:.1f}" if commits else ""
        cpu = 1e3 * seen.cpu_s / max(1, len(seen.answered))
        lines.append(
            f"| {name} | {clients} | {seen.rate:.0f} | {ms(seen.answered, 0.5):.1f} | {ms(seen.answered, 0.99):.1f} | "
            f"{cpu:.2f} | {len(seen.refused)} | {writes} |"
        )
    return "\n".join(lines)


def overload(server: Server, file: str, *, seconds: float, times: float, warm_s: float) -> Overload:
    """One client, then as many as are answered at most, then so many times as much, and the time to recover.

    ``file`` holds requests for decisions, one a line.
    """
    load = Load(_port(server), "/v1/decisions", file, warm_s)
    unloaded = asked(server, load)
    load.clients = 8
    capacity = asked(server, load)
    load.rate, load.seconds = times * capacity.rate, seconds
    flooded = asked(server, load)
    began = time.perf_counter()
    load.rate, load.clients, load.seconds = 0.0, 1, 0.05
    recovery_s = _QUIET_S
    while time.perf_counter() - began < _QUIET_S:
        seen = asked(server, load)
        if not seen.refused and not seen.failures and ms(seen.answered, 1.0) <= ms(unloaded.answered, 0.99):
            recovery_s = time.perf_counter() - began
            break
    for one in (unloaded, capacity):
        _check(one)
    return Overload(unloaded, capacity, flooded, recovery_s, is_ready(server))


@dataclass(frozen=True)
class Overload:
    """What was seen by one client, at capacity, and beyond it; seconds until a lone client is answered as before."""

    unloaded: Seen
    capacity: Seen
    flooded: Seen
    recovery_s: float
    ready: bool

    def table(self) -> str:
        """In Markdown, each figure beside its goal."""
        flooded, unloaded = self.flooded, self.unloaded
        p99, alone = ms(flooded.answered, 0.99), ms(unloaded.answered, 0.99)
        counts = {status: len(found) for status, found in sorted(flooded.statuses.items())}
        rows = {
            "asked, a second": f"{flooded.asked / flooded.took_s:.0f}, at a capacity of {self.capacity.rate:.0f}",
            "answers by status": f"{counts}, without an answer {dict(flooded.failures) or 'none'}",
            "refusals that do not say when to come again": f"{flooded.bare} (goal 0)",
            "goodput, of capacity": f"{100 * flooded.rate / self.capacity.rate:.0f} % (goal 90 %)",
            "p99 of what was answered": f"{p99:.0f} ms, alone {alone:.0f} ms: {p99 / alone:.1f} times (goal 3)",
            "its p50": f"{ms(flooded.answered, 0.5):.0f} ms, alone {ms(unloaded.answered, 0.5):.0f} ms",
            "refusals, p50 and p99": f"{ms(flooded.refused, 0.5):.0f} and {ms(flooded.refused, 0.99):.0f} ms",
            "a lone client is answered as before after": f"{self.recovery_s:.1f} s (goal 5 s)",
        }
        return "\n".join(["| | |", "|---|---|", *(f"| {name} | {told} |" for name, told in rows.items())])


def _check(seen: Seen) -> None:
    if seen.failures or not seen.answered:
        raise SystemExit(f"found {dict(seen.failures)} and {len(seen.answered)} answers, needed answers alone")


def _port(server: Server) -> int:
    return int(urlsplit(server.url).port or 80)


def main() -> None:
    """Measures, and prints two tables in Markdown."""
    parser = arguments(__doc__)
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--overload", type=float, default=60.0)
    parser.add_argument("--times", type=float, default=10.0)
    given = parser.parse_args()
    world = world_of(given)
    request_servers.on_core(0)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        with request_servers.acerto(world.environ(), folder=folder) as server:
            print(throughput(server, world, folder, seconds=given.seconds), flush=True)
            file = bodies(folder, "overload", world.ledgers(50, 50), explain="none", commit=False)
            found = overload(server, file, seconds=given.overload, times=given.times, warm_s=given.seconds)
            print(f"\n{found.table()}")


if __name__ == "__main__":
    main()
