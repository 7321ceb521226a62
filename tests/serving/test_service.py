from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

from domain.errors import BundleError, ConfigError
from serving import launch
from serving.front_door import FrontDoor

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_real_service_starts_decides_and_stops(bundle: Path, ask: Any, tmp_path: Path) -> None:
    environ = {**os.environ, "ACERTO_BUNDLE": str(bundle), "ACERTO_CONFIGS": str(ROOT / "configs")}
    environ |= {
        "PYTHONPATH": str(ROOT),
        "ACERTO_DATABASE_URL": f"sqlite:///{tmp_path}/acerto.db",
        "ACERTO_INSECURE": "1",
    }
    running = launch.start(port=free_port(), environ=environ, log=tmp_path / "log")
    try:
        running.wait_until_ready(timeout_s=180)
        answer = httpx.post(f"{running.url}/v1/decisions", json=ask(explain="full"), timeout=30)
        assert answer.status_code == 200
        assert answer.json()["decisions"][0]["model_version"] == "7"
        # Every path is ours, in our shape: nothing of the framework under it shows.
        for path in ("/schema.json", "/healthz", "/docs.json", "/v1/529.982.247-25"):
            refused = httpx.get(running.url + path)
            assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")
        metrics = httpx.get(f"{running.url}/metrics").text
        assert 'acerto_requests_total{method="POST",route="/v1/decisions",status="200"} 1.0' in metrics
        assert "529.982" not in metrics
        assert "/docs/assets/" in httpx.get(f"{running.url}/docs").text
        assert httpx.get(f"{running.url}/docs/assets/swagger-ui.css").status_code == 200
    finally:
        running.stop()
    assert running.exit_code is not None
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{running.url}/livez")
    assert "529.982" not in (tmp_path / "log").read_text()


def test_an_address_in_use_is_told_before_anything_starts(bundle: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="cannot listen"):
            launch.start(port=taken.getsockname()[1], environ={"ACERTO_BUNDLE": str(bundle)})


def test_no_model_is_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="acerto train"):
        launch.start(port=free_port(), environ={"ACERTO_MLRUNS": str(tmp_path)})


def test_once_started_requests_meet_no_middleware_of_the_framework() -> None:
    met: list[str] = []

    class Counting:
        def __init__(self, app: Any) -> None:
            self._app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            met.append(scope["type"])
            await self._app(scope, receive, send)

    framework = Starlette(middleware=[Middleware(Counting), Middleware(FrontDoor, target=PlainTextResponse("ours"))])

    async def asked() -> str:
        steps = iter(({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}))

        async def receive() -> Any:
            return next(steps)

        async def send(_: Any) -> None:
            pass

        await framework({"type": "lifespan", "asgi": {}}, receive, send)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(framework), base_url="http://test") as client:
            return (await client.get("/")).text

    assert asyncio.run(asked()) == "ours"
    assert met == ["lifespan"]
