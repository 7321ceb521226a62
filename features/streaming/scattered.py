"""Rows put aside by key, so that those of one key meet again later: in memory while they are few, then on disk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import Int64s
from domain.compiled import compiled
from features.hashing import Hashes

Rows = npt.NDArray[Any]


ROWS_PER_PART = 2_000_000
"""Rows of all tables together, in the files, for which there is one part."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What bounds memory: ``parts`` of rows that have to meet, of which one of each table is looked at at a time.

    ``rows_at_once`` are those of a piece of a table, ``most_held`` the bytes of rows put aside that stay in memory, all
    together; what comes on top goes to disk.
    """

    parts: int
    rows_at_once: int = 1 << 17
    most_held: int = 256 << 20


@dataclass
class Room:
    """Where rows are put aside, and how many bytes of them are in memory."""

    folder: Path
    sizes: Sizes
    files: int = 0
    holding: list[Scattered] = field(default_factory=list)

    @property
    def held(self) -> int:
        """Bytes of rows that are in memory."""
        return sum(scattered.held for scattered in self.holding)

    @property
    def parts(self) -> int:
        """Into how many parts rows are put."""
        return self.sizes.parts

    def keep_to_size(self) -> None:
        """Writes the largest while there is too much in memory: few large pieces are read faster than many small."""
        while self.held > self.sizes.most_held:
            max(self.holding, key=lambda scattered: scattered.held).write()

    def new_file(self) -> Path:
        """The path of a file of its own."""
        self.files += 1
        return self.folder / f"{self.files:05d}.rows"


@dataclass
class _Piece:
    """Rows by part: those of part p are ``bounds[p]`` to ``bounds[p + 1]``, at ``place`` of the file if not held."""

    bounds: Int64s
    rows: Rows | None
    place: int = 0


@dataclass(eq=False)
class Scattered:
    """Rows of one kind in parts; within a part they stand in the order in which they came.

    ``held`` are the bytes that are in memory.
    """

    room: Room
    names: Sequence[str]
    pieces: list[_Piece] = field(default_factory=list)
    count: int = 0
    held: int = 0
    _path: Path | None = None
    _written: int = 0

    def add(self, part: npt.NDArray[np.int64], *columns: npt.NDArray[Any]) -> None:
        """Puts rows aside: the part of each, and its columns in the order of ``names``."""
        if not len(part):
            return
        kinds = [(name, column.dtype) for name, column in zip(self.names, columns, strict=True)]
        rows = np.empty(len(part), dtype=kinds)
        bounds, order = _by_part(part, self.room.parts)
        for name, column in zip(self.names, columns, strict=True):
            rows[name] = column[order]
        self.count += len(part)
        self.pieces.append(_Piece(bounds, rows))
        if not self.held:
            self.room.holding.append(self)
        self.held += rows.nbytes
        self.room.keep_to_size()

    def part(self, number: int) -> Rows | None:
        """The rows of a part, ``None`` where there are none at all."""
        if not self.pieces:
            return None
        stream = self._path.open("rb") if self._path else None
        try:
            return np.concatenate([self._rows(piece, number, stream) for piece in self.pieces])
        finally:
            if stream is not None:
                stream.close()

    def forget(self) -> None:
        """Frees what was put aside."""
        self._let_go()
        self.pieces, self.count = [], 0
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path, self._written = None, 0

    def _rows(self, piece: _Piece, number: int, stream: Any) -> Rows:
        first, last = piece.bounds[number : number + 2].tolist()
        if piece.rows is not None:
            return piece.rows[first:last]
        stream.seek(piece.place + first * self._kind.itemsize)
        return np.fromfile(stream, dtype=self._kind, count=last - first)

    def write(self) -> None:
        """Puts on disk what is in memory, as one piece."""
        held = [(piece.bounds, piece.rows) for piece in self.pieces if piece.rows is not None]
        if not held:
            return
        self._path, self._kind = self._path or self.room.new_file(), held[0][1].dtype
        bounds = np.sum([bounds for bounds, _ in held], axis=0)
        with self._path.open("ab") as stream:
            for part in range(self.room.parts):
                np.concatenate([rows[bounds[part] : bounds[part + 1]] for bounds, rows in held]).tofile(stream)
        self.pieces = [piece for piece in self.pieces if piece.rows is None]
        self.pieces.append(_Piece(bounds, None, self._written))
        self._written += int(bounds[-1]) * self._kind.itemsize
        self._let_go()

    def _let_go(self) -> None:
        if self.held:
            self.room.holding.remove(self)
            self.held = 0


def parts_of(keys: Hashes, parts: int) -> Int64s:
    """(n,) the part of each key: by its upper half, since the lower one tells keys of a part apart."""
    return ((keys >> np.uint64(32)) % np.uint64(parts)).astype(np.int64)


def _by_part(part: Int64s, parts: int) -> tuple[Int64s, Int64s]:
    bounds, order = np.zeros(parts + 1, dtype=np.int64), np.empty(len(part), dtype=np.int64)
    _sort(part, bounds, order)
    return bounds, order


@compiled
def _sort(part: Int64s, bounds: Int64s, order: Int64s) -> None:
    for row in range(len(part)):
        bounds[part[row] + 1] += 1
    for number in range(1, len(bounds)):
        bounds[number] += bounds[number - 1]
    places = bounds[:-1].copy()
    for row in range(len(part)):
        order[places[part[row]]] = row
        places[part[row]] += 1
