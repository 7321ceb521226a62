"""A service on a disk that fails while it runs: what it answers meanwhile, and what is there after it was killed.

    python benchmarks/soak_disk.py [--times 5]

A child serves ``POST /v1/events`` over a SQLite file, and clients store rows without a pause. Then the disk fails in
one way (``failing_disk.py``), works again, fails once more, and the child is killed with SIGKILL while it does. The
file is opened by a process whose disk works, and every row that was acknowledged is looked for. Exit code 1 where one
is lost, an answer is neither 200 nor a 503 that says when to come again, or the service does not recover by itself.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from failing_disk import FAULTS, SLOW, FailingDisk
from soak_clients import Asking
from soak_drain import free_port
from sqlalchemy import select

from domain.config import load_section
from features.config import FeaturesConfig
from serving.app import create_app
from serving.schemas import build_schemas
from serving.settings import Limits
from serving.store import Store
from serving.store.opening import open_database, reading, sqlite_url
from serving.store.schema import LEDGER_ROWS

ROOT = Path(__file__).parents[1]
CLIENTS = 4
_ENOUGH = 6
_PATIENCE_S = 60.0
_HEADERS = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Fault:
    """What a service answered while its disk failed, and once it worked again.

    ``during`` counts statuses, ``met`` how often the fault was met; ``recovered`` is whether it answered 200 by itself.
    """

    fault: str
    during: Counter[str]
    met: int
    recovered: bool

    @property
    def right(self) -> bool:
        """Whether what could not be written was refused, and nothing else; a slow disk refuses nobody."""
        expected = "200" if self.fault == SLOW else "503"
        return bool(self.met and self.during[expected] and self.during.keys() <= {"200", expected} and self.recovered)


@dataclass(frozen=True, slots=True)
class Found:
    """What came of all faults: how many rows were ``acknowledged``, and which of those are ``lost``.

    ``without`` counts answers of 503 that do not say when to come again.
    """

    faults: list[Fault]
    acknowledged: int
    lost: int
    without: int

    @property
    def right(self) -> bool:
        """Whether nothing was lost, and each answer was true."""
        return not self.lost + self.without and all(fault.right for fault in self.faults)


class Rows(Asking):
    """Clients that store a row each, again and again; ``none`` is a request without an answer."""

    def __init__(self, port: int) -> None:
        super().__init__([self._send] * CLIENTS)
        self._port, self._numbers = port, count()
        self.acknowledged: set[str] = set()
        self.statuses: Counter[str] = Counter()
        self.without = 0

    def since(self, then: Counter[str]) -> Counter[str]:
        """The statuses that came after ``then``."""
        with self._lock:
            return self.statuses - then

    def seen(self) -> Counter[str]:
        """The statuses so far."""
        with self._lock:
            return Counter(self.statuses)

    def _send(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                name = f"p{next(self._numbers)}"
            status, again = self._one(name)
            with self._lock:
                self.statuses[status] += 1
                self.without += status == "503" and again is None
                if status == "200":
                    self.acknowledged.add(name)
            if status != "200":
                time.sleep(0.02)  # a service that refuses at once would be asked thousands of times

    def _one(self, name: str) -> tuple[str, str | None]:
        row = {"payment_id": name, "account_id": name, "amount": 10.5, "occurred_at": "2026-01-20T10:00:00Z"}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            connection.request("POST", "/v1/events", json.dumps({"table": "payments", "rows": [row]}), _HEADERS)
            answer = connection.getresponse()
            answer.read()
            return str(answer.status), answer.getheader("Retry-After")
        except (OSError, http.client.HTTPException):
            return "none", None
        finally:
            connection.close()


def fails(faults: Iterable[str], work: Path) -> Found:
    """Has a service's disk fail in some ways one after another, and kills it while it fails in the last once more."""
    folder = work / "store"
    folder.mkdir()
    url, port, disk = sqlite_url(folder / "acerto.db"), free_port(), FailingDisk(folder, work=work)
    environ = {**os.environ, **disk.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--child", url, "--port", str(port)]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            with Rows(port) as rows:
                _until(lambda: rows.seen()["200"] >= _ENOUGH)
                found = [_failed(fault, disk, rows) for fault in faults]
                _fail(found[-1].fault, disk, rows)
                child.send_signal(signal.SIGKILL)
                child.wait()
        finally:
            child.kill()
            disk.close()
    return Found(found, len(rows.acknowledged), len(rows.acknowledged - _stored(url)), rows.without)


def _failed(fault: str, disk: FailingDisk, rows: Rows) -> Fault:
    before = rows.seen()
    _fail(fault, disk, rows)
    met, during = disk.met, rows.since(before)
    disk.fail(None)
    healed = rows.seen()
    recovered = _until(lambda: rows.since(healed)["200"] >= _ENOUGH)
    return Fault(fault, during, met, recovered)


def _fail(fault: str, disk: FailingDisk, rows: Rows) -> None:
    """Has the disk fail until enough requests have met it."""
    before, expected = rows.seen(), "200" if fault == SLOW else "503"
    disk.fail(fault)
    _until(lambda: rows.since(before)[expected] >= _ENOUGH and disk.met > 1)


def _until(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + _PATIENCE_S
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    return true()


def _stored(url: str) -> set[str]:
    engine = open_database(url)
    with reading(engine) as connection:
        found = set(connection.execute(select(LEDGER_ROWS.c.row_id)).scalars())
    engine.dispose()
    return found


def serve(url: str, port: int) -> None:
    """The child: stores rows until it is killed."""
    import uvicorn

    schemas = build_schemas(load_section(ROOT / "configs" / "features.yaml", FeaturesConfig).attributes)
    app = create_app(schemas, open_store=lambda: Store.open(url), limits=Limits(rate="1000000/minute"))
    uvicorn.run(app, port=port, log_level="error")


def main() -> int:
    """Prints what came of each fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--child")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    if given.child:
        serve(given.child, given.port)
        return 0
    wrong = 0
    for fault in FAULTS:
        for _ in range(given.times):
            with tempfile.TemporaryDirectory() as folder:
                found = fails([fault], Path(folder))
            print(found, flush=True)
            wrong += not found.right
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
