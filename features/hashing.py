"""Texts as 64-bit numbers, and numbers that are alike: what stands for ids where their texts fit no memory.

Two of n texts share a number by chance with a probability of about n²/2⁶⁵: 1e-4 for fifty million ids.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from domain.clock import Int64s
from domain.compiled import compiled

Hashes = npt.NDArray[np.uint64]
Int32s = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.uint8]
NOTHING = np.uint64(0)
"""Stands for a missing value; no text has it."""
_FIRST, _SECOND, _SEED = np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53), np.uint64(0x9E3779B97F4A7C15)
_HALF, _BYTE, _ONE = np.uint64(33), np.uint64(8), np.uint64(1)


class Strings(NamedTuple):
    """Texts as (n + 1,) places where each begins in the bytes of all."""

    offsets: Int64s
    data: Bytes


def hashes_of(texts: Any) -> Hashes:
    """(n,) the numbers of an Arrow array of strings; ``NOTHING`` where it is null."""
    found = np.zeros(len(texts), dtype=np.uint64)
    if len(texts):
        _hash(*bytes_of(texts), found)
    if texts.null_count:
        found[texts.is_null().to_numpy(zero_copy_only=False)] = NOTHING
    return found


def bytes_of(texts: Any) -> Strings:
    """An Arrow array of strings, nulls being empty, as arrays that are read-only."""
    large = texts.cast(pa.large_string())
    _, offsets, data = large.buffers()
    places = np.frombuffer(offsets if offsets and offsets.size else bytes(8), dtype=np.int64)
    found = np.frombuffer(data if data and data.size else bytes(1), dtype=np.uint8)
    # One kind of array, whoever owns the memory, because each kind is compiled for itself.
    places.setflags(write=False)
    found.setflags(write=False)
    return Strings(places[large.offset : large.offset + len(large) + 1], found)


def mixed(first: Hashes, second: Hashes) -> Hashes:
    """(n,) one number for both, in this order."""
    found = np.empty(len(first), dtype=np.uint64)
    _mix(first, second, found)
    return found


def alike(keys: Hashes) -> tuple[Int32s, int]:
    """(n,) the same small number for equal keys, counted up in the order in which they come, and how many there are."""
    codes = np.empty(len(keys), dtype=np.int32)
    slots = slots_for(len(keys))
    return codes, int(_number(keys, np.zeros(slots, np.uint64), np.full(slots, -1, np.int32), codes, 0))


class Numbering:
    """Numbers that keys get in the order in which they first come, kept over many calls."""

    def __init__(self) -> None:
        self.count = 0
        self._keys, self._codes = np.zeros(1024, np.uint64), np.full(1024, -1, np.int32)

    def codes_of(self, keys: Hashes) -> Int32s:
        """(n,) the number of each key, new ones included; -1 for ``NOTHING``."""
        self._make_room(len(keys))
        codes = np.empty(len(keys), dtype=np.int32)
        self.count = int(_number(keys, self._keys, self._codes, codes, self.count))
        codes[keys == NOTHING] = -1
        return codes

    def _make_room(self, more: int) -> None:
        slots = slots_for(self.count + more)
        if slots > len(self._keys):
            filled = self._codes >= 0
            keys, codes = self._keys[filled], self._codes[filled]
            self._keys, self._codes = np.zeros(slots, np.uint64), np.full(slots, -1, np.int32)
            _put(keys, codes, self._keys, self._codes)


class Places:
    """Where keys stand in an array of them; the last place of a key that stands there more than once."""

    def __init__(self, keys: Hashes) -> None:
        slots = slots_for(len(keys))
        self._keys, self._codes = np.zeros(slots, np.uint64), np.full(slots, -1, np.int32)
        _put(keys, np.arange(len(keys), dtype=np.int32), self._keys, self._codes)

    def of(self, keys: Hashes) -> Int32s:
        """(n,) places; -1 where a key is not among them."""
        found = np.empty(len(keys), dtype=np.int32)
        _find(keys, self._keys, self._codes, found)
        return found


def slots_for(keys: int) -> int:
    """How many places a table has for so many keys: a power of two, at most half of them taken."""
    return 1 << max(10, int(2 * keys).bit_length())


@compiled
def _scrambled(value: np.uint64) -> np.uint64:
    """The last steps of MurmurHash3."""
    value ^= value >> _HALF
    value *= _FIRST
    value ^= value >> _HALF
    value *= _SECOND
    return value ^ (value >> _HALF)


@compiled
def word_at(data: Bytes, start: int) -> np.uint64:
    """Eight bytes: written out, which is compiled to one load."""
    return (
        np.uint64(data[start])
        | np.uint64(data[start + 1]) << np.uint64(8)
        | np.uint64(data[start + 2]) << np.uint64(16)
        | np.uint64(data[start + 3]) << np.uint64(24)
        | np.uint64(data[start + 4]) << np.uint64(32)
        | np.uint64(data[start + 5]) << np.uint64(40)
        | np.uint64(data[start + 6]) << np.uint64(48)
        | np.uint64(data[start + 7]) << np.uint64(56)
    )


@compiled
def _short(data: Bytes, start: int, end: int) -> np.uint64:
    word = np.uint64(0)
    for place in range(end - start):
        word |= np.uint64(data[start + place]) << (np.uint64(place) * _BYTE)
    return word


@compiled
def _hash(offsets: Int64s, data: Bytes, found: Hashes) -> None:
    for row in range(len(found)):
        start, end = offsets[row], offsets[row + 1]
        value = _SEED ^ np.uint64(end - start)
        if end - start < 8:
            value = _scrambled(value ^ _short(data, start, end))
        else:
            while start + 8 < end:
                value = _scrambled(value ^ word_at(data, start))
                start += 8
            # The last eight bytes, be some of them there already: the length is part of the number.
            value = _scrambled(value ^ word_at(data, end - 8))
        found[row] = value if value != NOTHING else _ONE


@compiled
def _mix(first: Hashes, second: Hashes, found: Hashes) -> None:
    for row in range(len(found)):
        found[row] = _scrambled(_scrambled(first[row] ^ _SEED) ^ second[row])


@compiled
def slot_of(key: np.uint64, slots: int) -> int:
    """Where in a table of so many places the search for a key begins."""
    # Signed first: compiled, a number without sign and one with it make a float.
    return int(np.int64(key * _SEED >> _HALF & np.uint64(slots - 1)))


@compiled
def _place(key: np.uint64, known: Hashes, codes: Int32s) -> np.uint64:
    """Where a key lies in a table of a power of two of places, or would."""
    last = np.uint64(len(known) - 1)
    place = np.uint64(slot_of(key, len(known)))
    while codes[place] >= 0 and known[place] != key:
        place = (place + _ONE) & last
    return place


@compiled
def _number(keys: Hashes, known: Hashes, codes: Int32s, found: Int32s, count: int) -> int:
    for row in range(len(keys)):
        key = keys[row]
        if row and key == keys[row - 1]:
            found[row] = found[row - 1]
            continue
        place = _place(key, known, codes)
        if codes[place] < 0:
            known[place] = key
            codes[place] = count
            count += 1
        found[row] = codes[place]
    return count


@compiled
def _put(keys: Hashes, values: Int32s, known: Hashes, codes: Int32s) -> None:
    for row in range(len(keys)):
        place = _place(keys[row], known, codes)
        known[place] = keys[row]
        codes[place] = values[row]


@compiled
def _find(keys: Hashes, known: Hashes, codes: Int32s, found: Int32s) -> None:
    for row in range(len(keys)):
        place = _place(keys[row], known, codes)
        found[row] = codes[place]
