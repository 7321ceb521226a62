"""The BentoML service that carries the app, and how to start it. The only file that knows BentoML.

BentoML brings processes, sockets and their supervision. Every HTTP path is the app's: the framework's own routes would
answer in other shapes, and its own limits with other errors.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

import bentoml
from starlette.types import ASGIApp, Receive, Scope, Send

from domain.config import load_section
from features.config import FeaturesConfig
from serving import metrics
from serving.app import create_app
from serving.brain import Engine, load_engine
from serving.logs import configure_logs
from serving.schemas import build_schemas
from serving.settings import DEFAULT_HOST, DEFAULT_PORT, read_settings

_HOUR_S = 3600
_STOP_S = 20


def _configs() -> Path:
    return Path(os.environ.get("ACERTO_CONFIGS", "configs"))


def _load() -> Engine:
    return load_engine(read_settings(os.environ), observe=metrics.observe_unknown_codes)


def _reports() -> Path | None:
    found = os.environ.get("ACERTO_REPORTS")
    return Path(found) if found else None


configure_logs()
app = create_app(
    build_schemas(load_section(_configs() / "features.yaml", FeaturesConfig).attributes),
    load=_load,
    reports=_reports(),
    docs_assets=Path(bentoml.__file__).parent / "_internal" / "server" / "static_content",
)


class FrontDoor:
    """ASGI middleware that hands every request to the app, before any route of the framework."""

    def __init__(self, framework: ASGIApp, *, target: ASGIApp) -> None:
        self._framework = framework
        self._target = target

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """HTTP goes to the app; start and end are the framework's."""
        inner = self._target if scope["type"] == "http" else self._framework
        await inner(scope, receive, send)


@bentoml.asgi_app(app, path="/")
@bentoml.service(
    name="acerto",
    workers=1,
    traffic={"timeout": _HOUR_S},
    http={"host": DEFAULT_HOST, "port": DEFAULT_PORT},
    logging={"access": {"enabled": False}},
)
class AcertoService:
    """Scores and decisions over HTTP; the routes are in ``serving/app.py``."""


AcertoService.add_asgi_middleware(FrontDoor, target=app)  # type: ignore[attr-defined]  # the decorator makes a Service


def start(host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, *, environ: Mapping[str, str]) -> Running:
    """Starts the service in processes of its own, and returns at once; ``/readyz`` says when it answers.

    Raises
    ------
    BundleError : there is no model to serve
    """
    read_settings(environ)
    return Running(host, port, environ)


def run(host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, *, environ: Mapping[str, str]) -> int:
    """Serves until it is told to stop (Ctrl-C, SIGTERM), finishing what it has begun; returns the exit code."""
    running = start(host, port, environ=environ)

    def stop(_: int, __: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        return running.wait()
    except KeyboardInterrupt:
        return running.stop()
    finally:
        signal.signal(signal.SIGTERM, before)


class Running:
    """A service that was started: its address, and how to end it."""

    def __init__(self, host: str, port: int, environ: Mapping[str, str]) -> None:
        self.url = f"http://{host}:{port}"
        # Of its own, so that two services on a machine do not wipe each other's metrics; nothing is kept there.
        self._home = tempfile.mkdtemp(prefix="acerto-serve-")
        own = {"BENTOML_HOME": self._home, "BENTOML_DO_NOT_TRACK": "True", "PYTHONUNBUFFERED": "1"}
        arguments = ["serve", "serving.service:AcertoService", "--host", host, "--port", str(port)]
        # A session of its own: Ctrl-C reaches only us, and we ask for an orderly end.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bentoml", *arguments], env={**environ, **own}, start_new_session=True
        )

    def wait(self) -> int:
        """Waits for the service to end by itself."""
        return self._process.wait()

    @property
    def exit_code(self) -> int | None:
        """How it ended; ``None`` while it runs."""
        return self._process.poll()

    def stop(self) -> int:
        """Ends it: requests under way are answered first, within ``_STOP_S`` seconds."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)
        return 0
