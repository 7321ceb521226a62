"""What an account owes at each row of a spine, as training reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING
from features.encoding import Encoded
from features.spine import Spine
from features.state import balances, local_of
from training.windows import Bools, Int64s


@dataclass(frozen=True)
class Standing:
    """All (n,): balance and overdue part in cents, days past due with ``clock.MISSING`` where nothing is open."""

    balance_cents: Int64s
    overdue_cents: Int64s
    days_past_due: Int64s

    @property
    def owes(self) -> Bools:
        """Whether anything is owed."""
        return self.balance_cents > 0

    @property
    def days(self) -> npt.NDArray[np.float64]:
        """Days past due, ``NaN`` where nothing is open."""
        return np.where(self.days_past_due == MISSING, np.nan, self.days_past_due.astype(np.float64))

    def take(self, rows: Int64s | Bools) -> Standing:
        """The standing of some rows."""
        return Standing(self.balance_cents[rows], self.overdue_cents[rows], self.days_past_due[rows])


def standing_at(encoded: Encoded, spine: Spine) -> Standing:
    """The standing of every row at its own ``as_of``."""
    found = balances(encoded, spine, local_of(encoded, spine))
    return Standing(found.balance, found.overdue, found.days_past_due)
