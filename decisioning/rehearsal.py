"""Accounts of which only features are kept, as states that rules can read: what a bundle's sample can still tell.

A sample holds no ledgers, so nothing is known of consents, holds, promises in force or contacts of late. They are taken
as if they stood in nobody's way, at the start of an ordinary Monday, and whoever shows the result says so.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from domain.clock import MISSING, US_PER_DAY, to_day
from features.schema import FeatureSchema
from features.spine import Spine
from features.state import AccountStates

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]

NEEDED = ("balance_cents", "overdue_cents", "days_past_due")
"""Features without which it is not known what an account owes."""
_DAY = to_day(date(2026, 3, 2))
_GRANTED = 1


def free_states(values: Floats, schema: FeatureSchema, *, channels: int) -> AccountStates:
    """States of accounts that owe what their features say, with nothing that forbids a contact.

    Parameters
    ----------
    values : (n, k) feature rows in the order of ``schema``, which has the features ``NEEDED``
    channels : how many there are; all of them are consented to
    """
    n = len(values)
    nothing, none = np.zeros(n, dtype=np.int64), np.zeros(0, dtype=np.int64)
    return AccountStates(
        spine=Spine(np.arange(n, dtype=np.int32), np.full(n, _DAY * US_PER_DAY, dtype=np.int64)),
        balance_cents=_whole(values, schema, "balance_cents"), overdue_cents=_whole(values, schema, "overdue_cents"),
        days_past_due=_whole(values, schema, "days_past_due", missing=MISSING),
        principal_cents=nothing, charges_cents=nothing, credit_cents=nothing, holds=nothing,
        open_offsets=np.zeros(n + 1, dtype=np.int64), open_debt=none, open_cents=none,
        debt_names=np.zeros(0, dtype=object), active_promise=np.zeros(n, dtype=np.bool_),
        consent=np.full((n, channels), _GRANTED, dtype=np.int8),
        local_day=np.full(n, _DAY, dtype=np.int64), zone=np.zeros(n, dtype=np.int32), zone_names=("UTC",),
        contact_offsets=np.zeros(n + 1, dtype=np.int64), contact_at_us=none,
        contact_channel=np.zeros(0, dtype=np.int32),
    )  # fmt: skip


def _whole(values: Floats, schema: FeatureSchema, name: str, *, missing: int = 0) -> Int64s:
    found = values[:, schema.index[name]]
    return np.where(np.isnan(found), missing, np.rint(np.nan_to_num(found))).astype(np.int64)
