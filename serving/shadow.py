"""The challenger in the champion's shadow: it computes the same requests after they were answered, and is compared.

It never takes part in an answer. Its process is its own, so that it neither takes a request's interpreter nor crashes
the service; requests wait for it in a queue with an end, and what finds the queue full is dropped and counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.connection import Pipe
from pathlib import Path
from queue import Empty, Full, Queue

from decisioning.shadows import Pair, Side
from domain.errors import BundleError, ConfigError
from serving import metrics
from serving.brain import Answer
from serving.daily_lines import DailyLines
from serving.logs import log, where
from serving.pointer import CHALLENGER, Target, read_target

MOST_WAITING = 64
MOST_BYTES = 64 << 20
MOST_CRASHES = 3
_LOAD_S, _ANSWER_S = 180.0, 60.0
_END = b"\n"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was answered: its route, its body, its moment (RFC 3339), and the answers that were given.

    ``size`` is about what it takes up in memory, in bytes; ``request_id`` is for the log.
    """

    route: str
    body: bytes
    as_of: str
    answers: list[Answer]
    size: int
    request_id: str | None = None


class Model:
    """The challenger in its process; ``folder`` and seal are those of the alias when it was started.

    Raises
    ------
    BundleError : it did not come up
    """

    def __init__(self, target: Target, *, environ: Mapping[str, str]) -> None:
        self.target = target
        self._connection, theirs = Pipe()
        own = {key: value for key, value in environ.items() if key != "PROMETHEUS_MULTIPROC_DIR"}
        own |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(place for place in sys.path if place)}
        command = [sys.executable, "-m", "serving.shadow_process", str(theirs.fileno()), str(target.folder)]
        with theirs:
            self._process = subprocess.Popen(
                [*command, target.seal or ""], env=own, pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip
        try:
            self._received(_LOAD_S)
        except (EOFError, OSError, TimeoutError) as error:
            self.close()
            raise BundleError(f"{target.folder}: the shadow did not come up ({type(error).__name__})") from error

    def answers(self, asked: Asked) -> list[Answer] | None:
        """What it says to a request, ``None`` where it cannot compute that; raises where the process is gone."""
        self._connection.send_bytes(_END.join((asked.route.encode(), asked.as_of.encode(), asked.body)))
        found = self._received(_ANSWER_S)
        return json.loads(found) if found else None

    def close(self) -> None:
        """Ends the process."""
        self._process.kill()
        self._process.wait()
        self._connection.close()

    def _received(self, most_s: float) -> bytes:
        if not self._connection.poll(most_s):
            raise TimeoutError("the shadow took too long")
        return self._connection.recv_bytes()


class Shadow:
    """Takes requests that were answered, and compares what the challenger would have said.

    Parameters
    ----------
    registry : whose challenger it is; a new one is taken up when the next request comes
    lines : takes the pairs; without it only metrics tell of them
    start : starts the process of a target
    """

    def __init__(
        self, registry: Path, *, lines: DailyLines | None = None, start: Callable[[Target], Model] | None = None
    ) -> None:
        self._registry, self._lines = registry, lines
        self._start = start or (lambda target: Model(target, environ=os.environ))
        self._queue: Queue[Asked | None] = Queue(MOST_WAITING)
        self._bytes = 0
        self._lock = threading.Lock()
        self._model: Model | None = None
        self._failed: Target | None = None
        self._crashes = 0
        self._thread = threading.Thread(target=self._run, daemon=True, name="shadow")

    def start(self) -> None:
        """Begins to take requests."""
        self._thread.start()

    def offer(self, asked: Asked) -> None:
        """Takes a request if there is room for it, and never waits."""
        with self._lock:
            fits = self._bytes + asked.size <= MOST_BYTES
            if fits:
                try:
                    self._queue.put_nowait(asked)
                    self._bytes += asked.size
                except Full:
                    fits = False
        if not fits:
            metrics.SHADOW.labels(result="dropped").inc()

    def close(self) -> None:
        """Ends the challenger's process; what waits is dropped."""
        while True:
            try:
                self._queue.get_nowait()
            except Empty:
                break
        self._queue.put(None)
        if self._model is not None:
            self._model.close()
        self._thread.join(timeout=1)
        if self._lines is not None:
            self._lines.close()

    def _run(self) -> None:
        while (asked := self._queue.get()) is not None:
            with self._lock:
                self._bytes -= asked.size
            try:
                result = self._compared(asked)
            except Exception as error:  # whatever it is, the next request is compared, and answers go on
                log.error("shadow failed", request_id=asked.request_id, error=where(error))
                self._crashed()
                result = "failed"
            metrics.SHADOW.labels(result=result).inc()

    def _compared(self, asked: Asked) -> str:
        target = self._target()
        if target is None:
            return "no_challenger"
        if all(answer["model_version"] == target.version for answer in asked.answers):
            return "same_model"
        model = self._started(target)
        answers = model.answers(asked)
        if answers is None:
            return "failed"
        pairs = [
            Pair(str(one["account_id"]), asked.as_of, Side.of(one), Side.of(other))
            for one, other in zip(asked.answers, answers, strict=True)
        ]
        metrics.observe_pairs(pairs)
        if self._lines is not None:
            self._lines.append(pair.to_line() for pair in pairs)
        return "compared"

    def _target(self) -> Target | None:
        """The challenger; ``None`` where there is none, or where it failed and the alias has not moved since."""
        try:
            target = read_target(self._registry, CHALLENGER)
        except BundleError:
            return None
        return None if target == self._failed else target

    def _started(self, target: Target) -> Model:
        if self._model is None or self._model.target != target:
            self._gone()
            self._failed = target
            self._model = self._start(target)
            self._failed = None
            log.info("shadow", model_version=target.version)
        return self._model

    def _crashed(self) -> None:
        """Starts it again with the next request, but not one that goes on crashing."""
        self._crashes += 1
        if self._model is not None and self._crashes % MOST_CRASHES == 0:
            self._failed = self._model.target
        self._gone()

    def _gone(self) -> None:
        if self._model is not None:
            self._model.close()
        self._model = None


def shadow_of(environ: Mapping[str, str], *, registry: Path, log_folder: Path | None) -> Shadow:
    """The shadow that the settings ask for; a ``ConfigError`` where its log cannot be written."""
    try:
        lines = DailyLines(log_folder, "shadow") if log_folder else None
    except OSError as error:
        raise ConfigError(
            f"cannot write the shadow's log to {log_folder} ({error.strerror}); name another folder in "
            "ACERTO_SHADOW_LOG, or leave it out"
        ) from error
    return Shadow(registry, lines=lines, start=lambda target: Model(target, environ=environ))
