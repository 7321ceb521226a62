"""Accounts in pages: few enough at a time that features under all actions stay in cache, and memory flat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from features.encoding import Encoded
from features.spine import Spine
from features.state import account_states

Int64s = npt.NDArray[np.int64]

PAGE = 1_000


def owing(encoded: Encoded, as_of_us: int, *, channels: Sequence[str]) -> Int64s:
    """Positions of the accounts that owe anything at a moment."""
    everyone = np.arange(len(encoded.account_ids), dtype=np.int64)
    owes = [account_states(encoded, spine_at(page, as_of_us), channels=channels).owes
            for page in pages(everyone, size=50 * PAGE)]  # fmt: skip
    found: Int64s = everyone[np.concatenate([*owes, np.zeros(0, dtype=np.bool_)])]
    return found


def spine_at(accounts: Int64s, as_of_us: int) -> Spine:
    """Accounts at one moment."""
    return Spine(account=accounts.astype(np.int32), as_of_us=np.full(len(accounts), as_of_us, dtype=np.int64))


def pages(accounts: Int64s, *, size: int = PAGE) -> Iterator[Int64s]:
    """The accounts in their order, so many at a time."""
    for start in range(0, len(accounts), size):
        yield accounts[start : start + size]


def debtor_pages(accounts: Int64s, debtor: Int64s, *, size: int = PAGE) -> Iterator[tuple[Int64s, Int64s]]:
    """Accounts in pages that keep each debtor's together, of at least ``size`` where there are as many.

    Yields positions in ``accounts``, and the accounts at them.
    """
    order = np.lexsort((accounts, debtor)).astype(np.int64)
    ends = np.append(np.flatnonzero(np.diff(debtor[order])) + 1, len(order))
    start = 0
    while start < len(order):
        end = int(ends[np.searchsorted(ends, min(start + size, len(order)))])
        yield order[start:end], accounts[order[start:end]]
        start = end
