"""The training matrix, looked at before anything learns from it: what is wrong with it, and what it looked like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from domain.errors import NotEnoughDataError
from features.quality import Circumstances, Quality, quality
from features.reference import Reference, fit_reference
from features.schema import FeatureSchema
from training.dataset import PaymentRows


@dataclass(frozen=True)
class Inspected:
    """The reference that goes into the bundle, and the findings that go into the evaluation."""

    reference: Reference
    quality: Quality

    def section(self, schema: FeatureSchema) -> dict[str, Any]:
        """The section ``features`` of the evaluation."""
        return {
            "count": len(schema.names),
            "fingerprint": schema.fingerprint,
            "counts": self.quality.counts,
            "constant": list(self.quality.constant),
            "duplicates": self.quality.duplicates,
            "findings": self.quality.to_json()["findings"],
        }


def inspect(rows: PaymentRows, schema: FeatureSchema) -> Inspected:
    """Reference and quality of the payment model's rows.

    Raises
    ------
    NotEnoughDataError : no feature varies, so that nothing can be learned
    """
    units = len(np.unique(rows.rows.debtor))
    found = quality(rows.values, schema, circumstances=Circumstances(units=units))
    if found.useless:
        raise NotEnoughDataError(
            f"found {len(found.constant)} features of {len(schema.names)} with one value or none in all "
            f"{len(rows.spine)} rows, needed at least one that varies; check debts and payments with `acerto validate`"
        )
    return Inspected(fit_reference(rows.values, schema, units=units), found)
