"""Distinct texts of a column, left in Arrow until somebody asks for them: most ids are only ever compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from domain.coded import Coded
from features.distinct import numbered, places_of


class Texts(Sequence[str]):
    """A sequence of texts over an Arrow array without nulls."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self._known: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self._array)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return self._all()[place]
        text: str = self._array[int(place)].as_py() if self._known is None else self._known[place]
        return text

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __contains__(self, text: object) -> bool:
        return text in self._all()

    def places_in(self, others: object) -> npt.NDArray[np.int32] | None:
        """Where each text stands among others, -1 where nowhere; ``None`` where they are not in Arrow as well."""
        if not isinstance(others, Texts):
            return None
        return places_of(self._array, others._array)

    @property
    def array(self) -> Any:
        """The texts in Arrow."""
        return self._array

    def smallest(self, places: npt.NDArray[np.integer], count: int) -> tuple[str, ...]:
        """The first few in order of the texts at some places, each once."""
        left, found = self._array.take(places), list[str]()
        while len(left) and len(found) < count:
            found.append(pc.min(left).as_py())
            left = left.filter(pc.greater(left, found[-1]))
        return tuple(found)

    def texts_at(self, places: npt.NDArray[np.int32]) -> list[str | None]:
        """The texts at some places, ``None`` where these are negative."""
        found: list[str | None] = self._array.take(pa.array(places, mask=places < 0)).to_pylist()
        return found

    def _all(self) -> tuple[str, ...]:
        if self._known is None:
            self._known = tuple(self._array.to_pylist())
        return self._known


def coded_from(encoded: Any) -> Coded:
    """A column from an Arrow dictionary array; a null is a missing value."""
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Coded(codes, Texts(encoded.dictionary))


def coded_texts(texts: Any) -> Coded:
    """A column from an Arrow array of strings, its values as they come; a null is a missing value."""
    if texts.null_count:
        known, codes = coded_texts(texts.drop_null()), np.full(len(texts), -1, dtype=np.int32)
        codes[texts.is_valid().to_numpy(zero_copy_only=False)] = known.codes
        return Coded(codes, known.values)
    codes, first = numbered(texts)
    return Coded(codes, Texts(texts if len(first) == len(codes) else texts.take(first)))
