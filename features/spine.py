"""The spine: which accounts, at which moments, a matrix has its rows for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.clock import Int64s


@dataclass(frozen=True, slots=True)
class Spine:
    """One row per (account, moment).

    ``account`` is (n,) int32, positions in ``Encoded.account_ids``; ``as_of_us`` is (n,) int64, µs UTC.
    """

    account: npt.NDArray[np.int32]
    as_of_us: Int64s

    def __len__(self) -> int:
        return len(self.account)

    def take(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Spine:
        """The rows at those positions, or where the mask is true."""
        return Spine(self.account[rows], self.as_of_us[rows])


def every_account(n_accounts: int, *, as_of_us: int) -> Spine:
    """All accounts at one moment."""
    return Spine(np.arange(n_accounts, dtype=np.int32), np.full(n_accounts, as_of_us, dtype=np.int64))
