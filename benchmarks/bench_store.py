"""How many decisions a second the store keeps, durably, by how many wait at a time; and the time to check its chain.

python benchmarks/bench_store.py [--url postgresql://…] [--kilobytes 10] [--days]

With --days each decision also uses one message of a day, as where the service decides by prices.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from scratch_prices import LIMITS, limited, price_list

from decisioning.allocation.day_book import DayBook, Use
from decisioning.desk import load_desk
from serving.store import DayChange, Record, Store
from serving.store.opening import sqlite_url

TENANT = "default"
ROUNDS = ((1, 300), (32, 3_000), (64, 6_000))


def day_changes(folder: Path) -> list[DayChange]:
    """What one message changes of a day without an end of messages."""
    desk = load_desk(limited(folder / "configs", LIMITS))
    begun = DayBook.opened(price_list(desk), desk.catalogue.actions)
    by_arm = np.zeros_like(begun.book.by_arm)
    by_arm[0, 0] = 1.0

    def after(content: str | None) -> str:
        day = begun if content is None else begun.restored(content)
        day.lacking(Use(by_arm, 1))
        return day.after(Use(by_arm, 1)).content(content)

    return [DayChange(1, after)]


def run(store: Store, *, ahead: int, decisions: int, content: dict[str, Any], days: list[DayChange]) -> str:
    """Decisions a second, and how long each waited, with so many on their way at a time."""
    room, waited = threading.Semaphore(ahead), list[float]()
    began, last = time.perf_counter(), None
    for number in range(decisions):
        room.acquire()
        sent = time.perf_counter()
        record = Record.of(f"{ahead}-{number}", f"a{number}", "d", 1, content=content)
        last = store.submit(store.records_write([record], tenant=TENANT, days=days))

        def acknowledged(_: object, sent: float = sent) -> None:
            waited.append(time.perf_counter() - sent)
            room.release()

        last.add_done_callback(acknowledged)
    for _ in range(ahead):
        room.acquire()
    rate = decisions / (time.perf_counter() - began)
    half, most = np.percentile(np.array(waited) * 1e3, [50, 99])
    return f"{ahead:3d} at a time: {rate:6.0f} decisions a second, p50 {half:5.1f} ms, p99 {most:6.1f} ms"


def main() -> None:
    """The command line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--url")
    options.add_argument("--kilobytes", type=int, default=10)
    options.add_argument("--days", action="store_true")
    asked = options.parse_args()
    probs = [{"action": f"channel/offer{number}/moment", "action_prob": number / 1e3} for number in range(40)]
    content = {"answer": {"text": "refused " * (125 * asked.kilobytes)}, "action_probs": probs}
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(asked.url or sqlite_url(Path(folder) / "acerto.db"))
        days = day_changes(Path(folder)) if asked.days else []
        for ahead, decisions in ROUNDS:
            print(run(store, ahead=ahead, decisions=decisions, content=content, days=days), flush=True)
        began = time.perf_counter()
        head, breaks = store.verify(tenant=TENANT)
        print(f"chain of {head.sequence}: {len(breaks)} breaks, {time.perf_counter() - began:.2f} s")
        store.close()


if __name__ == "__main__":
    main()
