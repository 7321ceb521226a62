from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from serving.store.chain import Break, Head, Link, Payload, breaks, linked
from serving.store.decision_log import (
    Record,
    append_decisions,
    append_erasure,
    breaks_of,
    decision_of,
    entries_of,
)
from serving.store.opening import reading, writing

TENANT = "default"


def record(number: int = 1, **content: Any) -> Record:
    said = {"number": number, **content}
    return Record.of(f"id{number}", f"a{number}", f"d{number}", 1_000 + number, content=said)


def append(engine: Engine, *records: Record, tenant: str = TENANT, now_us: int = 5) -> int:
    with writing(engine) as connection:
        return sum(append_decisions(connection, records, tenant=tenant, now_us=now_us))


def broken(engine: Engine, tenant: str = TENANT) -> list[Break]:
    with reading(engine) as connection:
        return list(breaks_of(connection, tenant))


def kept(engine: Engine, decision_id: str, tenant: str = TENANT) -> Any:
    with reading(engine) as connection:
        return decision_of(connection, decision_id, tenant=tenant)


def test_a_decision_comes_back_as_it_was_recorded(engine: Engine) -> None:
    append(engine, record(text="ação\x00", p=0.1 + 0.2))
    assert kept(engine, "id1").content == {"number": 1, "text": "ação\x00", "p": 0.1 + 0.2}


def test_the_same_decision_again_counts_once(engine: Engine) -> None:
    assert append(engine, record(), record(2)) == 2
    assert append(engine, record(), record(2)) == 0


def test_the_same_decision_twice_in_one_transaction_counts_once(engine: Engine) -> None:
    assert append(engine, record(), record(), record(said=1), record()) == 3


def test_a_decision_that_says_something_else_is_a_further_entry_and_the_latest_counts(engine: Engine) -> None:
    append(engine, record(said=1))
    assert append(engine, record(said=2)) == 1
    assert kept(engine, "id1").content["said"] == 2
    with reading(engine) as connection:
        assert len(list(entries_of(connection, TENANT))) == 2


def test_entries_are_recorded_one_after_another_whatever_the_clock_says(engine: Engine) -> None:
    append(engine, record(1), record(2), now_us=100)
    append(engine, record(3), now_us=50)
    with reading(engine) as connection:
        assert [link.recorded_at for link, _ in entries_of(connection, TENANT)] == [100, 101, 102]
    assert broken(engine) == []


def test_creditors_have_chains_of_their_own(engine: Engine) -> None:
    append(engine, record(), tenant="one")
    assert kept(engine, "id1", tenant="two") is None
    append(engine, record(), tenant="two")
    assert broken(engine, "one") == broken(engine, "two") == []


def test_more_than_a_page_of_entries_is_read_in_order(engine: Engine) -> None:
    append(engine, *(record(number) for number in range(2_100)))
    with reading(engine) as connection:
        assert [link.sequence for link, _ in entries_of(connection, TENANT)] == list(range(1, 2_101))
    assert broken(engine) == []


def test_what_was_erased_is_gone_and_the_chain_holds(engine: Engine) -> None:
    append(engine, record(1), record(2), record(3))
    with writing(engine) as connection:
        append_erasure(connection, [1, 3], tenant=TENANT, now_us=9)
    append(engine, record(4))
    assert kept(engine, "id1").content is None
    assert kept(engine, "id2").content is not None
    assert broken(engine) == []


def test_a_payload_deleted_without_an_erasure_is_missed(engine: Engine) -> None:
    append(engine, record(1), record(2))
    with writing(engine) as connection:
        connection.execute(text("DELETE FROM decision_payloads WHERE sequence = 1"))
    assert broken(engine) == [Break(1, "the payload is gone, and no erasure says so")]


COLUMNS = {
    "decision_log": ("tenant", "sequence", "kind", "decision_id", "recorded_at", "payload_digest", "previous",
                     "digest"),
    "decision_payloads": ("tenant", "sequence", "account_id", "debtor_id", "decided_at", "salt", "payload"),
    "decision_heads": ("tenant", "sequence", "recorded_at", "digest"),
}  # fmt: skip
PLACES = [(table, column) for table, columns in COLUMNS.items() for column in columns]


@pytest.mark.parametrize("place", PLACES, ids=".".join)
def test_a_change_of_any_column_of_the_database_is_found(engine: Engine, place: tuple[str, str]) -> None:
    append(engine, *(record(number) for number in range(1, 5)))
    table, column = place
    last = f"FROM {table} WHERE sequence = 4"
    with reading(engine) as connection:
        value = connection.execute(text(f"SELECT {column} {last}")).scalar_one()
    changed = value + 1 if isinstance(value, int) else _flipped(value, 0)
    tamper(engine, f"UPDATE {table} SET {column} = ? WHERE sequence = 4", changed)
    assert broken(engine) + broken(engine, _flipped(TENANT, 0)) != []


def tamper(engine: Engine, statement: str, value: Any) -> None:
    """Changes what no program of ours would, as whoever owns the database can."""
    if engine.dialect.name == "sqlite":
        with contextlib.closing(sqlite3.connect(engine.url.database or "")) as owner, owner:
            owner.execute(statement, (value,))
        return
    with engine.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.exec_driver_sql(statement.replace("?", "%s"), (value,))


def _flipped(value: Any, position: int) -> Any:
    """The value with one character or byte changed."""
    if isinstance(value, str):
        return value[:position] + chr(ord(value[position]) ^ 1) + value[position + 1 :]
    raw = bytearray(value)
    raw[position] ^= 1
    return bytes(raw)


# What holds for every chain and every change of it, without a database.


@st.composite
def chains(draw: st.DrawFn) -> tuple[list[tuple[Link, Payload | None]], Head]:
    entries: list[tuple[Link, Payload | None]] = []
    head = Head()
    for number in range(draw(st.integers(1, 6))):
        said, some_salt = draw(st.binary(max_size=8)), draw(st.binary(max_size=3))
        payload = Payload(f"a{number}", draw(st.sampled_from([None, "d"])), number, said, some_salt)
        link = linked(head, payload, tenant=TENANT, kind="decision", decision_id=f"id{number}", recorded_at=number)
        head = Head(link.sequence, link.recorded_at, link.digest)
        entries.append((link, payload))
    return entries, head


@given(chain=chains())
def test_a_chain_that_nobody_touched_holds(chain: Any) -> None:
    assert list(breaks(TENANT, *chain)) == []


@given(chain=chains(), data=st.data())
def test_a_removed_entry_is_found(chain: Any, data: st.DataObject) -> None:
    entries, head = chain
    place = data.draw(st.integers(0, len(entries) - 1))
    assert list(breaks(TENANT, entries[:place] + entries[place + 1 :], head))


@given(chain=chains(), data=st.data())
def test_a_cut_off_end_is_found(chain: Any, data: st.DataObject) -> None:
    entries, head = chain
    assert list(breaks(TENANT, entries[: data.draw(st.integers(0, len(entries) - 1))], head))


@given(chain=chains(), data=st.data())
def test_another_order_is_found(chain: Any, data: st.DataObject) -> None:
    entries, head = chain
    order = data.draw(st.permutations(range(len(entries))))
    assert bool(list(breaks(TENANT, [entries[place] for place in order], head))) == (list(order) != sorted(order))


@given(chain=chains(), data=st.data())
def test_an_entry_that_is_put_in_or_repeated_is_found(chain: Any, data: st.DataObject) -> None:
    entries, head = chain
    place = data.draw(st.integers(0, len(entries)))
    put_in = data.draw(st.sampled_from(entries + data.draw(chains())[0]))
    assert list(breaks(TENANT, [*entries[:place], put_in, *entries[place:]], head))


@given(chain=chains(), data=st.data())
def test_payloads_that_change_places_are_found(chain: Any, data: st.DataObject) -> None:
    entries, head = chain
    order = data.draw(st.permutations(range(len(entries))))
    moved = [(link, entries[place][1]) for (link, _), place in zip(entries, order, strict=True)]
    assert bool(list(breaks(TENANT, moved, head))) == (list(order) != sorted(order))


@settings(max_examples=400)
@given(chain=chains(), data=st.data())
def test_any_change_of_one_byte_of_any_field_is_found(chain: Any, data: st.DataObject) -> None:
    entries, head = chain
    place = data.draw(st.integers(0, len(entries) - 1))
    which = data.draw(st.sampled_from([0, 1]))
    part = entries[place][which]
    name = data.draw(st.sampled_from(type(part).__slots__))
    changed = _replaced(part, name, _changed(getattr(part, name), data))
    pair = (changed, entries[place][1]) if which == 0 else (entries[place][0], changed)
    assert list(breaks(TENANT, [*entries[:place], pair, *entries[place + 1 :]], head))


@given(chain=chains(), data=st.data())
def test_a_change_of_the_head_is_found(chain: Any, data: st.DataObject) -> None:
    entries, head = chain
    name = data.draw(st.sampled_from(Head.__slots__))
    assert list(breaks(TENANT, entries, _replaced(head, name, _changed(getattr(head, name), data))))


def _replaced(part: Any, name: str, value: Any) -> Any:
    return type(part)(**{field: getattr(part, field) for field in type(part).__slots__} | {name: value})


def _changed(value: Any, data: st.DataObject) -> Any:
    """Another value: one byte or character flipped, one more or less, or nothing."""
    if isinstance(value, int):
        return value + data.draw(st.sampled_from([-1, 1, 1 << 20]))
    if value is None:
        return ""
    empty = value[:0]
    if not value:
        return "x" if isinstance(value, str) else b"x"
    place = data.draw(st.integers(0, len(value) - 1))
    more = value + value[-1:]
    return data.draw(st.sampled_from([_flipped(value, place), value[:place] + value[place + 1 :], more, empty]))
