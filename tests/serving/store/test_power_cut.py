"""Power cuts: whatever SQLite had not synced is lost in part, and nothing that was acknowledged may be."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlite_disk
from sqlalchemy import event

from serving.store import Record, Store, stored_row
from serving.store.opening import open_database, sqlite_url

CUTS = 300
pytestmark = pytest.mark.skipif(not sqlite_disk.is_there(), reason="this Python hides SQLite's own functions")


def history(folder: Path, *, pragma: str | None = None) -> sqlite_disk.Disk:
    """What a busy store does to its disk: rows and decisions from many futures, each acknowledged as it is written."""
    with sqlite_disk.recorded() as disk:
        database = open_database(sqlite_url(folder / "acerto.db"))

        @event.listens_for(database, "checkout")
        def busy(raw: Any, *_: object) -> None:
            # Pages move from the log to the database again and again.
            raw.execute("PRAGMA wal_autocheckpoint=20").close()
            if pragma:
                raw.execute(f"PRAGMA {pragma}").close()

        store = Store(database)
        disk.say("opened")
        for number in range(60):
            told: Callable[[Any], None] = lambda _, number=number: disk.say(number)  # noqa: E731
            row = {"payment_id": f"p{number}", "account_id": "a", "amount": number, "occurred_at": number}
            if number % 2:
                done = store.append({"payments": [stored_row("payments", row)]}, tenant="default")
            else:
                done = store.record([Record.of(str(number), "a", "a", 1, content={"x": "y" * 200})], tenant="default")  # type: ignore[assignment]
            done.add_done_callback(told)
            if number % 7 == 0:
                done.result(10)
        store.close()
    return disk


def kept(database: Path) -> set[int]:
    """Numbers of the writes that a database holds; it is opened as after a crash."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = [int(row_id[1:]) for (row_id,) in connection.execute("SELECT row_id FROM ledger_rows")]
        decisions = [int(name) for (name,) in connection.execute("SELECT decision_id FROM decision_log")]
    assert len(rows) + len(decisions) == len({*rows, *decisions})
    return {*rows, *decisions}


def lost(disk: sqlite_disk.Disk, folder: Path) -> list[int]:
    """How many acknowledged writes are gone after each of many power cuts."""
    rng = random.Random(7)
    start = next(place for place, note in enumerate(disk.notes) if note.said == "opened")
    found = []
    for number in range(CUTS):
        point = rng.randint(start + 1, len(disk.notes))
        acknowledged = {note.said for note in disk.notes[start + 1 : point] if note.what == "said"}
        database = sqlite_disk.put(disk.after_power_cut(point, rng=rng), folder / str(number))
        try:
            found.append(len(acknowledged - kept(database)))
        except (sqlite3.DatabaseError, AssertionError):
            found.append(max(1, len(acknowledged)))  # a database that cannot be read has lost everything
    return found


def test_no_power_cut_loses_what_was_acknowledged(tmp_path: Path) -> None:
    disk = history(tmp_path)
    assert sum(note.what == "sync" for note in disk.notes) > 10
    assert lost(disk, tmp_path) == [0] * CUTS


def test_nothing_is_acknowledged_before_it_is_synced(tmp_path: Path) -> None:
    unsynced: set[str] = set()
    for note in history(tmp_path).notes:
        if note.what in ("write", "truncate") and note.path.endswith("-wal"):
            unsynced.add(note.path)
        elif note.what == "sync":
            unsynced.discard(note.path)
        elif isinstance(note.said, int):
            assert not unsynced


def test_a_store_that_does_not_sync_is_found_out(tmp_path: Path) -> None:
    assert sum(lost(history(tmp_path, pragma="synchronous=OFF"), tmp_path)) > 0
