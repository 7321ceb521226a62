"""Swaps under load: no request fails, and each answer reproduces to the bit from the bundle that it names.

    python benchmarks/soak_swap.py [--swaps 100] [--load-every 10] [--clients 4] [--mlruns mlruns] [--configs configs]

A real service follows a registry made of the two newest versions of ``--mlruns``. Swaps go from one to the other and
back, mostly from memory as a rollback does; every tenth takes a copy under a version of its own, which has to be loaded
and tried first. Afterwards every answer is computed again from the bundle of its ``model_version``. Exit code 1 where a
request failed or an answer differs.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scratch_registry import ScratchRegistry, arguments, newest
from soak_clients import Clients, body
from soak_drain import free_port

from decisioning.bundle import copy_bundle
from domain.config import load_section
from features.config import FeaturesConfig
from serving import handling, launch
from serving.engine import load_engine
from serving.schemas import build_schemas
from serving.settings import Settings

Answers = list[tuple[int, dict[str, Any]]]


class Copies(ScratchRegistry):
    """A registry of copies of a few bundles, each under a version of its own."""

    def __init__(self, root: Path, sources: list[Path]) -> None:
        super().__init__(root)
        self._sources = sources
        self._made = 0

    def add(self) -> str:
        """A copy of the next source; returns its version."""
        self._made += 1
        version = str(self._made)
        copy_bundle(self._sources[self._made % len(self._sources)], self.bundle(version), version=version)
        return version


def swapped(url: str, registry: Copies, versions: Iterator[tuple[str, bool]]) -> dict[bool, list[float]]:
    """Swaps through the versions; seconds until each was served, for those from memory and those that were loaded."""
    took: dict[bool, list[float]] = {True: [], False: []}
    for version, loads in versions:
        began = time.monotonic()
        registry.promote(version)
        while served(url)["model_version"] != version:
            if time.monotonic() - began > 120:
                raise SystemExit(f"version {version} was not served: {served(url)['refused']}")
            time.sleep(0.01)
        took[loads].append(time.monotonic() - began)
    return took


def served(url: str) -> dict[str, Any]:
    """What ``/v1/model`` says."""
    with urllib.request.urlopen(f"{url}/v1/model", timeout=30) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def order(registry: Copies, first: str, *, swaps: int, load_every: int) -> Iterator[tuple[str, bool]]:
    """Versions to swap to, and whether each has to be loaded: one that was never served, or not the one before."""
    now, before = first, None
    for swap in range(swaps):
        if before is None or swap % load_every == load_every - 1:
            now, before = registry.add(), now
            yield now, True
        else:
            now, before = before, now
            yield now, False


def differing(answers: Answers, registry: Copies, *, configs: Path) -> int:
    """How many answers are not what the bundle that they name computes."""
    schemas = build_schemas(load_section(configs / "features.yaml", FeaturesConfig).attributes)
    engines: dict[str, Any] = {}
    wrong = 0
    for number, answer in answers:
        version = answer["decisions"][0]["model_version"]
        if version not in engines:
            engines[version] = load_engine(Settings(bundle=registry.bundle(version), configs=configs))
        wrong += json.loads(handling.decisions(body(number), engines[version], schemas).content) != answer
    return wrong


def soak(
    root: Path, sources: list[Path], *, swaps: int, load_every: int, clients: int, configs: Path
) -> dict[str, Any]:
    """Runs the service through the swaps under load.

    Returns
    -------
    ``outcomes`` of requests, ``took`` seconds from alias to answer, ``seconds`` of each request, ``versions`` that
    answered, and how many answers are ``differing``
    """
    registry = Copies(root / "mlruns", sources)
    registry.promote(first := registry.add())
    environ = {**os.environ, "ACERTO_MLRUNS": str(registry.root), "ACERTO_CONFIGS": str(configs.resolve())}
    # Whoever measures comes more often than a client may.
    environ |= {"ACERTO_BUNDLE": "", "ACERTO_INSECURE": "1", "ACERTO_RATE_LIMIT": "1000000/minute"}
    answers: Answers = []
    running = launch.start(port=free_port(), environ=environ, log=root / "log")
    try:
        running.wait_until_ready(300)
        with Clients(running.url, clients=clients, seen=lambda *answered: answers.append(answered)) as asking:
            took = swapped(running.url, registry, order(registry, first, swaps=swaps, load_every=load_every))
            # Whoever was swapped to last answers too.
            time.sleep(0.5)
    finally:
        running.stop()
    return {
        "outcomes": asking.outcomes,
        "took": took,
        "seconds": asking.seconds,
        "versions": {answer["decisions"][0]["model_version"] for _, answer in answers},
        "differing": differing(answers, registry, configs=configs),
        "answers": len(answers),
    }


def main() -> int:
    """Prints what was seen."""
    parser = arguments(__doc__, clients=4)
    parser.add_argument("--swaps", type=int, default=100)
    parser.add_argument("--load-every", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        found = soak(
            Path(scratch), newest(given.mlruns), swaps=given.swaps, load_every=given.load_every, clients=given.clients,
            configs=given.configs,
        )  # fmt: skip
    for loads, took in found["took"].items():
        if took:
            kind = "loaded" if loads else "from memory"
            print(f"{len(took)} {kind}: median {statistics.median(took):.2f} s, longest {max(took):.2f} s")
    seconds = sorted(found["seconds"])
    ms = [1e3 * seconds[int(share * (len(seconds) - 1))] for share in (0.5, 0.99, 1.0)]
    print(f"requests {dict(found['outcomes'])}: p50 {ms[0]:.0f} ms, p99 {ms[1]:.0f} ms, longest {ms[2]:.0f} ms")
    print(f"{found['answers']} answers of {len(found['versions'])} versions, {found['differing']} not their bundle's")
    return 1 if found["differing"] or set(found["outcomes"]) != {"200"} else 0


if __name__ == "__main__":
    sys.exit(main())
