"""Text columns as codes: how names, ids and links stand in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


class Vocabulary(dict[str | None, int]):
    """Names and their positions; a column coded in it already is recoded for nothing.

    With ``missing`` the absence of a name has its code, -1, as well.
    """

    def __init__(self, names: Sequence[str], *, missing: bool = False) -> None:
        super().__init__((name, place) for place, name in enumerate(names))
        if missing:
            self[None] = -1
        self.names = tuple(names)


@dataclass(frozen=True, slots=True)
class Coded:
    """A text column as codes into its distinct values; -1 is a missing value, and -2 one that is not among them.

    ``codes`` is (n,) int32; ``values`` are distinct, in any order.
    """

    codes: npt.NDArray[np.int32]
    values: Sequence[str]

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: npt.NDArray[np.int64]) -> Coded:
        """The same column at other rows."""
        return Coded(self.codes[rows], self.values)

    def recode(self, index: Mapping[str, int] | Vocabulary, *, unknown: int = -1) -> npt.NDArray[np.int32]:
        """Codes in another vocabulary; ``unknown`` for values it lacks, and -1 for missing ones."""
        if isinstance(index, Vocabulary) and index.names is self.values:
            return self.codes
        # The codes -1 and -2 are those of the last two places.
        table = np.array([index.get(value, unknown) for value in self.values] + [-1, -1], dtype=np.int32)
        return table[self.codes]

    def among(self, other: Coded, *, unknown: int = -1) -> npt.NDArray[np.int32]:
        """Codes in the values of another column; ``unknown`` for values it lacks, and -1 for missing ones."""
        if self.values is other.values:
            return self.codes
        places = getattr(self.values, "places_in", None)
        found: npt.NDArray[np.int32] | None = places(other.values) if places else None
        if found is None:
            return self.recode({value: place for place, value in enumerate(other.values)}, unknown=unknown)
        table = np.append(np.where(found < 0, unknown, found), -1).astype(np.int32)
        return table[np.maximum(self.codes, -1)]

    def decode(self) -> list[str | None]:
        """The texts themselves, ``None`` where missing."""
        texts_at = getattr(self.values, "texts_at", None)
        if texts_at is not None:
            found: list[str | None] = texts_at(self.codes)
            return found
        return [None if code < 0 else self.values[code] for code in self.codes.tolist()]


def coded(texts: Iterable[str | None]) -> Coded:
    """A text column from its values, in order of first appearance.

    >>> coded(["b", None, "b"]).values
    ('b',)
    """
    index: dict[str, int] = {}
    codes = [-1 if text is None else index.setdefault(text, len(index)) for text in texts]
    return Coded(np.array(codes, dtype=np.int32), tuple(index))
