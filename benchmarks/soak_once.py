"""Requests with keys, each sent several times at once, some of them altered, and the service killed in the middle.

    python benchmarks/soak_once.py [--keys 10000] [--repeats 5] [--clients 8] [--bundle DIR] [--configs configs]

Half of the keys store a payment, the others decide on an account as of now: a second effect would be one row or entry
more, and a second computation another moment. Every tenth request is altered under the same key. When half of the
requests are answered every process of the service is killed with SIGKILL, and started again on the same store; clients
go on by the retries of ``serving.client``. Exit code 1 where a key had two effects or none, or two answers.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
from scratch_registry import newest
from soak_clients import body as decision_body
from soak_drain import free_port
from sqlalchemy import func, select

from serving import launch
from serving.client import Client, Retries
from serving.client_refusals import UnfitError
from serving.store import Store
from serving.store.opening import reading, sqlite_url
from serving.store.schema import DECISION_LOG, IDEMPOTENCY_KEYS, LEDGER_ROWS

Job = tuple[int, int]
PATIENT = Retries(most=120, first_s=0.05, longest_s=1.0)
WHEN = "2026-01-20T10:00:00Z"


def altered(job: Job) -> bool:
    """Whether this repeat has another body; about one in ten, also the first of some keys."""
    return (job[0] * 7 + job[1] * 3) % 10 == 0


def send(client: Client, job: Job) -> Any:
    """The answer to one request, or ``None`` where its key was another request's."""
    number = job[0] + (10_000_000 if altered(job) else 0)
    key = f"soak-once-{job[0]}"
    try:
        if job[0] % 2:
            row = {"payment_id": f"y{number}", "account_id": f"a{number}", "amount": 10.5, "occurred_at": WHEN}
            return client.events("payments", [row], idempotency_key=key)
        [account] = json.loads(decision_body(number))["accounts"]
        return client.decisions([account], idempotency_key=key)
    except UnfitError:
        return None


class Killed:
    """Services that are killed with all their processes, and started again, ``after`` so many requests are answered."""

    def __init__(self, environ: dict[str, str], *, after: Collection[int], log: Path, services: int = 1) -> None:
        self._environ, self._after, self._log = environ, after, log
        self._answered, self._lock = 0, threading.Lock()
        self._ports = [free_port() for _ in range(services)]
        self.kills = 0
        self.running = self._start()

    def _start(self) -> list[launch.Running]:
        found = [launch.start(port=port, environ=self._environ, log=self._log) for port in self._ports]
        for one in found:
            one.wait_until_ready(300)
        return found

    def stop(self) -> None:
        """Ends them."""
        for one in self.running:
            one.stop()

    def answered(self) -> None:
        """Counts one answer; those that are due kill the services, while the others' requests are under way."""
        with self._lock:
            self._answered += 1
            due = self._answered in self._after
        if due:
            processes = psutil.Process().children(recursive=True)
            for process in processes:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            # The port is theirs until the last of them is gone.
            psutil.wait_procs(processes, timeout=30)
            for one in self.running:
                one.stop()
            self.kills += 1
            self.running = self._start()


def soak(environ: dict[str, str], folder: Path, *, keys: int, repeats: int = 5, clients: int = 8) -> dict[str, Any]:
    """Sends all, and tells what came of it.

    Returns
    -------
    ``effects`` rows and entries that are stored, of ``keys``, and ``kept`` answers; ``two_answers`` keys of which
    repeats of the same body were answered differently, or of both bodies; ``unanswered`` keys without an answer;
    ``refused`` altered requests that were told so
    """
    url = sqlite_url(folder / "once.db")
    service = Killed({**environ, "ACERTO_DATABASE_URL": url}, after={keys * repeats // 2}, log=folder / "log")
    jobs = [(number, repeat) for number in range(keys) for repeat in range(repeats)]
    try:
        with Client(service.running[0].url, retries=PATIENT) as client, ThreadPoolExecutor(clients) as pool:
            found = dict(zip(jobs, pool.map(_counted(client, service), jobs), strict=True))
    finally:
        service.stop()
    told = {"kills": service.kills, "refused": sum(answer is None for answer in found.values())}
    return {**told, **_faults(found, keys=keys, repeats=repeats), **_stored(url)}


def _counted(client: Client, service: Killed) -> Callable[[Job], Any]:
    def one(job: Job) -> Any:
        answer = send(client, job)
        service.answered()
        return answer

    return one


def _faults(found: dict[Job, Any], *, keys: int, repeats: int) -> dict[str, int]:
    faults = Counter(two_answers=0, unanswered=0)
    for number in range(keys):
        answers = {job: found[job] for job in ((number, repeat) for repeat in range(repeats))}
        taken = {altered(job) for job, answer in answers.items() if answer is not None}
        texts = {answer.model_dump_json() for answer in answers.values() if answer is not None}
        # Every repeat of the body that was taken is answered, and alike; no repeat of the other one is.
        same = all((answer is not None) == (altered(job) in taken) for job, answer in answers.items())
        faults["unanswered"] += not taken
        faults["two_answers"] += len(taken) > 1 or len(texts) > 1 or not same
    return dict(faults)


def _stored(url: str) -> dict[str, int]:
    store = Store.open(url)
    with reading(store.engine) as connection:

        def rows(table: Any) -> int:
            return int(connection.execute(select(func.count()).select_from(table)).scalar_one())

        effects, kept = rows(LEDGER_ROWS) + rows(DECISION_LOG), rows(IDEMPOTENCY_KEYS)
    breaks = len(store.verify(tenant="default")[1])
    store.close()
    return {"effects": effects, "kept": kept, "breaks": breaks}


def right(found: dict[str, Any], *, keys: int) -> bool:
    """Whether each key had one effect and one answer, over a kill."""
    once = found["effects"] == found["kept"] == keys
    return bool(once and found["kills"] == 1 and not found["two_answers"] + found["unanswered"] + found["breaks"])


def _environ(given: argparse.Namespace) -> dict[str, str]:
    bundle = given.bundle or newest(Path("mlruns"))[-1]
    return {
        **os.environ, "ACERTO_BUNDLE": str(bundle), "ACERTO_CONFIGS": given.configs, "ACERTO_INSECURE": "1",
        "ACERTO_RATE_LIMIT": "1000000/minute",
    }  # fmt: skip


def main() -> int:
    """Prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--bundle")
    parser.add_argument("--configs", default="configs")
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = soak(_environ(given), Path(folder), keys=given.keys, repeats=given.repeats, clients=given.clients)
    print(f"{given.keys} keys, {given.repeats} times each, {time.monotonic() - began:.0f} s: {found}")
    return 0 if right(found, keys=given.keys) else 1


if __name__ == "__main__":
    sys.exit(main())
