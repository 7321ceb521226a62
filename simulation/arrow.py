"""Columns of Arrow from int64 arrays, in which ``journal.NOTHING`` is no value."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simulation.journal import NOTHING

Ints = npt.NDArray[np.int64]
MOMENT = pa.timestamp("us", tz="UTC")


def ids(prefix: str, numbers: Ints) -> pa.Array:
    """Identifiers such as ``a0000012``; ``NOTHING`` becomes null."""
    known = numbers != NOTHING
    return _joined([_text(prefix, len(numbers)), _digits(np.where(known, numbers, 0), 7)], known)


def within(prefix: str, accounts: Ints, serials: Ints, width: int = 4) -> pa.Array:
    """Identifiers within an account, such as ``d0000012-0003``; a serial of ``NOTHING`` becomes null."""
    known, size = serials != NOTHING, len(accounts)
    serial = _digits(np.where(known, serials, 0), width)
    return _joined([_text(prefix, size), _digits(accounts, 7), _text("-", size), serial], known)


def _text(text: str, size: int) -> npt.NDArray[np.uint8]:
    return np.broadcast_to(np.frombuffer(text.encode(), dtype=np.uint8), (size, len(text)))


def _digits(numbers: Ints, width: int) -> npt.NDArray[np.uint8]:
    powers = 10 ** np.arange(width - 1, -1, -1)
    return (numbers[:, None] // powers % 10 + ord("0")).astype(np.uint8)


def _joined(parts: list[npt.NDArray[np.uint8]], known: npt.NDArray[np.bool_]) -> pa.Array:
    """A string column from blocks of characters, all rows of one width; built from its buffers, 20 times as fast."""
    letters = np.concatenate(parts, axis=1)
    size, width = letters.shape
    offsets = np.arange(size + 1, dtype=np.int32) * width
    valid = pa.py_buffer(np.packbits(known, bitorder="little").tobytes())
    buffers = [pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(letters))]
    return pa.StringArray.from_buffers(size, buffers[0], buffers[1], valid, int((~known).sum()))


def moments(values: Ints) -> pa.Array:
    """Microseconds since 1970 as moments, UTC."""
    return pa.array(values, mask=values == NOTHING).cast(MOMENT)


def days(values: Ints) -> pa.Array:
    """Days since 1970 as dates."""
    return pa.array(np.where(values == NOTHING, 0, values).astype(np.int32), mask=values == NOTHING).cast(pa.date32())


def money(cents: Ints) -> pa.Array:
    """Cents as currency units."""
    return pa.array(np.where(cents == NOTHING, 0, cents) / 100.0, mask=cents == NOTHING)


def named(codes: Ints, names: tuple[str, ...]) -> pa.Array:
    """Positions in a list of names as the names; one outside the list is no value."""
    known = (codes >= 0) & (codes < len(names))
    indices = pa.array(np.where(known, codes, 0).astype(np.int32), mask=~known)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names, pa.string())).cast(pa.string())
