from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import OperationalError

from domain.errors import StoreError
from serving.store.opening import open_database, reading
from serving.store.writer import MOST_TOGETHER, Writer


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    found = Writer(engine)
    yield found
    found.close()


def add(connection: Connection, names: list[str]) -> list[str]:
    for name in names:
        connection.execute(text("INSERT INTO given_tables VALUES ('t', :name, 0)"), {"name": name})
    return names


def names(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return sorted(connection.execute(text("SELECT table_name FROM given_tables")).scalars())


def gathering(writer: Writer) -> threading.Event:
    """Keeps the writer busy until the event is set, so that what is submitted meanwhile waits together."""
    begun, allowed = threading.Event(), threading.Event()

    def wait(_: Connection, items: list[None]) -> list[None]:
        begun.set()
        assert allowed.wait(10)
        return items

    writer.submit(wait, None)
    assert begun.wait(10)
    return allowed


def failing_commits(engine: Engine, *, times: int) -> list[int]:
    """Has the next commits end in an error of the disk; the list holds how many are left to."""
    left = [times]

    @event.listens_for(engine, "commit")
    def fail(_: Connection) -> None:
        if left[0]:
            left[0] -= 1
            raise OperationalError("COMMIT", {}, OSError("disk I/O error"))

    return left


def test_what_is_acknowledged_is_there(engine: Engine, writer: Writer) -> None:
    assert writer.submit(add, "a").result(10) == "a"
    assert names(engine) == ["a"]


def test_what_waits_is_written_in_one_transaction(engine: Engine, writer: Writer) -> None:
    commits: list[Connection] = []
    event.listen(engine, "commit", commits.append)
    allowed = gathering(writer)
    waiting = [writer.submit(add, f"{number:03}") for number in range(MOST_TOGETHER + 1)]
    allowed.set()
    written = [done.result(10) for done in waiting]
    assert len(commits) == 3  # the one that was waited for, sixty-four, and the last
    assert written == names(engine)


def test_a_write_that_is_refused_undoes_itself_and_nobody_else(engine: Engine, writer: Writer) -> None:
    def checked(connection: Connection, names: list[str]) -> list[str]:
        add(connection, names)
        if "lost" in names:
            raise ValueError("no")
        return names

    allowed = gathering(writer)
    before, failed, after = (writer.submit(checked, name) for name in ("a", "lost", "b"))
    allowed.set()
    assert (before.result(10), after.result(10)) == ("a", "b")
    with pytest.raises(ValueError, match="no"):
        failed.result(10)
    assert names(engine) == ["a", "b"]


def test_a_row_that_the_database_refuses_hurts_nobody_else(engine: Engine, writer: Writer) -> None:
    allowed = gathering(writer)
    first, twice, last = (writer.submit(add, name) for name in ("a", "a", "b"))
    allowed.set()
    assert (first.result(10), last.result(10)) == ("a", "b")
    with pytest.raises(Exception, match=r"(?i)unique"):
        twice.result(10)


def test_nothing_of_a_failed_transaction_is_acknowledged_or_kept(engine: Engine, writer: Writer) -> None:
    allowed = gathering(writer)
    waiting = [writer.submit(add, name) for name in "abc"]
    failing_commits(engine, times=2)  # that of the one waited for, and theirs
    allowed.set()
    for done in waiting:
        with pytest.raises(StoreError, match="nothing was written"):
            done.result(10)
    assert names(engine) == []


def test_the_writer_outlives_a_failure(engine: Engine, writer: Writer) -> None:
    failing_commits(engine, times=1)
    with pytest.raises(StoreError):
        writer.submit(add, "a").result(10)
    assert writer.submit(add, "a").result(10) == "a"
    assert names(engine) == ["a"]


def test_beyond_its_queue_it_refuses_at_once(engine: Engine) -> None:
    writer = Writer(engine, most_waiting=2)
    allowed = gathering(writer)
    waiting = [writer.submit(add, name) for name in "ab"]
    with pytest.raises(StoreError, match="found 2 writes waiting"):
        writer.submit(add, "c")
    allowed.set()
    assert [done.result(10) for done in waiting] == ["a", "b"]
    writer.close()


def test_closing_writes_what_waits_and_takes_no_more(engine: Engine) -> None:
    writer = Writer(engine)
    allowed = gathering(writer)
    waiting = [writer.submit(add, name) for name in "ab"]
    closing = threading.Thread(target=writer.close)
    closing.start()
    allowed.set()
    closing.join(10)
    assert [done.result(0) for done in waiting] == ["a", "b"]
    with pytest.raises(StoreError, match="closed"):
        writer.submit(add, "c")
    writer.close()


def test_a_write_that_nobody_waits_for_any_more_is_left_out(engine: Engine, writer: Writer) -> None:
    allowed = gathering(writer)
    given_up, kept = writer.submit(add, "a"), writer.submit(add, "b")
    assert given_up.cancel()
    allowed.set()
    kept.result(10)
    assert names(engine) == ["b"]


def test_writers_of_several_processes_take_turns(engine: Engine, url: str) -> None:
    others = [open_database(url) for _ in range(3)]
    writers = [Writer(each) for each in (engine, *others)]
    waiting = [each.submit(add, f"{who}-{number:02}") for number in range(25) for who, each in enumerate(writers)]
    found = sorted(done.result(30) for done in waiting)
    assert found == names(engine)
    assert len(found) == 100
    for each in writers:
        each.close()
    for other in others:
        other.dispose()


def test_a_full_disk_refuses_what_does_not_fit_and_keeps_what_does(url: str) -> None:
    if not url.startswith("sqlite"):
        pytest.skip("a PostgreSQL server cannot be given a small disk here")
    engine = open_database(url)
    with reading(engine) as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar()

    @event.listens_for(engine, "checkout")
    def small(raw: Any, *_: object) -> None:
        raw.execute(f"PRAGMA max_page_count={pages + 20}").close()

    writer = Writer(engine)
    kept: list[str] = []
    with pytest.raises(StoreError, match="room"):
        for number in range(1_000):
            kept.append(writer.submit(add, f"{number:03}" + "x" * 1_000).result(10))
    assert 0 < len(kept) < 1_000
    assert names(engine) == kept
    # Deleting makes room, and the writer goes on.
    writer.submit(lambda connection, _: [connection.execute(text("DELETE FROM given_tables")).rowcount], 0).result(10)
    assert writer.submit(add, "small").result(10) == "small"
    writer.close()
    engine.dispose()
