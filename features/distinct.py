"""Texts told apart and looked up: by their hashes first, and by their bytes where these are alike, so that it is exact.

Arrow's own dictionaries give the same, in the same order, and take five times as long where most texts are distinct.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from domain.compiled import compiled
from features.hashing import Hashes, Int32s, Strings, bytes_of, hashes_of, slot_of, slots_for, word_at


def numbered(texts: Any) -> tuple[Int32s, Int32s]:
    """The number of each text of an Arrow array without nulls, counted up as they come, and where each stands first."""
    hashes = hashes_of(texts)
    return _number(bytes_of(texts), hashes, _free(len(hashes)))


def places_of(texts: Any, among: Any) -> Int32s:
    """Where each text of an Arrow array stands in another, whose texts are distinct; -1 where nowhere. No nulls."""
    known, slots = hashes_of(among), _free(len(among))
    _put(known, slots)
    return _find((bytes_of(texts), hashes_of(texts)), (bytes_of(among), known), slots)


def _free(keys: int) -> Int32s:
    return np.full(slots_for(keys), -1, dtype=np.int32)


@compiled
def _same(texts: Strings, row: int, others: Strings, other: int) -> bool:
    start, end, place = texts.offsets[row], texts.offsets[row + 1], others.offsets[other]
    if end - start != others.offsets[other + 1] - place:
        return False
    while start + 8 <= end:
        if word_at(texts.data, start) != word_at(others.data, place):
            return False
        start, place = start + 8, place + 8
    while start < end:
        if texts.data[start] != others.data[place]:
            return False
        start, place = start + 1, place + 1
    return True


@compiled
def _number(texts: Strings, hashes: Hashes, slots: Int32s) -> tuple[Int32s, Int32s]:
    """``slots`` hold numbers of texts."""
    codes, first, count = np.empty(len(hashes), dtype=np.int32), np.empty(len(hashes), dtype=np.int32), 0
    for row in range(len(hashes)):
        slot = slot_of(hashes[row], len(slots))
        while slots[slot] >= 0:
            other = first[slots[slot]]
            if hashes[other] == hashes[row] and _same(texts, row, texts, other):
                break
            slot = slot + 1 if slot + 1 < len(slots) else 0
        if slots[slot] < 0:
            slots[slot] = count
            first[count] = row
            count += 1
        codes[row] = slots[slot]
    return codes, first[:count]


@compiled
def _put(hashes: Hashes, slots: Int32s) -> None:
    for row in range(len(hashes)):
        slot = slot_of(hashes[row], len(slots))
        while slots[slot] >= 0:
            slot = slot + 1 if slot + 1 < len(slots) else 0
        slots[slot] = row


@compiled
def _find(texts: tuple[Strings, Hashes], among: tuple[Strings, Hashes], slots: Int32s) -> Int32s:
    """``slots`` hold rows of those among which texts are found."""
    own, hashes = texts
    others, known = among
    places = np.empty(len(hashes), dtype=np.int32)
    for row in range(len(hashes)):
        slot = slot_of(hashes[row], len(slots))
        while slots[slot] >= 0:
            other = slots[slot]
            if known[other] == hashes[row] and _same(own, row, others, other):
                break
            slot = slot + 1 if slot + 1 < len(slots) else 0
        places[row] = slots[slot]
    return places
