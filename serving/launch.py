"""Starting and ending the service in processes of its own; imports nothing heavy, for the command line's sake."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

import psutil

from domain.errors import ConfigError
from serving.settings import DEFAULT_HOST, DEFAULT_PORT, read_drain_s, read_settings

_SERVICE = "serving.service:AcertoService"
# Blocks from 1 MiB on go back to the system when they are freed. By default glibc stops doing that once it has seen
# large ones, and a worker that took bodies of 32 MiB stays some hundred MiB larger.
_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(1 << 20)}
_STOP_S = 20
_POLL_S = 0.2


def start(
    host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, *, environ: Mapping[str, str], log: Path | None = None
) -> Running:
    """Starts the service, and returns at once; ``wait_until_ready`` says when it answers.

    Parameters
    ----------
    environ : environment of the service; see ``serving/settings.py`` for what is read from it
    log : file that takes what the service prints; by default it goes where ours goes

    Raises
    ------
    BundleError : there is no model to serve
    ConfigError : the address cannot be listened on
    """
    read_settings(environ)
    _check_free(host, port)
    return Running(host, port, environ=environ, log=log)


def run(host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, *, environ: Mapping[str, str]) -> int:
    """Serves until it is told to stop, finishing what it has begun; returns the exit code.

    After SIGTERM connections are taken for ``ACERTO_DRAIN_S`` more seconds; Ctrl-C is somebody who waits.
    """

    def terminated(_: int, __: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise _Terminated

    running = start(host, port, environ=environ)
    before = signal.signal(signal.SIGTERM, terminated)
    drain = False
    try:
        return running.wait()
    except _Terminated:
        drain = True
        return 0
    except KeyboardInterrupt:
        return 0
    finally:
        running.stop(drain=drain)
        signal.signal(signal.SIGTERM, before)


class _Terminated(BaseException):
    """SIGTERM has come."""


def _check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise ConfigError(f"cannot listen on {host}:{port} ({reason}); give another --host or --port") from error


class Running:
    """A service that was started: its address, and how to end it."""

    def __init__(self, host: str, port: int, *, environ: Mapping[str, str], log: Path | None = None) -> None:
        self.url = f"http://{host}:{port}"
        self._drain_s = read_drain_s(environ)
        # A home of its own, so that two services on a machine do not wipe each other's metrics; nothing is kept there.
        self._home = tempfile.mkdtemp(prefix="acerto-serve-")
        own = {"BENTOML_HOME": self._home, "BENTOML_DO_NOT_TRACK": "True", "BENTOML_QUIET": "True"}
        # One request, one thread: many threads on few cores are slower than one (docs/adr/0007).
        own |= {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "bentoml", "serve", _SERVICE, "--host", host, "--port", str(port)]
        # A session of its own: Ctrl-C reaches only us, and we ask for an orderly end.
        with contextlib.nullcontext() if log is None else log.open("ab") as output:
            self._process = subprocess.Popen(
                command, env={**_MEMORY, **environ, **own}, start_new_session=True, stdout=output, stderr=output
            )

    @property
    def pid(self) -> int:
        """The supervising process; the workers are its children."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended; ``None`` while it runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Waits for the service to end by itself."""
        return self._process.wait()

    def wait_until_ready(self, timeout_s: float = 120.0) -> None:
        """Returns once ``/readyz`` says so; a ``ConfigError`` where it ends before, or takes longer."""
        end = time.monotonic() + timeout_s
        while not self._ready():
            if self.exit_code is not None:
                raise ConfigError(f"the service ended with exit code {self.exit_code}; its output says why")
            if time.monotonic() > end:
                raise ConfigError(f"the service was not ready after {timeout_s:.0f} s; its output says why")
            time.sleep(_POLL_S)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def send(self, signum: signal.Signals) -> None:
        """Sends a signal to the supervising process, as a container's runtime would."""
        self._process.send_signal(signum)

    def stop(self, *, drain: bool = False) -> None:
        """Ends it: requests under way are answered first, within ``_STOP_S`` seconds.

        With ``drain`` it goes on taking requests for ``ACERTO_DRAIN_S`` seconds, while ``/readyz`` says that it ends.
        """
        if self.exit_code is None:
            # Those too that are in no group of ours: the supervisor gives each worker a session of its own.
            workers = psutil.Process(self._process.pid).children(recursive=True)
            if drain:
                self.send(signal.SIGTERM)
            else:
                # The supervisor hands on SIGTERM whatever it is sent, and that drains; SIGINT does not.
                _send([psutil.Process(self._process.pid), *workers], signal.SIGINT)
            try:
                self._process.wait(_STOP_S + (self._drain_s if drain else 0))
            except subprocess.TimeoutExpired:
                _send([psutil.Process(self._process.pid), *workers], signal.SIGKILL)
                self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)


def _send(processes: list[psutil.Process], signum: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signum)
