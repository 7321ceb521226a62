"""The steps of a run: each is taken from the cache where it holds one of the same key, and computed otherwise.

A key is the SHA-256 of all that a step's result depends on: the keys of the steps before it, the settings that matter
to it, and, for all steps alike, the data, the source of the program and the versions of the packages it computes with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import numpy as np

from decisioning.integrity import canonical_json
from domain.coded import Coded
from domain.tables import Tables
from training.caching.entries import Entries
from training.runs import environment

T = TypeVar("T")
_PAGE = 100_000


@dataclass
class Steps:
    """Where steps are kept, ``None`` for nowhere, and what became of each.

    ``told`` by name: the first key, and how often the step was ``cached`` and how often ``computed``.
    """

    entries: Entries | None = None
    told: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, name: str, key: str, compute: Callable[[], T]) -> T:
        """The result of a step, kept or computed.

        Parameters
        ----------
        name : what people call it; of letters, digits and spaces
        key : of :func:`key_of`; a ``NotEnoughDataError`` and the like are raised again by computing again
        """
        entries = self.entries
        if entries is None:
            return compute()
        # The packed types are the whole of training: who keeps nothing need not import it.
        from training.caching.packing import read_value, write_value  # noqa: PLC0415

        entry = f"{name.replace(' ', '_')}-{key}"
        found = entries.load(entry, read_value)
        told = self.told.setdefault(name, {"key": key, "cached": 0, "computed": 0})
        told["computed" if found is None else "cached"] += 1
        if found is not None:
            return cast("T", found[0])
        value = compute()
        entries.keep(entry, lambda folder: write_value(folder, value))
        return value

    @property
    def cached(self) -> tuple[str, ...]:
        """The steps that were taken from the cache, in order; with counts where only some of a kind were."""
        return tuple(
            name if not one["computed"] else f"{name} ({one['cached']} of {one['cached'] + one['computed']})"
            for name, one in self.told.items()
            if one["cached"]
        )

    @property
    def notices(self) -> tuple[str, ...]:
        """What is to be said of entries that were discarded or not kept."""
        return () if self.entries is None else tuple(self.entries.notices)


@dataclass(frozen=True)
class Chain:
    """Steps, with the key of everything before the next one; without a folder every step is computed."""

    steps: Steps = field(default_factory=Steps)
    key: str = ""

    def then(self, **settings: Any) -> Chain:
        """The chain after settings, as plain JSON values, that what follows depends on."""
        return Chain(self.steps, key_of(self.key, **settings))

    def of(self, name: str, compute: Callable[[], T]) -> T:
        """A step that depends on nothing but what this chain was told."""
        return self.steps.of(name, self.key, compute)


def key_of(before: str, /, **settings: Any) -> str:
    """The key of a step: of the key before it, and of settings as plain JSON values."""
    return hashlib.sha256(canonical_json([before, settings])).hexdigest()


def key_of_data(tables: Tables, **settings: Any) -> str:
    """The key that all steps start from: every value of the tables in its row, the program and its packages.

    Notes
    -----
    The order of rows is part of it, unlike in ``runs.fingerprint``: results of steps hold positions of rows.
    """
    found = {
        name: {column: _column(data) for column, data in sorted(columns.items())}
        for name, columns in sorted(tables.columns.items())
    }
    return key_of("", tables=found, code=environment.code(), lock=environment.lock(), **settings)


def _column(data: Any) -> str:
    if not isinstance(data, Coded):
        return _array(data)
    digest = hashlib.sha256(_array(data.codes).encode())
    for start in range(0, len(data.values), _PAGE):
        texts = data.values[start : start + _PAGE]
        # With the length of each, so that no two lists of texts make the same bytes.
        digest.update(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)).tobytes())
        digest.update("".join(texts).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _array(data: np.ndarray[Any, Any]) -> str:
    digest = hashlib.sha256(f"{data.dtype.str}{data.shape}".encode())
    digest.update(np.ascontiguousarray(data).data.cast("B") if data.size else b"")
    return digest.hexdigest()
