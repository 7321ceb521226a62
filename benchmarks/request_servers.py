"""Servers in processes of their own on the loopback, each on one core, and the CPU time that their processes take.

A measurement keeps to another core than what it measures, where there are two: what a client uses is then not taken
from the server. CPU time is read from the clocks of the processes, in nanoseconds, threads that have ended included.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil
from soak_drain import free_port

from serving import launch

_CPU_CLOCK = 2
_READY_S = 180
_HERE = Path(__file__).parent
CORES = sorted(os.sched_getaffinity(0))


def on_core(which: int) -> None:
    """Keeps this process, and what it starts from now on, to one of the cores that there are."""
    os.sched_setaffinity(0, {CORES[which % len(CORES)]})


class Server:
    """A running server: its address, and the processes that it is made of."""

    def __init__(self, url: str, pid: int) -> None:
        self.url = url
        self._pid = pid

    def cpu_s(self) -> float:
        """CPU seconds that the processes have used so far, those that watch over the workers included."""
        root = psutil.Process(self._pid)
        return sum(_cpu_of(process.pid) for process in (root, *root.children(recursive=True)))


def _cpu_of(pid: int) -> float:
    # The clock of another process, as clock_getcpuclockid(3) names it.
    return time.clock_gettime(~pid << 3 | _CPU_CLOCK)


@contextlib.contextmanager
def acerto(environ: Mapping[str, str], *, folder: Path) -> Iterator[Server]:
    """The service as ``acerto serve --insecure`` starts it, ready, with a store of its own in a folder."""
    own = {"ACERTO_INSECURE": "1", "ACERTO_DATABASE_URL": f"sqlite:///{folder / 'acerto.db'}"}
    # Whoever measures comes more often than a client may.
    own |= {"ACERTO_RATE_LIMIT": "1000000/minute"}
    with _server_core():
        running = launch.start(port=free_port(), environ={**os.environ, **own, **environ}, log=folder / "acerto.log")
    try:
        running.wait_until_ready(_READY_S)
        yield Server(running.url, running.pid)
    finally:
        running.stop()


@contextlib.contextmanager
def bento(service: str, *, folder: Path) -> Iterator[Server]:
    """One of ``hello_services``, ready."""
    port = free_port()
    command = [sys.executable, "-m", "bentoml", "serve", f"hello_services:{service}", "--host", "127.0.0.1"]
    own = {"BENTOML_HOME": str(folder / service), "BENTOML_DO_NOT_TRACK": "True", "BENTOML_QUIET": "True"}
    with _process([*command, "--port", str(port)], own, log=folder / f"{service}.log") as server:
        yield _once_ready(server, port, path="/livez")


@contextlib.contextmanager
def mlflow_models(model: Path, *, folder: Path) -> Iterator[Server]:
    """``mlflow models serve`` on a model, ready."""
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", str(model), "--port", str(port)]
    own = {"MLFLOW_TRACKING_URI": f"sqlite:///{folder / 'mlflow.db'}", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"}
    with _process([*command, "--env-manager", "local", "--workers", "1"], own, log=folder / "mlflow.log") as server:
        yield _once_ready(server, port, path="/ping")


@contextlib.contextmanager
def _process(command: Sequence[str], environ: Mapping[str, str], *, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    # MLflow looks for its web server on the path.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    own = {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", **environ}
    with log.open("wb") as output, _server_core():
        process = subprocess.Popen(command, cwd=_HERE, env=own, stdout=output, stderr=output, start_new_session=True)
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and its children by their ids: some of them are in sessions of their own."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for one in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                one.terminate()
        for one in psutil.wait_procs(family, timeout=20)[1]:
            one.kill()
    process.wait()


@contextlib.contextmanager
def _server_core() -> Iterator[None]:
    before = os.sched_getaffinity(0)
    on_core(1)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _once_ready(process: subprocess.Popen[bytes], port: int, *, path: str) -> Server:
    url, end = f"http://127.0.0.1:{port}", time.monotonic() + _READY_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}{path}", timeout=5) as answer:
            if answer.status == 200:
                return Server(url, process.pid)
        time.sleep(0.2)
    raise SystemExit(f"{' '.join(map(str, process.args))} was not ready within {_READY_S} s; its log says why")
