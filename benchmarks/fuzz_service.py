"""A service with keys on an empty store, in processes of its own, for requests that mean it no good."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
from soak_drain import free_port

from serving import launch
from serving.access.tokens import StoredKey
from serving.store import Store
from serving.store.opening import sqlite_url

READY_S = 180


@dataclass(frozen=True, slots=True)
class Guarded:
    """Where it answers, a key that may all, and its one worker."""

    url: str
    token: str
    worker: psutil.Process


def key_in(url: str) -> str:
    """A key of a store that may ask everything; always the same one, so that a request is made again byte for byte."""
    key_id, secret = "f" * 16, "A" * 43
    kept = StoredKey(
        key_id, "default", frozenset({"admin"}), hashlib.sha256(secret.encode()).hexdigest(), datetime.now(UTC)
    )
    store = Store.open(url)
    store.add_key(kept)
    store.close()
    return f"acerto_{key_id}_{secret}"


@contextmanager
def guarded(bundle: Path, folder: Path, *, configs: Path) -> Iterator[Guarded]:
    """Serves a bundle as ``acerto serve`` does, for as long as the block lasts; its store and log are in ``folder``."""
    store = sqlite_url(folder / "fuzz.db")
    environ = {
        **os.environ, "ACERTO_BUNDLE": str(bundle), "ACERTO_CONFIGS": str(configs), "ACERTO_DATABASE_URL": store,
        "ACERTO_INSECURE": "0", "ACERTO_RATE_LIMIT": "10000000/minute", "ACERTO_DRAIN_S": "0",
        "ACERTO_MLRUNS": str(folder), "ACERTO_REPORTS": "",
    }  # fmt: skip
    token = key_in(store)
    running = launch.start(port=free_port(), environ=environ, log=folder / "log")
    try:
        running.wait_until_ready(READY_S)
        yield Guarded(running.url, token, _worker(running.url))
    finally:
        running.stop()


def _worker(url: str) -> psutil.Process:
    """The process that answers; its supervisor holds the socket too, and answers nobody."""
    port = int(url.rpartition(":")[2])
    found = [
        process
        for process in psutil.Process().children(recursive=True)
        if any(link.laddr and link.laddr.port == port for link in process.net_connections("tcp"))
    ]
    return max(found, key=lambda process: len(process.parents()))
