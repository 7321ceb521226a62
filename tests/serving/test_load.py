"""The short form of benchmarks/bench_load.py: a real service, asked for ten times what it can answer."""

from __future__ import annotations

from pathlib import Path

import bench_load
import pytest
import request_servers
import soak_clients

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def flood(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> bench_load.Overload:
    folder = tmp_path_factory.mktemp("load")
    file = folder / "bodies.jsonl"
    file.write_bytes(b"\n".join(soak_clients.body(number) for number in range(200)))
    environ = {"ACERTO_BUNDLE": str(bundle), "ACERTO_CONFIGS": str(ROOT / "configs"), "PYTHONPATH": str(ROOT)}
    with request_servers.acerto(environ, folder=folder) as server:
        return bench_load.overload(server, str(file), seconds=5, times=10, warm_s=1)


def test_a_flood_is_answered_or_refused_and_nothing_else(flood: bench_load.Overload) -> None:
    assert {*flood.flooded.statuses} == {"200", "503"}


def test_no_connection_is_reset_and_no_answer_lost_in_a_flood(flood: bench_load.Overload) -> None:
    # What the client itself had no connection left for was never sent.
    assert {*flood.flooded.failures} <= {"not sent"}


def test_who_is_refused_is_told_when_to_come_again(flood: bench_load.Overload) -> None:
    assert flood.flooded.bare == 0


def test_the_service_is_ready_after_a_flood(flood: bench_load.Overload) -> None:
    assert flood.ready
