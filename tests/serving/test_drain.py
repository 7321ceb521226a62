"""A service that is told to end resets no connection and loses no request; a real one, under load."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from soak_clients import Clients
from soak_drain import free_port, until_it_ends

from domain.errors import ConfigError
from serving.app import create_app
from serving.drain import Drain
from serving.settings import read_drain_s

ROOT = Path(__file__).parents[2]


def test_sigterm_under_load_resets_and_loses_nothing(bundle: Path, tmp_path: Path) -> None:
    port = free_port()
    environ = {**os.environ, "ACERTO_BUNDLE": str(bundle), "ACERTO_CONFIGS": str(ROOT / "configs")}
    environ |= {"PYTHONPATH": str(ROOT), "ACERTO_DRAIN_S": "1.5", "ACERTO_INSECURE": "1"}
    environ["ACERTO_RATE_LIMIT"] = "1000000/minute"
    script = f"import os; from serving.launch import run; raise SystemExit(run(port={port}, environ=os.environ))"
    with (tmp_path / "log").open("wb") as log:
        service = subprocess.Popen([sys.executable, "-c", script], env=environ, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        ready_after(url)
        with Clients(url, clients=4) as asking:
            time.sleep(0.5)
            service.send_signal(signal.SIGTERM)
            assert until_it_ends(url)[-1] == 503
            before = asking.outcomes.total()
            asking.join()
        assert service.wait(60) == 0
    finally:
        end(service)
    assert asking.outcomes.keys() == {"200", "refused"}
    assert asking.outcomes["refused"] == 4
    assert asking.outcomes.total() - 4 > before, "nothing was taken after the signal"


def end(service: subprocess.Popen[bytes]) -> None:
    """Ends a service with its workers, wherever a test failed."""
    if service.poll() is None:
        for process in psutil.Process(service.pid).children(recursive=True):
            process.kill()
        service.kill()
        service.wait(30)


def ready_after(url: str) -> None:
    for _ in range(600):
        try:
            if httpx.get(f"{url}/readyz").status_code == 200:
                return
        except httpx.TransportError:  # nothing listens yet, or the one process is busy with loading
            pass
        time.sleep(0.2)
    raise AssertionError("never ready")


def test_while_it_ends_it_is_unready_and_asks_to_close_each_connection_and_answers(
    serve: Any, schemas: Any, brain: Any, ask: Any
) -> None:
    drain = Drain(5.0)
    with serve(create_app(schemas, load=lambda: brain, drain=drain)) as client:
        client.wait_until_ready()
        assert "connection" not in client.post("/v1/decisions", json=ask()).headers
        drain.begun = True
        answer = client.post("/v1/decisions", json=ask())
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        refused = client.get("/readyz")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert client.get("/livez").status_code == 200


def test_outside_a_servers_main_thread_signals_are_left_alone() -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def listen() -> None:
        Drain(0.0).listen()

    asyncio.run(listen())
    thread = threading.Thread(target=lambda: asyncio.run(listen()))
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "3601"])
def test_a_window_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="ACERTO_DRAIN_S"):
        read_drain_s({"ACERTO_DRAIN_S": text})


@pytest.mark.parametrize(("environ", "seconds"), [({}, 5.0), ({"ACERTO_DRAIN_S": "0"}, 0.0)])
def test_the_window_comes_from_the_environment(environ: dict[str, str], seconds: float) -> None:
    assert read_drain_s(environ) == seconds
