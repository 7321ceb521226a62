"""One account, one moment: the same kernel as for a portfolio, on a ledger that came in a request."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import numpy as np
import numpy.typing as npt

from domain.clock import to_us
from domain.errors import LedgerError
from domain.tables import Tables
from features.batch import compute_many
from features.config import Attribute
from features.encoding import encode
from features.schema import FeatureSchema
from features.spine import every_account


def compute_one(
    tables: Tables, *, as_of: datetime, schema: FeatureSchema, attributes: Mapping[str, Attribute]
) -> npt.NDArray[np.float64]:
    """The feature row (k,) of the one account that ``tables`` hold.

    Raises
    ------
    LedgerError : there is not exactly one account
    """
    encoded = encode(tables, attributes=attributes)
    if len(encoded.account_ids) != 1:
        raise LedgerError(f"found {len(encoded.account_ids)} accounts, needed one; use features.batch for more")
    matrix = compute_many(encoded, every_account(1, as_of_us=to_us(as_of)), schema)
    return matrix.reshape(-1)
