"""One account, one moment: the same kernel as for a portfolio, on a ledger that came in a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from domain.clock import to_us
from domain.tables import Tables
from features.batch import compute_many
from features.config import Attribute
from features.encoding import Encoded, encode
from features.ledger import encode_ledgers
from features.schema import FeatureSchema, declared_features
from features.spine import Spine

Floats = npt.NDArray[np.float64]
_FIRST = np.zeros(1, dtype=np.int32)
_WARM = {
    "account_id": "a",
    "debts": [{"debt_id": "d", "amount": 1.0, "due_on": "2020-01-01", "occurred_at": "2019-12-01T00:00:00Z"}],
    "payments": [
        {"payment_id": f"p{day}", "amount": 0.1, "occurred_at": f"2020-01-0{day}T00:00:00Z", "debt_id": "d"}
        for day in range(1, 6)
    ],
}
"""Enough rows for every way of converting them to be taken once."""


def compute_one(
    ledger: Mapping[str, Any],
    *,
    as_of: datetime,
    schema: FeatureSchema,
    others: Sequence[Mapping[str, Any]] | None = None,
) -> Floats:
    """The feature row (k,) of an account from its ledger, as it comes in a request.

    Parameters
    ----------
    ledger : ``account_id``, ``account``, and the rows of each table that is known (``features.ledger``)
    others : ledgers of the debtor's other accounts, ``[]`` where there are none; where it is not said, features on
        other accounts are missing, unless the ledger names no debtor but the account

    Raises
    ------
    LedgerError : the ledger cannot be read, and where
    """
    encoded = ledger_encoded(ledger, schema=schema, others=others)
    return compute_many(encoded, Spine(_FIRST, np.array([to_us(as_of)], dtype=np.int64)), schema).reshape(-1)


def ledger_encoded(
    ledger: Mapping[str, Any], *, schema: FeatureSchema, others: Sequence[Mapping[str, Any]] | None = None
) -> Encoded:
    """A ledger ready to be scanned, its account the first; ``others`` as in ``compute_one``."""
    named = (ledger.get("account") or {}).get("debtor_id")
    whole = others is not None or named in (None, ledger.get("account_id"))
    return encode_ledgers((ledger, *(others or ())), attributes=schema.attributes, whole_debtors=whole)


def one_of(
    tables: Tables, account_id: str, *, as_of: datetime, schema: FeatureSchema, whole_debtors: bool = True
) -> Floats:
    """The feature row (k,) of one account of tables that hold all that is known of its debtor."""
    encoded = encode(tables, attributes=schema.attributes, whole_debtors=whole_debtors)
    spine = Spine(np.array([encoded.index[account_id]], dtype=np.int32), np.array([to_us(as_of)], dtype=np.int64))
    return compute_many(encoded, spine, schema).reshape(-1)


def warm_up(schema: FeatureSchema, *, as_of: datetime) -> None:
    """Compile, or load from the cache, everything that a first request would otherwise wait for."""
    attributes: Mapping[str, Attribute] = schema.attributes
    empty: dict[str, Any] = {
        table: [] for table in ("debt_events", "contacts", "responses", "promises", "consents", "holds")
    }
    everything = FeatureSchema(tuple(one.name for one in declared_features(attributes)), schema.categories, attributes)
    for ledger in (_WARM, _WARM | empty):
        for one in (schema, everything):
            compute_one(ledger, as_of=as_of, schema=one, others=[])
