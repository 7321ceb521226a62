"""Kills the store in the middle of writing, again and again, and counts what was acknowledged and is gone.

    python benchmarks/soak_store.py [--cycles 200] [--writes 600] [--url sqlite:///…]

A child writes rows and decisions from several threads and tells each on a pipe once it is acknowledged; after so many
the parent kills it with SIGKILL, opens the store and looks. A killed process leaves what it wrote in the memory of the
system: this finds torn transactions and acknowledgements that came too early within the process, and says nothing of a
power cut, for which there is tests/serving/store/test_power_cut.py.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from serving.store import Record, Store, stored_row
from serving.store.ledger import chunks
from serving.store.opening import open_database, reading, sqlite_url
from serving.store.schema import DECISION_LOG, LEDGER_ROWS

TENANT = "default"
ROOT = Path(__file__).parents[1]
_THREADS = 4
_AHEAD = 16
_CHAIN_EVERY = 20


@dataclass
class Found:
    """What the cycles came to: writes that were acknowledged, those of them that are gone, and what stands twice."""

    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    breaks: int = 0


def write_for_ever(url: str, cycle: int) -> None:
    """The child: writes until it is killed, and tells what was acknowledged, a line each."""
    store = Store.open(url)

    def one(name: str, number: int) -> Future[Any]:
        if number % 2:
            return store.record([Record.of(name, name, name, number, content={"text": "x" * 300})], tenant=TENANT)
        row = {"payment_id": name, "account_id": name, "amount": number, "occurred_at": number}
        return store.append({"payments": [stored_row("payments", row)]}, tenant=TENANT)

    def work(who: int) -> None:
        ahead: deque[tuple[str, Future[Any]]] = deque()
        number = 0
        while True:
            name = f"{cycle}-{who}-{number}"
            ahead.append((name, one(name, number)))
            number += 1
            if len(ahead) > _AHEAD:
                told, done = ahead.popleft()
                done.result()
                os.write(1, f"{told}\n".encode())  # one write for each line, so that none is torn

    for who in range(_THREADS):
        threading.Thread(target=work, args=(who,)).start()


def cycle(url: str, number: int, *, writes: int) -> list[str]:
    """Starts a child, kills it once so many writes are acknowledged, and gives their names."""
    command = [sys.executable, __file__, "--child", url, "--cycle", str(number)]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environ, text=True) as child:
        assert child.stdout is not None
        told = [line.rstrip("\n") for line, _ in zip(child.stdout, range(writes), strict=False)]
        child.send_signal(signal.SIGKILL)
        # What it had told before it died is still in the pipe.
        told += [line.rstrip("\n") for line in child.stdout if line.endswith("\n")]
    if len(told) < writes:
        raise RuntimeError(f"found {len(told)} acknowledged writes, needed {writes}: the child ended by itself")
    return told


def soak(url: str, *, cycles: int, writes: int) -> Iterator[Found]:
    """What the cycles came to so far, after each of them; the chain is checked now and then, and at the end."""
    found = Found()
    for number in range(cycles):
        told = cycle(url, number, writes=writes)
        store = Store.open(url)
        with reading(store.engine) as connection:
            counts = _counts(connection, told)
        found.acknowledged += len(told)
        found.lost += len(set(told) - counts.keys())
        found.doubled += sum(count - 1 for count in counts.values())
        if number % _CHAIN_EVERY == _CHAIN_EVERY - 1 or number == cycles - 1:
            found.breaks += len(store.verify(tenant=TENANT)[1])
        store.close()
        yield found


def _counts(connection: Connection, names: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for column in (LEDGER_ROWS.c.row_id, DECISION_LOG.c.decision_id):
        for some in chunks(names):
            asked = select(column, func.count()).where(column.in_(some)).group_by(column)
            counts |= {name: int(count) for name, count in connection.execute(asked)}
    return counts


def main() -> None:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cycles", type=int, default=200)
    options.add_argument("--writes", type=int, default=600)
    options.add_argument("--url")
    options.add_argument("--child")
    options.add_argument("--cycle", type=int, default=0)
    asked = options.parse_args()
    if asked.child:
        write_for_ever(asked.child, asked.cycle)
        return
    with tempfile.TemporaryDirectory() as folder:
        url = asked.url or sqlite_url(Path(folder) / "acerto.db")
        open_database(url).dispose()
        began, found = time.perf_counter(), Found()
        for number, found in enumerate(soak(url, cycles=asked.cycles, writes=asked.writes), start=1):
            if number % 10 == 0 or number == asked.cycles:
                print(f"{number} kills, {time.perf_counter() - began:.0f} s: {found}", flush=True)
    sys.exit(1 if found.lost or found.doubled or found.breaks else 0)


if __name__ == "__main__":
    main()
