"""Rows of a table of any size that repeat another, or claim its identity with other content."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import Int64s
from features.hashing import alike, mixed
from features.reading import TypedQuery
from features.streaming.batches import pieces_of
from features.streaming.keyed import keys_of
from features.streaming.scattered import Room, Rows, Scattered, parts_of

Bools = npt.NDArray[np.bool_]
_LISTS = 8
"""Lists of actions are a hundred times as long as anything else: of tables with such, pieces are so much smaller."""


def of_shared_ids(ids: Scattered, rows: int) -> Bools | None:
    """(rows,) those whose id occurs more than once, ``None`` where every row has one of its own."""
    found: Bools | None = None
    for number in range(ids.room.parts):
        part = ids.part(number)
        if part is None:
            break
        codes, count = alike(part["key"].copy())
        if count < len(codes):
            found = np.zeros(rows, dtype=np.bool_) if found is None else found
            found[part["row"][np.bincount(codes, minlength=count)[codes] > 1]] = True
    return found


def repeated_and_conflicting(connection: Any, query: TypedQuery, shared: Bools, room: Room) -> tuple[Bools, Bools]:
    """(rows,) what ``features.identity`` finds among the rows of shared ids, read once more.

    Raises
    ------
    DataError : a file cannot be read at all
    """
    contents = Scattered(room, ("key", "recorded", "content", "row"))
    first = 0
    lists = any(column.kind == "list" for column in query.columns)
    rows_at_once = max(1, room.sizes.rows_at_once // (_LISTS if lists else 1))
    for piece in pieces_of(connection, query, rows_at_once=rows_at_once):
        own = np.flatnonzero(shared[first : first + piece.table.rows])
        if len(own):
            few = piece.only(own)
            key, content = few.hashes(query.spec.id_column), keys_of(few, tuple(few.table.data))
            recorded = np.asarray(few.table.data["recorded_at"])
            contents.add(parts_of(key, room.parts), key, recorded, content, own + first)
        first += piece.table.rows
    repeated, conflicting = np.zeros(len(shared), dtype=np.bool_), np.zeros(len(shared), dtype=np.bool_)
    for number in range(room.parts):
        part = contents.part(number)
        if part is not None and len(part):
            twice, torn = _in_part(part)
            repeated[twice], conflicting[torn] = True, True
    contents.forget()
    return repeated, conflicting


def _in_part(part: Rows) -> tuple[Int64s, Int64s]:
    codes, _ = alike(part["content"].copy())
    # Numbers count up as they come, so that a row with a new one is the first of its content.
    first = np.diff(np.maximum.accumulate(codes), prepend=-1) > 0
    kept = part[first]
    identity, _ = alike(mixed(kept["key"].copy(), kept["recorded"].copy().view(np.uint64)))
    return part["row"][~first], kept["row"][np.bincount(identity)[identity] > 1]
