"""Entries of the cache on disk: whole or not at all, bounded, and of no use once a byte differs."""

import os
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.caching.entries import Entries

KEYS = [f"step-{number:064x}" for number in range(6)]
CONTENT = b"what was computed, " * 20


def write(content=CONTENT):
    return lambda folder: (folder / "value.json").write_bytes(content)


def read(folder):
    return (folder / "value.json").read_bytes()


@pytest.fixture
def entries(tmp_path):
    return Entries(tmp_path / "cache", max_bytes=1 << 20)


def test_what_was_kept_is_loaded_and_nothing_else(entries):
    entries.keep(KEYS[0], write())
    assert entries.load(KEYS[0], read) == (CONTENT,)
    assert entries.load(KEYS[1], read) is None
    assert entries.notices == []


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7), file=st.sampled_from(["value.json", "manifest.json"]))
def test_an_entry_with_one_other_bit_is_discarded_with_a_word(tmp_path_factory, place, bit, file):
    entries = Entries(tmp_path_factory.mktemp("cache"), max_bytes=1 << 20)
    entries.keep(KEYS[0], write())
    path = entries.folder / KEYS[0] / file
    content = bytearray(path.read_bytes())
    content[place % len(content)] ^= 1 << bit
    path.write_bytes(content)
    found = entries.load(KEYS[0], read)
    # A bit of the manifest that turns no value into another one does no harm.
    assert found in (None, (CONTENT,))
    if found is None:
        assert len(entries.notices) == 1 and "computed again" in entries.notices[0]
        assert not (entries.folder / KEYS[0]).exists()
    else:
        assert file == "manifest.json"


def _truncate(folder):
    (folder / "value.json").write_bytes(CONTENT[:-1])


def _lose(folder):
    (folder / "value.json").unlink()


def _add(folder):
    (folder / "more.json").write_bytes(b"{}")


def _link(folder):
    kept = folder.parent.parent / "elsewhere"
    kept.write_bytes(CONTENT)
    (folder / "value.json").unlink()
    (folder / "value.json").symlink_to(kept)


def _no_manifest(folder):
    (folder / "manifest.json").write_bytes(b"")


@pytest.mark.parametrize("damage", [_truncate, _lose, _add, _link, _no_manifest])
def test_a_damaged_entry_is_discarded_and_can_be_kept_again(entries, damage):
    entries.keep(KEYS[0], write())
    damage(entries.folder / KEYS[0])
    assert entries.load(KEYS[0], read) is None
    entries.keep(KEYS[0], write())
    assert entries.load(KEYS[0], read) == (CONTENT,)


def test_an_entry_moved_to_another_key_is_discarded(entries):
    entries.keep(KEYS[0], write())
    (entries.folder / KEYS[0]).rename(entries.folder / KEYS[1])
    assert entries.load(KEYS[1], read) is None
    assert "another entry" in entries.notices[0]


def test_a_write_that_fails_leaves_nothing_and_says_so(entries):
    def fail(folder):
        (folder / "value.json").write_bytes(CONTENT)
        raise OSError(28, "No space left on device")

    entries.keep(KEYS[0], fail)
    assert list(entries.folder.iterdir()) == []
    assert len(entries.notices) == 1 and "could not be kept" in entries.notices[0]


@given(used=st.lists(st.integers(0, 5), max_size=12))
def test_the_least_recently_used_go_first_and_the_bound_holds(tmp_path_factory, used):
    entries = Entries(tmp_path_factory.mktemp("cache"), max_bytes=1 << 20)
    for key in KEYS:
        entries.keep(key, write())
    moments = {key: number for number, key in enumerate(KEYS)}
    for number, place in enumerate(used, start=len(KEYS)):
        moments[KEYS[place]] = number
    for key, moment in moments.items():
        os.utime(entries.folder / key, (1_000_000 + moment, 1_000_000 + moment))
    size = sum(path.stat().st_size for path in (entries.folder / KEYS[0]).iterdir())
    entries.max_bytes = 3 * size
    entries.bound()
    left = {path.name for path in entries.folder.iterdir()}
    assert left == set(sorted(KEYS, key=moments.__getitem__)[-3:])


def test_reading_an_entry_counts_as_use(entries):
    for key in KEYS[:2]:
        entries.keep(key, write())
        os.utime(entries.folder / key, (1_000_000, 1_000_000))
    entries.load(KEYS[0], read)
    entries.max_bytes = 1_000
    entries.bound()
    assert {path.name for path in entries.folder.iterdir()} == {KEYS[0]}


def test_an_entry_larger_than_the_cache_is_not_kept_and_drives_nothing_out(entries):
    entries.keep(KEYS[0], write())
    entries.keep(KEYS[1], write(bytes(2 << 20)))
    assert entries.load(KEYS[0], read) == (CONTENT,)
    assert entries.load(KEYS[1], read) is None
    assert "cache.max_gib" in entries.notices[0]


def test_nothing_is_removed_that_is_no_entry(entries):
    entries.keep(KEYS[0], write())
    own = entries.folder / "holiday photographs"
    own.mkdir()
    (own / "one.jpg").write_bytes(bytes(100))
    entries.max_bytes = 0
    entries.bound()
    assert [path.name for path in entries.folder.iterdir()] == [own.name]


def test_drafts_of_killed_runs_go_once_they_are_old(entries):
    entries.folder.mkdir()
    for name, age in ((".draft-new", 0), (".draft-old", 7_200)):
        (entries.folder / name).mkdir()
        os.utime(entries.folder / name, (time.time() - age,) * 2)
    entries.bound()
    assert [path.name for path in entries.folder.iterdir()] == [".draft-new"]


def test_two_runs_that_keep_the_same_key_at_once_leave_one_whole_entry(tmp_path: Path):
    runs = [Entries(tmp_path, max_bytes=1 << 20) for _ in range(4)]
    together = threading.Barrier(len(runs))

    def keep(one):
        together.wait()
        for key in KEYS:
            one.keep(key, write())

    threads = [threading.Thread(target=keep, args=(one,)) for one in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {path.name for path in tmp_path.iterdir()} == set(KEYS)
    assert all(runs[0].load(key, read) == (CONTENT,) for key in KEYS)
    assert [one.notices for one in runs] == [[], [], [], []]
