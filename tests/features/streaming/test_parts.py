"""What validation by parts is made of: numbers for texts, rows put aside by key, the latest moments."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as hs

from domain.clock import MISSING
from domain.coded import coded
from domain.tables import TABLES
from features.findings import Finding, Portfolio
from features.gates.measuring import ends_of, sorted_within
from features.hashing import NOTHING, Numbering, Places, alike, hashes_of
from features.reading import LoadedTable, RowPlace
from features.reading_files import TableFiles
from features.streaming.latest import Latest
from features.streaming.latest import ends_of as ends_of_parts
from features.streaming.merging import Merged
from features.streaming.scattered import Room, Scattered, Sizes, parts_of

texts = hs.lists(hs.none() | hs.text(max_size=30))
keys = hs.lists(hs.integers(0, 20)).map(lambda found: np.array(found, dtype=np.uint64))


@given(texts)
def test_texts_have_one_number_where_they_are_equal_and_nothing_has_none(values):
    found = hashes_of(pa.array(values, pa.large_string())).tolist()
    number = dict(zip(values, found, strict=True))
    assert [number[value] for value in values] == found
    assert len(set(found)) == len(set(values))
    assert [one == NOTHING for one in found] == [value is None for value in values]


@given(texts, hs.integers(0, 5))
def test_a_slice_of_texts_has_the_numbers_of_the_whole(values, start):
    array = pa.array(values, pa.large_string())
    assert hashes_of(array.slice(start)).tolist() == hashes_of(array)[start:].tolist()


def test_ids_that_differ_in_few_places_have_numbers_of_their_own():
    ids = [f"{kind}{account:07d}-{row:04d}" for kind in "dcr" for account in range(400) for row in range(200)]
    assert len(np.unique(hashes_of(pa.array(ids, pa.large_string())))) == len(ids)


@given(keys)
def test_equal_keys_get_one_number_in_the_order_in_which_they_come(found):
    codes, count = alike(found)
    order = list(dict.fromkeys(found.tolist()))
    assert codes.tolist() == [order.index(key) for key in found.tolist()]
    assert count == len(order)


@given(hs.lists(keys, max_size=5))
def test_numbers_are_kept_from_call_to_call(pieces):
    numbering, known = Numbering(), dict[int, int]()
    for piece in pieces:
        expected = [-1 if key == 0 else known.setdefault(key, len(known)) for key in piece.tolist()]
        # Nothing takes a number as well, which nobody sees.
        assert [code >= 0 for code in numbering.codes_of(piece)] == [code >= 0 for code in expected]
    every = np.concatenate([*pieces, np.empty(0, np.uint64)])
    found = numbering.codes_of(every)
    assert len({*found[found >= 0].tolist()}) == len(known)
    assert all(len({*found[every == key].tolist()}) == 1 for key in np.unique(every))


def test_numbers_outlast_the_room_that_they_began_with():
    numbering, many = Numbering(), np.arange(1, 50_001, dtype=np.uint64)
    first = numbering.codes_of(many[:700])
    numbering.codes_of(many)
    assert numbering.codes_of(many[:700]).tolist() == first.tolist() == list(range(700))


@given(keys, keys)
def test_places_are_the_last_ones_of_a_key(there, asked):
    last = {key: place for place, key in enumerate(there.tolist())}
    assert Places(there).of(asked).tolist() == [last.get(key, -1) for key in asked.tolist()]


@given(hs.lists(keys, max_size=6), hs.integers(1, 4), hs.sampled_from([0, 100, 10_000]))
def test_parts_hold_every_row_once_in_the_order_in_which_they_came(pieces, parts, most_held):
    with TemporaryDirectory() as folder:
        room = Room(Path(folder), Sizes(parts, most_held=most_held))
        scattered, row, expected = Scattered(room, ("key", "row")), 0, dict[int, list[tuple[int, int]]]()
        for piece in pieces:
            rows = np.arange(row, row + len(piece))
            scattered.add(parts_of(piece, parts), piece, rows)
            for key, part, place in zip(piece.tolist(), parts_of(piece, parts).tolist(), rows.tolist(), strict=True):
                expected.setdefault(part, []).append((key, place))
            row += len(piece)
        for part in range(parts):
            found = scattered.part(part)
            assert (found.tolist() if found is not None else []) == expected.get(part, [])
        scattered.forget()
        assert (room.held, list(Path(folder).iterdir())) == (0, [])


moments = hs.lists(hs.integers(0, 60) | hs.just(MISSING), max_size=60)


@given(hs.lists(hs.tuples(moments, hs.integers(1, 5)), min_size=2, max_size=2), hs.integers(0, 60))
def test_the_end_of_the_data_is_that_of_all_moments_at_once(found, now):
    tables = {}
    for name, (values, _) in zip(("debts", "payments"), found, strict=True):
        data = {TABLES[name].id_column: coded(()), "occurred_at": np.array(values, dtype=np.int64)}
        files = TableFiles(name, "csv", (), name)
        tables[name] = LoadedTable(TABLES[name], files, data, (), frozenset(), (), np.empty(0, np.int64))
    latest = {}
    for name, (values, pieces) in zip(("debts", "payments"), found, strict=True):
        latest[name] = Latest(now, sum(len(one) for one, _ in found))
        latest[name].add(np.empty(0, dtype=np.int64))
        for piece in np.array_split(np.array(values, dtype=np.int64), pieces):
            latest[name].add(piece)
    assert ends_of_parts(latest, now_us=now) == ends_of(Portfolio(tables, {}, (), now))


@given(hs.lists(hs.tuples(hs.integers(0, 2**40), hs.integers(0, 2**30))))
def test_values_are_in_order_within_their_group_whatever_their_size(pairs):
    values, group = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    assert sorted_within(values, group).tolist() == [value for _, value in sorted((g, v) for v, g in pairs)]


def test_examples_of_all_pieces_are_the_smallest_ids_and_places_only_where_there_is_no_id():
    def finding(count: int, *examples: str) -> Finding:
        return Finding("note", "debts", "amount", "code", count, examples, "text")

    merged = Merged()
    for one in (finding(2, RowPlace("row 1"), RowPlace("row 2")), finding(3, RowPlace("row 7"), RowPlace("row 8"))):
        merged.add([one])
    assert merged.findings() == [finding(5, "row 1", "row 2", "row 7")]
    merged.add([finding(4, "d7", "d8", "d9"), finding(2, "d1", "row 9")])
    assert merged.findings() == [finding(11, "d1", "d7", "d8")]
